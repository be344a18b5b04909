"""What the gateway has learnt, as rows: limits, cooldowns, breaker states, trips.

Health itself lives in the gateway's memory; these rows are written from its journal, shown, and read again at the
next start. Lifting one from outside therefore also tells the gateway, on the channel `rotation_health`.
"""

from __future__ import annotations

import json
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from rotation.models import columns

CHANNEL = "rotation_health"


def tell_gateway(what: str, scope: str, **more: Any) -> None:
    """NOTIFY the gateway when this transaction commits: {"what": "cooldown", "scope": "key:12", ...}."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, json.dumps({"what": what, "scope": scope, **more})])


class LearnedLimit(models.Model):
    """A limit a provider told us about: so many of an axis (requests, tokens, audio_seconds) in a window."""

    scope = models.CharField(max_length=120)
    axis = models.CharField(max_length=40)
    limit = models.FloatField()
    window_s = models.FloatField("window (s)")
    source = models.CharField(max_length=40, blank=True)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["scope", "axis", "window_s"]
        constraints = [models.UniqueConstraint(fields=["scope", "axis", "window_s"], name="limit_once_per_window")]

    def __str__(self) -> str:
        return f"{self.scope}: {self.limit:g} {self.axis} in {self.window_s:g} s"

    @transaction.atomic
    def lift(self) -> None:
        """Forget it, here and in the gateway; it may be learnt again."""
        tell_gateway("limit", self.scope, axis=self.axis, window=self.window_s)
        self.delete()


class Cooldown(models.Model):
    """A scope that is left alone until a moment, and why."""

    scope = models.CharField(max_length=120, unique=True)
    until = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=40, blank=True)
    reason = models.TextField(blank=True)
    set_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-until"]

    def __str__(self) -> str:
        return f"{self.scope} until {self.until:%Y-%m-%d %H:%M:%S} UTC"

    @property
    def cooling(self) -> bool:
        return self.until > timezone.now()

    @transaction.atomic
    def lift(self) -> None:
        """End it now, here and in the gateway."""
        self.until = timezone.now()
        self.save(update_fields=["until"])
        tell_gateway("cooldown", self.scope)


class Breaker(models.TextChoices):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open", "half-open"
    FORCED_OPEN = "forced_open", "forced open"
    DISABLED = "disabled"


class BreakerState(models.Model):
    """Where a scope's breaker stands. A scope without a row is closed."""

    scope = models.CharField(max_length=120, unique=True)
    state = models.CharField(max_length=20, choices=Breaker.choices, default=Breaker.CLOSED)
    until = models.DateTimeField(null=True, blank=True)
    opens = models.IntegerField(default=0, help_text="How often it has opened in a row.")
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-changed_at"]
        constraints = [columns.one_of("state", Breaker, "breaker_state")]

    def __str__(self) -> str:
        return f"{self.scope}: {self.get_state_display()}"

    @transaction.atomic
    def set_to(self, state: Breaker) -> None:
        """An operator's word, here and in the gateway (whose journal then brings the trip)."""
        self.state, self.until, self.opens, self.changed_at = state, None, 0, timezone.now()
        self.save()
        tell_gateway("breaker", self.scope, state=state.value, at=self.changed_at.timestamp())

    def lift(self) -> None:
        """Back to normal: closed, with nothing held against it."""
        self.set_to(Breaker.CLOSED)


class Trip(models.Model):
    """One change of a breaker, with its reason. Append-only."""

    at = models.DateTimeField(default=timezone.now)
    scope = models.CharField(max_length=120)
    before = models.CharField(max_length=20)
    after = models.CharField(max_length=20)
    reason = models.TextField(blank=True)
    request_id = models.UUIDField(null=True, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="trip_latest"),
            models.Index(fields=["scope", "-at"], name="trip_by_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.scope}: {self.before} -> {self.after}"
