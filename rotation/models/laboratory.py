"""The replay laboratory as rows: imported traces, replays and their results, the weekly report on regret."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from rotation.models import columns
from rotation.models.pools import Pool


class Trace(models.Model):
    """Recorded traffic from elsewhere, as imported. `body` is gzip over normalised CSV."""

    name = models.CharField(max_length=120, unique=True)
    calls = models.IntegerField(default=0)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    body = models.BinaryField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.calls} calls)"


class ReplayState(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Replay(models.Model):
    """Traffic (a window of the ledger, or a trace) run again under the present policy and a candidate."""

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="replays")
    trace = models.ForeignKey(Trace, on_delete=models.SET_NULL, null=True, blank=True, related_name="replays")
    since = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    candidate = models.JSONField(default=dict, help_text="The order and policy tried beside the present one.")
    seed = models.BigIntegerField(default=1)
    by = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=20, choices=ReplayState.choices, default=ReplayState.WAITING)
    progress = models.FloatField(default=0, help_text="0..1")
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [columns.one_of("state", ReplayState, "replay_state")]

    def __str__(self) -> str:
        return f"replay {self.pk} on {self.pool}: {self.state}"


class RegretReport(models.Model):
    """One pool, one week: how far its order was from the best fixed one in hindsight."""

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="regret_reports")
    week = models.DateField(help_text="The Monday (UTC) it begins on.")
    result = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-week", "pool"]
        constraints = [models.UniqueConstraint(fields=["pool", "week"], name="regret_once_per_week")]

    def __str__(self) -> str:
        return f"{self.pool}, week of {self.week}"
