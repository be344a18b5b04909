"""What a batch adds to the roll-ups: rows added up per minute, then per hour and per day.

Pure: rows in, sums out. The same sums can be had from the tables with SQL at any time; a test holds both equal.
Attempts are added up per deployment and key and by kind, calls per pool and per client key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from rotation.core.failures import TABLE, Consequence, FailureKind
from rotation.core.stats import BUCKETS, bucket_of
from rotation.ledger.rows import AttemptRow, RequestRow

ZERO = Decimal(0)
FAILED = {k for k, row in TABLE.items() if row.consequence in {Consequence.COUNT, Consequence.COUNT_PROVIDER}}
LIMITED = {FailureKind.RATE_LIMITED, FailureKind.QUOTA_DAY, FailureKind.UPSTREAM_BUSY}


class Level(StrEnum):
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


def start_of(at: datetime, level: Level) -> datetime:
    """The start of the minute, hour or day (UTC) `at` lies in."""
    if level is Level.MINUTE:
        return at.replace(second=0, microsecond=0)
    if level is Level.HOUR:
        return at.replace(minute=0, second=0, microsecond=0)
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def column_of(outcome: str) -> str:
    """Which count an attempt's outcome falls in: ok, rate_limited, failed (countable), cancelled or refused."""
    if outcome == "ok":
        return "ok"
    if outcome == FailureKind.CANCELLED:
        return "cancelled"
    if outcome in LIMITED:
        return "rate_limited"
    return "failed" if outcome in FAILED else "refused"


COLUMN_OF = {outcome: column_of(outcome) for outcome in ("ok", *FailureKind)}


@dataclass(slots=True)
class Sum:
    """Counts of one bucket, tokens, USD, and histograms as sparse counts by bucket number."""

    counts: Counter[str] = field(default_factory=Counter)
    cost: Decimal = ZERO
    sum_ms: float = 0.0
    first: Counter[int] = field(default_factory=Counter)
    total: Counter[int] = field(default_factory=Counter)
    lost: Counter[int] = field(default_factory=Counter)

    def add(self, other: Sum) -> None:
        self.counts.update(other.counts)
        self.cost += other.cost
        self.sum_ms += other.sum_ms
        self.first.update(other.first)
        self.total.update(other.total)
        self.lost.update(other.lost)


Key = tuple[datetime, *tuple[Any, ...]]  # start of the bucket, then what it is kept for
Sums = dict[Key, Sum]


def attempt_sums(rows: Iterable[AttemptRow]) -> Sums:
    """By (minute, deployment, key, simulated): counts by outcome; times only of good attempts.

    Those of Rotation's own jobs are left out, here and everywhere below but in what each client key used: a
    verification asks for what may well fail, and says nothing of how clients are served.
    """
    sums: Sums = {}
    for row in rows:
        if row.internal:
            continue
        key = (start_of(row.at, Level.MINUTE), row.deployment_id, row.key_id, row.simulated)
        total = sums.get(key) or sums.setdefault(key, Sum())
        total.counts["attempts"] += 1
        total.counts[COLUMN_OF.get(row.outcome, "refused")] += 1
        total.counts["tokens_in"] += row.tokens_in
        total.counts["tokens_out"] += row.tokens_out
        total.cost += row.cost or ZERO
        if row.outcome == "ok":
            total.sum_ms += row.total_ms
            total.total[bucket_of(row.total_ms)] += 1
            if row.first_ms is not None:
                total.first[bucket_of(row.first_ms)] += 1
    return sums


def call_column(row: RequestRow) -> str:
    """first_try or rotated for an answered call, else its outcome; an unknown outcome counts as failed."""
    if row.outcome == "answered":
        return "rotated" if row.attempts > 1 else "first_try"
    return row.outcome if row.outcome in {"refused", "cancelled", "interrupted"} else "failed"


def call_sums(rows: Iterable[RequestRow]) -> Sums:
    """By (minute, pool, simulated): counts by outcome; `total` of answered calls, `lost` of rotated ones."""
    sums: Sums = {}
    for row in rows:
        if row.internal:
            continue
        key = (start_of(row.at, Level.MINUTE), row.pool, row.simulated)
        total = sums.get(key) or sums.setdefault(key, Sum())
        column = call_column(row)
        total.counts["calls"] += 1
        total.counts[column] += 1
        total.counts["attempts"] += row.attempts
        total.counts["tokens_in"] += row.tokens_in
        total.counts["tokens_out"] += row.tokens_out
        total.cost += row.cost or ZERO
        if row.outcome == "answered":
            total.total[bucket_of(row.total_ms)] += 1
        if column == "rotated":
            total.lost[bucket_of(row.lost_ms)] += 1
    return sums


def client_sums(rows: Iterable[RequestRow]) -> Sums:
    """By (day, client key, simulated): calls, how many were answered, tokens and USD."""
    sums: Sums = {}
    for row in rows:
        if row.client_key_id is None:
            continue
        key = (start_of(row.at, Level.DAY), row.client_key_id, row.simulated)
        total = sums.get(key) or sums.setdefault(key, Sum())
        total.counts["calls"] += 1
        total.counts["answered"] += row.outcome == "answered"
        total.counts["tokens_in"] += row.tokens_in
        total.counts["tokens_out"] += row.tokens_out
        total.cost += row.cost or ZERO
    return sums


def kind_sums(rows: Iterable[AttemptRow]) -> Sums:
    """By (day, deployment, outcome): attempts."""
    sums: Sums = {}
    for row in rows:
        if row.internal:
            continue
        key = (start_of(row.at, Level.DAY), row.deployment_id, row.outcome)
        (sums.get(key) or sums.setdefault(key, Sum())).counts["attempts"] += 1
    return sums


def coarser(sums: Sums, level: Level) -> Sums:
    """The same sums per hour or per day."""
    wider: Sums = {}
    for (start, *rest), total in sums.items():
        wider.setdefault((start_of(start, level), *rest), Sum()).add(total)
    return wider


def full(histogram: Counter[int]) -> list[int]:
    """A sparse histogram as the whole array of BUCKETS counts; [] for an empty one, which adds nothing."""
    if not histogram:
        return []
    counts = [0] * BUCKETS
    for bucket, many in histogram.items():
        counts[bucket] = many
    return counts
