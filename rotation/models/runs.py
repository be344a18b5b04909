"""What runs by itself, as rows: journal files read, jobs, reordering. Discovery has a file of its own."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from rotation.models import columns
from rotation.models.pools import Pool


class JournalFile(models.Model):
    """How far the ledger has read a journal file. `offset` is in bytes, and moves in the transaction of its rows."""

    name = models.CharField(max_length=200, unique=True)
    offset = models.BigIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} @ {self.offset}"


class RunState(models.TextChoices):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class JobRun(models.Model):
    """One job in one slot of its schedule. The unique pair is what keeps two schedulers from doing it twice."""

    job = models.CharField(max_length=80)
    slot = models.DateTimeField()
    state = models.CharField(max_length=20, choices=RunState.choices, default=RunState.RUNNING)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    summary = models.TextField(blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-slot", "job"]
        constraints = [
            models.UniqueConstraint(fields=["job", "slot"], name="job_once_per_slot"),
            columns.one_of("state", RunState, "jobrun_state"),
        ]
        indexes = [models.Index(fields=["-slot", "job"], name="jobrun_latest")]

    def __str__(self) -> str:
        return f"{self.job} at {self.slot:%Y-%m-%d %H:%M}: {self.state}"


class ReorderingState(models.TextChoices):
    PROPOSED = "proposed"
    HELD = "held"  # a person wants to wait
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    APPLIED = "applied"  # and watched until `watch_until`
    KEPT = "kept"
    UNDONE = "undone"
    ROLLED_BACK = "rolled_back", "rolled back"


class Reordering(models.Model):
    """One proposed or applied new order of a pool, with the evidence. Not applied yet while `applied_at` is empty."""

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="reorderings")
    at = models.DateTimeField(default=timezone.now)
    before = models.JSONField(default=list)
    after = models.JSONField(default=list)
    evidence = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True)
    state = models.CharField(max_length=20, choices=ReorderingState.choices, default=ReorderingState.PROPOSED)
    confidence = models.FloatField(null=True, blank=True, help_text="Of the least certain swap, 0..1.")
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    watch_until = models.DateTimeField(null=True, blank=True)
    watched = models.JSONField(default=dict, blank=True, help_text="What was measured while it was watched.")
    applied_by = models.CharField(max_length=150, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["pool", "-at"], name="reordering_latest")]
        constraints = [columns.one_of("state", ReorderingState, "reordering_state")]

    def __str__(self) -> str:
        return f"{self.pool} at {self.at:%Y-%m-%d %H:%M}: {self.standing}"

    @property
    def standing(self) -> str:
        return ReorderingState(self.state).label.lower()
