"""Discovery as rows: looks at listings and what changed in them, verification and its verdicts, the steps of a life."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from rotation.models import columns
from rotation.models.catalog import Deployment, Provider
from rotation.models.pools import Pool
from rotation.models.runs import RunState


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


class VerificationRun(models.Model):
    """One verification of some deployments. Its tasks are rows of their own, so that it goes on after any end."""

    started_by = models.CharField(max_length=150)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=20, choices=RunState.choices, default=RunState.RUNNING)
    about = models.CharField(max_length=300, blank=True, help_text="What it was asked to verify, in words.")
    summary = models.TextField(blank=True)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [columns.one_of("state", RunState, "verificationrun_state")]

    def __str__(self) -> str:
        return f"verification {self.pk} of {self.about}: {self.state}"


class TaskState(models.TextChoices):
    WAITING = "waiting"
    UNDER_WAY = "under_way", "under way"
    DONE = "done"
    CANCELLED = "cancelled"


class VerificationTask(models.Model):
    """One trial of one capability of one deployment. Claimed with SKIP LOCKED; asked not before `due_at`."""

    run = models.ForeignKey(VerificationRun, on_delete=models.CASCADE, related_name="tasks")
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="verification_tasks")
    capability = models.CharField(max_length=60)
    trial = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=20, choices=TaskState.choices, default=TaskState.WAITING)
    due_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    asked = models.PositiveIntegerField(default=0, help_text="How often it was put to the model.")
    verdict = models.CharField(max_length=20, choices=Verdict.choices, blank=True)
    score = models.FloatField(null=True, blank=True)
    cause = models.CharField(max_length=40, blank=True)
    detail = models.TextField(blank=True)
    request_id = models.UUIDField(null=True, blank=True)
    latency_ms = models.FloatField(null=True, blank=True)
    first_ms = models.FloatField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["run", "id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "deployment", "capability", "trial"], name="task_once_per_run"),
            models.UniqueConstraint(
                fields=["deployment", "capability", "trial"],
                condition=models.Q(state__in=["waiting", "under_way"]),
                name="task_open_once",
            ),
            columns.one_of("state", TaskState, "task_state"),
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="task_due")]

    def __str__(self) -> str:
        return f"{self.deployment} {self.capability} #{self.trial}: {self.state}"


class Verification(models.Model):
    """What a deployment was seen to be able to do, by trying: one capability's verdict of one run.

    `score` is 0..5, the mean over `trials`; `low` and `high` are its 95 % interval on the same scale.
    """

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="verifications")
    run = models.ForeignKey(VerificationRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="verdicts")
    capability = models.CharField(max_length=60)
    verdict = models.CharField(max_length=20, choices=Verdict.choices)
    score = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    trials = models.IntegerField(default=0)
    latency_ms = models.FloatField(null=True, blank=True)
    first_ms = models.FloatField(null=True, blank=True)
    cause = models.CharField(max_length=40, blank=True, help_text="The root cause of a failure, one word of a table.")
    reason = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [columns.one_of("verdict", Verdict, "verification_verdict")]
        indexes = [models.Index(fields=["deployment", "capability", "-at"], name="verification_latest")]

    def __str__(self) -> str:
        return f"{self.deployment} {self.capability}: {self.get_verdict_display()}"


class Step(models.TextChoices):
    """A step of a deployment's life, of which some happen in a pool."""

    LISTED = "listed"
    CANDIDATE = "candidate"
    VERIFIED = "verified"
    INCOMPATIBLE = "incompatible"
    CANARY = "canary"
    PLACED = "placed"
    DEMOTED = "demoted"
    GONE = "gone"
    BACK = "back"
    ARCHIVED = "archived"


class StepState(models.TextChoices):
    PROPOSED = "proposed"
    TAKEN = "taken"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


class LifeStep(models.Model):
    """One step of a deployment's life, taken or proposed, with what it rests on. Append-only but for the decision."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="steps")
    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, null=True, blank=True, related_name="steps")
    step = models.CharField(max_length=20, choices=Step.choices)
    state = models.CharField(max_length=20, choices=StepState.choices, default=StepState.TAKEN)
    reason = models.TextField(blank=True)
    evidence = models.JSONField(default=dict, blank=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            columns.one_of("step", Step, "lifestep_step"),
            columns.one_of("state", StepState, "lifestep_state"),
        ]
        indexes = [
            models.Index(fields=["-at", "-id"], name="lifestep_latest"),
            models.Index(fields=["deployment", "-at"], name="lifestep_of_deployment"),
        ]

    def __str__(self) -> str:
        return f"{self.deployment}: {self.get_step_display()} ({self.get_state_display()})"
