"""Client keys: made with a form, shown once, then known by their public part and tail."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from rotation import client_keys
from rotation.admin.audited import Audited, Form
from rotation.models import ClientKey, Pool

BUDGET = ("requests_per_minute", "daily_budget", "monthly_budget")


class ClientKeyForm(Form):
    pools = forms.MultipleChoiceField(
        required=False,
        choices=lambda: [(name, name) for name in Pool.objects.values_list("name", flat=True)],
        widget=forms.CheckboxSelectMultiple,
        help_text="What it may ask for; none ticked means all.",
    )

    class Meta:
        model = ClientKey
        fields = ("label", "enabled", "pools", *BUDGET, "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "pools" in self.fields and self.instance.pools:  # a pool that is gone stays ticked until somebody unticks it
            known = {name for name, _ in self.fields["pools"].choices}  # type: ignore[attr-defined]  # a choice field
            gone = [(name, f"{name} (gone)") for name in self.instance.pools if name not in known]
            self.fields["pools"].choices = [*self.fields["pools"].choices, *gone]  # type: ignore[attr-defined]

    def clean_expires_at(self) -> Any:
        moment = self.cleaned_data.get("expires_at")
        if moment and "expires_at" in self.changed_data and moment <= timezone.now():
            raise forms.ValidationError("This moment is past; to stop a key at once, disable it.")
        return moment


@admin.register(ClientKey)
class ClientKeyAdmin(Audited):
    form = ClientKeyForm
    list_display = ("label", "masked", "enabled", "internal", "pools", "expires_at", "last_used_at", "created_at")
    list_filter = ("enabled", "internal")
    search_fields = ("label", "prefix", "last4")
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ClientKey | None = None) -> Any:
        if obj is None:
            return ("label", "pools", *BUDGET, "expires_at")
        return ("label", "masked", "enabled", "pools", *BUDGET, "expires_at", "internal", "created_at", "last_used_at")

    def get_readonly_fields(self, request: HttpRequest, obj: ClientKey | None = None) -> tuple[str, ...]:
        return ("masked", "internal", "created_at", "last_used_at") if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: ClientKey | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.internal)

    def has_delete_permission(self, request: HttpRequest, obj: ClientKey | None = None) -> bool:
        return False  # a revoked key stays in the list: the calls it made are still in the books

    @admin.display(description="key", ordering="prefix")
    def masked(self, key: ClientKey) -> str:
        return key.masked

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            request.new_key = client_keys.cut(obj)  # type: ignore[attr-defined]  # for the page that shows it
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: ClientKey, post_url_continue: str | None = None) -> HttpResponse:
        """The one page that shows the key: not a redirect, so that it is kept in no cookie and no session."""
        context = {
            **self.admin_site.each_context(request),
            "title": "New client key",
            "opts": self.opts,
            "key": obj,
            "plain": request.new_key,  # type: ignore[attr-defined]  # set in save_model
        }
        response = TemplateResponse(request, "rotation/admin/new_client_key.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: models.QuerySet[ClientKey]) -> None:
        revoked = queryset.filter(internal=False).update(enabled=False)
        self.message_user(request, f"{revoked} revoked: refused within seconds.")
