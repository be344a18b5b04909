"""What runs by itself, as rows: journal files read, jobs, discovery, verification, reordering."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from rotation.models import columns
from rotation.models.catalog import Deployment, Provider
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


class DiscoveryRun(models.Model):
    """One look at a provider's listing."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="discovery_runs")
    state = models.CharField(max_length=20, choices=RunState.choices, default=RunState.RUNNING)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    listed = models.IntegerField(default=0, help_text="Models in the listing.")
    changed = models.IntegerField(default=0, help_text="Changes found.")
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [columns.one_of("state", RunState, "discoveryrun_state")]
        indexes = [models.Index(fields=["provider", "-started_at"], name="discovery_latest")]

    def __str__(self) -> str:
        return f"{self.provider} at {self.started_at:%Y-%m-%d %H:%M}: {self.state}"


class Change(models.TextChoices):
    NEW = "new"
    VANISHED = "vanished"
    BACK = "back"
    PRICE = "price"
    FREE = "free"
    CONTEXT = "context"
    FEATURES = "features"
    EXPIRES = "expires"


class CatalogueChange(models.Model):
    """What a listing said that the one before did not."""

    run = models.ForeignKey(DiscoveryRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="changes")
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="catalogue_changes")
    model_id = models.CharField("model id", max_length=255)
    change = models.CharField(max_length=20, choices=Change.choices)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [columns.one_of("change", Change, "cataloguechange_change")]
        indexes = [
            models.Index(fields=["-at", "-id"], name="change_latest"),
            models.Index(fields=["provider", "model_id", "-at"], name="change_of_model"),
        ]

    def __str__(self) -> str:
        return f"{self.model_id}: {self.change}"


class Verdict(models.TextChoices):
    VERIFIED = "verified"
    INCOMPATIBLE = "incompatible"
    INCONCLUSIVE = "inconclusive"
    RATE_LIMITED = "rate_limited", "rate-limited"


class Verification(models.Model):
    """What a deployment was seen to be able to do, by trying. `score` is 0..1 over `trials`."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="verifications")
    capability = models.CharField(max_length=60)
    verdict = models.CharField(max_length=20, choices=Verdict.choices)
    score = models.FloatField(null=True, blank=True)
    trials = models.IntegerField(default=0)
    latency_ms = models.FloatField(null=True, blank=True)
    reason = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [columns.one_of("verdict", Verdict, "verification_verdict")]
        indexes = [models.Index(fields=["deployment", "capability", "-at"], name="verification_latest")]

    def __str__(self) -> str:
        return f"{self.deployment} {self.capability}: {self.get_verdict_display()}"


class Reordering(models.Model):
    """One proposed or applied new order of a pool, with the evidence. Not applied yet while `applied_at` is empty."""

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="reorderings")
    at = models.DateTimeField(default=timezone.now)
    before = models.JSONField(default=list)
    after = models.JSONField(default=list)
    evidence = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True)
    applied_by = models.CharField(max_length=150, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["pool", "-at"], name="reordering_latest")]

    def __str__(self) -> str:
        return f"{self.pool} at {self.at:%Y-%m-%d %H:%M}: {self.standing}"

    @property
    def standing(self) -> str:
        if self.undone_at:
            return "undone"
        return "applied" if self.applied_at else "proposed"
