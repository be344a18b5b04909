"""Roll-ups: what dashboards read instead of raw rows. Attempts per deployment and key, calls per pool.

One row per bucket of time and group; its natural key is its primary key, so that the ledger can add to it with
ON CONFLICT. Histograms have the log buckets of `rotation.core.stats`, and add up bucket by bucket.
"""

from __future__ import annotations

from django.db import models

from rotation.models import columns


class AttemptStat(models.Model):
    """Attempts of one deployment through one key in one bucket.

    `failed` are countable failures, `refused` is everything else; histograms and `sum_ms` are of OK attempts.
    """

    pk = models.CompositePrimaryKey("at", "deployment_id", "key_id")
    at = models.DateTimeField(help_text="Start of the bucket.")
    deployment_id = models.BigIntegerField()
    key_id = models.BigIntegerField()
    simulated = models.BooleanField(default=False, db_default=False)
    attempts = columns.count()
    ok = columns.count()
    rate_limited = columns.count()
    failed = columns.count()
    refused = columns.count()
    cancelled = columns.count()
    tokens_in = columns.big_count()
    tokens_out = columns.big_count()
    cost = columns.usd_sum()
    sum_ms = models.FloatField(default=0, db_default=0)
    first_hist = columns.histogram()
    total_hist = columns.histogram()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} deployment {self.deployment_id}: {self.ok}/{self.attempts}"


class MinuteStat(AttemptStat):
    class Meta:
        indexes = [models.Index(fields=["deployment_id", "at"], name="minutestat_by_deployment")]


class HourStat(AttemptStat):
    class Meta:
        indexes = [models.Index(fields=["deployment_id", "at"], name="hourstat_by_deployment")]


class DayStat(AttemptStat):
    class Meta:
        indexes = [models.Index(fields=["deployment_id", "at"], name="daystat_by_deployment")]


class CallStat(models.Model):
    """Calls of one pool in one bucket. `rotated` were answered after more than one attempt, `lost_hist` is of those."""

    pk = models.CompositePrimaryKey("at", "pool", "simulated")
    at = models.DateTimeField(help_text="Start of the bucket.")
    pool = models.TextField()
    simulated = models.BooleanField()
    calls = columns.count()
    first_try = columns.count()
    rotated = columns.count()
    failed = columns.count()
    refused = columns.count()
    cancelled = columns.count()
    interrupted = columns.count()
    attempts = columns.count()
    tokens_in = columns.big_count()
    tokens_out = columns.big_count()
    cost = columns.usd_sum()
    total_hist = columns.histogram()
    lost_hist = columns.histogram()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.pool}: {self.calls} calls"


class CallMinute(CallStat):
    pass


class CallHour(CallStat):
    pass


class CallDay(CallStat):
    pass


class ClientDay(models.Model):
    """Calls of one client key on one UTC day: what its budget is held against."""

    pk = models.CompositePrimaryKey("at", "client_key_id", "simulated")
    at = models.DateTimeField(help_text="Start of the day.")
    client_key_id = models.BigIntegerField()
    simulated = models.BooleanField()
    calls = columns.count()
    answered = columns.count()
    tokens_in = columns.big_count()
    tokens_out = columns.big_count()
    cost = columns.usd_sum()

    class Meta:
        indexes = [models.Index(fields=["client_key_id", "at"], name="clientday_by_client")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d} client key {self.client_key_id}: {self.calls} calls"


class KindDay(models.Model):
    """Attempts of one deployment on one UTC day by outcome: "ok" or a failure kind."""

    pk = models.CompositePrimaryKey("at", "deployment_id", "kind")
    at = models.DateTimeField(help_text="Start of the day.")
    deployment_id = models.BigIntegerField()
    kind = models.TextField()
    attempts = columns.count()

    class Meta:
        indexes = [models.Index(fields=["deployment_id", "at"], name="kindday_by_deployment")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d} deployment {self.deployment_id} {self.kind}: {self.attempts}"
