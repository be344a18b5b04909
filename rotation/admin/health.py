"""What the gateway has learnt: limits, cooldowns, breakers, trips. To read, and to lift."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from rotation.admin.audited import ReadOnly
from rotation.models import BreakerState, Cooldown, LearnedLimit, Trip
from rotation.models.health import Breaker
from rotation.models.scopes import in_words


class Scoped(ReadOnly):
    """A list of scopes, each in words, with two or three more queries for the whole page."""

    search_fields: ClassVar[tuple[str, ...]] = ("scope",)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        page = super().get_changelist_instance(request)
        words = in_words(row.scope for row in page.result_list)
        for row in page.result_list:
            row.in_words = words[row.scope]
        return page

    @admin.display(description="about")
    def about(self, row: Any) -> str:
        return str(getattr(row, "in_words", None) or in_words([row.scope])[row.scope])


class Liftable(Scoped):
    actions: tuple[str, ...] = ("lift",)

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(f"rotation.change_{self.opts.model_name}"))

    @admin.action(description="Lift now, here and in the gateway", permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        rows = list(queryset)
        for row in rows:
            row.lift()
        self.message_user(request, f"{len(rows)} lifted.")


@admin.register(LearnedLimit)
class LearnedLimitAdmin(Liftable):
    list_display = ("scope", "about", "axis", "limit", "window_s", "source", "seen_at")
    list_filter = ("axis", "source")
    fields = ("scope", "about", "axis", "limit", "window_s", "source", "seen_at")


@admin.register(Cooldown)
class CooldownAdmin(Liftable):
    list_display = ("scope", "about", "cooling", "until", "kind", "reason")
    list_filter = ("kind",)
    fields = ("scope", "about", "cooling", "until", "kind", "reason", "set_at")

    @admin.display(boolean=True, description="cooling now")
    def cooling(self, cooldown: Cooldown) -> bool:
        return cooldown.cooling


@admin.register(BreakerState)
class BreakerStateAdmin(Liftable):
    actions: tuple[str, ...] = ("lift", "force_open", "switch_off")
    list_display = ("scope", "about", "state", "until", "opens", "changed_at")
    list_filter = ("state",)
    fields = ("scope", "about", "state", "until", "opens", "changed_at")

    @admin.action(description="Force open (nothing is sent there)", permissions=["lift"])
    def force_open(self, request: HttpRequest, queryset: models.QuerySet[BreakerState]) -> None:
        self._set(request, queryset, Breaker.FORCED_OPEN)

    @admin.action(description="Switch off (failures no longer open it)", permissions=["lift"])
    def switch_off(self, request: HttpRequest, queryset: models.QuerySet[BreakerState]) -> None:
        self._set(request, queryset, Breaker.DISABLED)

    def _set(self, request: HttpRequest, queryset: models.QuerySet[BreakerState], state: Breaker) -> None:
        rows = list(queryset)
        for row in rows:
            row.set_to(state)
        self.message_user(request, f"{len(rows)} set to {state.label}.")


@admin.register(Trip)
class TripAdmin(Scoped):
    list_display = ("at", "scope", "about", "before", "after", "reason")
    list_filter = ("after",)
    search_fields = ("scope", "reason")
    fields = ("at", "scope", "about", "before", "after", "reason", "request_id")
