"""Pools, with their placements in order."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db import models
from django.db.models import Count
from django.http import HttpRequest

from rotation.admin.audited import Audited, Formset, Rows
from rotation.models import Placement, Pool


class PlaceRows(Rows):
    model = Placement
    formfield_overrides: ClassVar[Any] = {models.TextField: {"widget": AdminTextInputWidget}}


class StandingRows(PlaceRows):
    """The places as they are: the deployment stays what it is, everything else can be changed."""

    verbose_name_plural = "places, in the order of trying"
    fields = ("position", "what", "pinned", "enabled", "why")
    readonly_fields = ("what",)
    ordering = ("position", "id")
    extra = 0

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("pool", "deployment__provider")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="deployment")
    def what(self, placement: Placement) -> str:
        return placement.deployment.name


class OncePerPool(Formset):
    """A form of an inline does not know its pool, so the set says what the database would refuse."""

    def clean(self) -> None:
        super().clean()
        taken = set(self.instance.placements.values_list("deployment", flat=True)) if self.instance.pk else set()
        for form in self.forms:
            deployment = form.cleaned_data.get("deployment") if form.is_valid() else None
            if deployment and deployment.pk in taken:
                form.add_error("deployment", "This deployment already has a place in the pool.")
            elif deployment:
                taken.add(deployment.pk)


class NewRows(PlaceRows):
    """Places to add."""

    formset = OncePerPool
    verbose_name_plural = "new places"
    fields = ("position", "deployment", "pinned", "enabled", "why")
    autocomplete_fields = ("deployment",)
    extra = 1
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).none()


@admin.register(Pool)
class PoolAdmin(Audited):
    inlines = (StandingRows, NewRows)
    list_display = ("name", "label", "strategy", "preset", "places", "version")
    list_filter = ("strategy", "preset")
    search_fields = ("name", "label")
    readonly_fields = ("version",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(placed=Count("placements"))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if change and (form.has_changed() or any(formset.has_changed() for formset in formsets)):
            form.instance.touch()

    @admin.display(description="places", ordering="placed")
    def places(self, pool: Any) -> int:
        return int(pool.placed)
