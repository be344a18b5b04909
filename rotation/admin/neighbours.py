"""Pages of other apps, made to fit: their changes are audited too, and no inline script breaks the content policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from rotation.admin.audited import Audited

if TYPE_CHECKING:
    Users = UserAdmin[User]
else:
    Users = UserAdmin


class AuditedUserAdmin(Audited, Users):
    pass


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
