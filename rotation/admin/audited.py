"""The one place where what is done in the admin is written down, and the base of every page that only shows.

Django calls the hooks below for every door of the admin: forms, inlines, editable lists, actions, deletions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse

from rotation.json_form import JsonField
from rotation.models import AuditEvent, Door
from rotation.models.audit import changed, picture
from rotation.models.columns import storable

Picture = dict[str, Any]

if TYPE_CHECKING:
    Page = admin.ModelAdmin[Any]
    Rows = admin.TabularInline[Any, Any]
    Form = forms.ModelForm[Any]
    Formset = forms.BaseInlineFormSet[Any, Any, Any]
else:
    Page, Rows, Form, Formset = admin.ModelAdmin, admin.TabularInline, forms.ModelForm, forms.BaseInlineFormSet


class Json(JsonField):
    """What cannot be stored is said before it is shown again: half a character cannot even be sent to a browser."""

    default_validators = [storable]

    def prepare_value(self, value: Any) -> Any:
        text = super().prepare_value(value)
        return text.encode(errors="backslashreplace").decode() if isinstance(text, str) else text

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Django takes an untouched {} for a change."""
        try:
            return bool((self.to_python(data) or {}) != (initial or {}))
        except forms.ValidationError:
            return True


class Audited(Page):
    """Writes an audit event for every row that is added, changed or deleted, with what it was and what it is."""

    formfield_overrides: ClassVar[Any] = {
        models.JSONField: {"form_class": Json, "widget": AdminTextareaWidget(attrs={"rows": 4})},
        models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 3})},
    }

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            remembered(request)[_name(obj)] = _stored(obj)
        super().save_model(request, obj, form, change)

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        record(request, "add", obj, None, picture(obj))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        record(request, "change", obj, remembered(request).pop(_name(obj), {}), picture(obj))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[models.Model]) -> Any:
        for obj in queryset:
            record(request, "delete", obj, picture(obj), None)
        return super().log_deletions(request, queryset)  # type: ignore[arg-type]  # Django passes a list here as well

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Groups and permissions are no columns: who gets a role here would be written down nowhere."""
        before = ties(form.instance)
        super().save_related(request, form, formsets, change)
        record(request, "change", form.instance, before, ties(form.instance))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        before = {row.instance.pk: _stored(row.instance) for row in formset.initial_forms if row.has_changed()}
        for row in formset.deleted_forms:
            if row.instance.pk:
                record(request, "delete", row.instance, before.get(row.instance.pk), None)
        super().save_formset(request, form, formset, change)
        for obj in formset.new_objects:
            record(request, "add", obj, None, picture(obj))
        for obj, _ in formset.changed_objects:
            record(request, "change", obj, before.get(obj.pk), picture(obj))

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any) -> HttpResponse | None:
        """An action changes rows behind every other hook's back: look before, look after."""
        action = request.POST.get("action", "")
        if action == "delete_selected":  # says so itself
            return super().response_action(request, queryset, *args)
        everywhere = request.POST.get("select_across") == "1"
        chosen = queryset.values("pk") if everywhere else request.POST.getlist(ACTION_CHECKBOX_NAME)
        rows: models.QuerySet[Any] = models.QuerySet(self.model)
        with transaction.atomic():
            before = [(obj, picture(obj)) for obj in rows.filter(pk__in=chosen).select_for_update()]
            response = super().response_action(request, queryset, *args)
            after = {obj.pk: picture(obj) for obj in rows.filter(pk__in=[obj.pk for obj, _ in before])}
            for obj, then in before:
                record(request, action, obj, then, after.get(obj.pk))
        return response


class ReadOnly(Audited):
    """A page that shows. Rows are written by the engine; actions may still act on them."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def record(request: HttpRequest, action: str, obj: models.Model, before: Picture | None, after: Picture | None) -> None:
    """Write down what differs; nothing when nothing does."""
    if before is not None and after is not None:
        before, after = changed(before, after)
        if not before and not after:
            return
    actor = request.user.get_username()
    AuditEvent.objects.record(actor, action, obj, before=before, after=after, door=Door.ADMIN)


def remembered(request: HttpRequest) -> dict[tuple[str, Any], Picture]:
    """What rows were when this request found them."""
    if not hasattr(request, "found"):
        request.found = {}  # type: ignore[attr-defined]  # a request carries what belongs to it
    return request.found  # type: ignore[attr-defined,no-any-return]


def ties(obj: models.Model) -> Picture:
    """What a row is tied to by many-to-many relations, by name."""
    tied = obj._meta.many_to_many if obj.pk else ()
    return {field.name: sorted(str(one) for one in getattr(obj, field.name).all()) for field in tied}


def _name(obj: models.Model) -> tuple[str, Any]:
    return obj._meta.label, obj.pk


def _stored(obj: models.Model) -> Picture:
    row = models.QuerySet(type(obj)).filter(pk=obj.pk).first()
    return picture(row) if row else {}
