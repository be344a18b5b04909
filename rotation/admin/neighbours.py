"""Pages of other apps, made to fit: their changes are audited too, and no inline script breaks the content policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from rotation import client_keys
from rotation.admin.audited import Audited
from rotation.control import people

if TYPE_CHECKING:
    Users = UserAdmin[User]
else:
    Users = UserAdmin


class UserForm(UserChangeForm):  # type: ignore[type-arg]  # Django has no subscript for it at run time
    """There is always an admin who can come in, whatever the door."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not (cleaned.get("is_active") and cleaned.get("is_superuser")):
            people.keep_an_admin([self.instance], "is_superuser")
        return cleaned


class AuditedUserAdmin(Audited, Users):
    form = UserForm

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            client_keys.end_playground(obj.pk)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """With the last admin among them nothing can be deleted."""
        shown, counts, perms, protected = super().get_deleted_objects(objs, request)
        try:
            people.keep_an_admin(list(objs), "username")
        except ValidationError as wrong:
            protected = [*protected, *wrong.messages]
        return shown, counts, perms, protected

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        client_keys.end_playground(obj.pk)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for obj in queryset:
            client_keys.end_playground(obj.pk)
        super().delete_queryset(request, queryset)


class AuditedGroupAdmin(Audited, GroupAdmin):
    pass


class ScheduleAdmin(Audited, beat.PeriodicTaskAdmin):  # type: ignore[misc]  # the package has no types
    """Without the translation of crontabs, which the package does in an inline script."""

    change_form_template = "admin/change_form.html"
    list_select_related = ("interval", "crontab", "solar", "clocked")
    fieldsets: ClassVar[Any] = tuple(
        (name, {**options, "fields": tuple(f for f in options["fields"] if f != "crontab_translation")})
        for name, options in beat.PeriodicTaskAdmin.fieldsets
    )
    readonly_fields = ("last_run_at",)


class ClockedAdmin(Audited, beat.ClockedScheduleAdmin):  # type: ignore[misc]  # the package has no types
    pass


class CrontabAdmin(Audited, beat.CrontabScheduleAdmin):  # type: ignore[misc]  # the package has no types
    pass


class PlainScheduleAdmin(Audited, beat.ScheduleAdmin):  # type: ignore[misc]  # the package has no types
    pass


PAGES: dict[Any, type[admin.ModelAdmin[Any]]] = {
    User: AuditedUserAdmin,
    Group: AuditedGroupAdmin,
    PeriodicTask: ScheduleAdmin,
    ClockedSchedule: ClockedAdmin,
    CrontabSchedule: CrontabAdmin,
    IntervalSchedule: PlainScheduleAdmin,
    SolarSchedule: PlainScheduleAdmin,
}
for model, page in PAGES.items():
    if admin.site.is_registered(model):
        admin.site.unregister(model)
    admin.site.register(model, page)
