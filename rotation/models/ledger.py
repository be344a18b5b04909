"""Calls and attempts as rows. Both tables are partitioned by day and made in SQL (`rotation.partitions` keeps them).

Append-only, without foreign keys: a provider may go while its history stays. Written by the ledger (COPY), read by
`at` (newest first: order by `-at, -id`), by id, and by what the request log filters on.
"""

from __future__ import annotations

from django.db import models

from rotation.models import columns


class CallOutcome(models.TextChoices):
    ANSWERED = "answered"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Request(models.Model):
    """One call of a client. Times are milliseconds; `lost_ms` went by in attempts that failed."""

    pk = models.CompositePrimaryKey("at", "id")
    at = models.DateTimeField()
    id = models.UUIDField()
    client_key_id = models.IntegerField(null=True)
    operation = models.TextField()
    asked = models.TextField()
    pool = models.TextField()
    stream = models.BooleanField()
    status = models.SmallIntegerField()
    outcome = models.TextField(choices=CallOutcome.choices)
    failure_kind = models.TextField(null=True)
    provider_id = models.IntegerField(null=True)
    deployment_id = models.IntegerField(null=True)
    key_id = models.IntegerField(null=True)
    model = models.TextField()
    attempts = models.SmallIntegerField()
    queue_ms = models.FloatField()
    first_ms = models.FloatField(null=True)
    total_ms = models.FloatField()
    lost_ms = models.FloatField()
    tokens_in = models.IntegerField()
    tokens_out = models.IntegerField()
    usage_estimated = models.BooleanField()
    cost = columns.usd(null=True)
    simulated = models.BooleanField()
    error = models.TextField()
    trace = models.JSONField(help_text="The candidates with their state and why, as the call saw them.")
    needs = models.JSONField(default=dict, help_text="What it asked of a model: numbers and flags, never its text.")
    policy = models.JSONField(default=dict, help_text="Version and strategy it was chosen by, and from whom.")
    internal = models.BooleanField(default=False, help_text="Asked by one of Rotation's own jobs.")

    class Meta:
        managed = False
        db_table = "rotation_request"

    def __str__(self) -> str:
        return f"{self.id} {self.asked} -> {self.outcome}"


class Attempt(models.Model):
    """One try at one target. `outcome` is "ok" or a failure kind; `start_ms` counts from the start of the call."""

    pk = models.CompositePrimaryKey("at", "id")
    at = models.DateTimeField()
    id = models.UUIDField()
    request_id = models.UUIDField()
    n = models.SmallIntegerField()
    provider_id = models.IntegerField()
    deployment_id = models.IntegerField()
    account_id = models.IntegerField()
    key_id = models.IntegerField()
    model = models.TextField()
    outcome = models.TextField()
    status = models.SmallIntegerField(null=True)
    blame = models.TextField(null=True)
    message = models.TextField()
    retry_after_s = models.FloatField(null=True)
    start_ms = models.FloatField()
    connect_ms = models.FloatField(null=True)
    first_ms = models.FloatField(null=True)
    total_ms = models.FloatField()
    tokens_in = models.IntegerField()
    tokens_out = models.IntegerField()
    cost = columns.usd(null=True)
    simulated = models.BooleanField()
    internal = models.BooleanField(default=False, help_text="Made for one of Rotation's own jobs.")

    class Meta:
        managed = False
        db_table = "rotation_attempt"

    def __str__(self) -> str:
        return f"{self.request_id} #{self.n} {self.model}: {self.outcome}"
