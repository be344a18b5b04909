"""What an operator may do with a breaker: force it open, switch it off, set it back to normal.

On the pages of breakers themselves and on those of what they stand for, where there may be no row yet.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from rotation.admin.audited import Page, record
from rotation.models import BreakerState
from rotation.models.audit import picture
from rotation.models.health import Breaker

ACTIONS = ("force_open", "switch_off", "back_to_normal")


class HasBreaker(Page):
    """A page whose rows have a breaker; `breaker_of` is the first half of its scope."""

    breaker_of = ""

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("rotation.change_breakerstate"))

    @admin.action(description="Breaker: force open (nothing is sent there)", permissions=["operate"])
    def force_open(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        self._set(request, queryset, Breaker.FORCED_OPEN)

    @admin.action(description="Breaker: switch off (failures no longer open it)", permissions=["operate"])
    def switch_off(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        self._set(request, queryset, Breaker.DISABLED)

    @admin.action(description="Breaker: back to normal", permissions=["operate"])
    def back_to_normal(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        self._set(request, queryset, Breaker.CLOSED)

    def _set(self, request: HttpRequest, queryset: models.QuerySet[Any], state: Breaker) -> None:
        rows = list(queryset)
        for row in rows:
            breaker, _ = BreakerState.objects.get_or_create(scope=f"{self.breaker_of}:{row.pk}")
            before = picture(breaker)
            breaker.set_to(state)
            record(request, f"breaker {state.label}", breaker, before, picture(breaker))
        self.message_user(request, f"{len(rows)} set to {state.label}.")
