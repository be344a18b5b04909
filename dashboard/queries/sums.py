"""Adding up roll-ups in SQL: counters, and histograms bucket by bucket.

One `sum` per bucket is the quickest way Postgres has: 12 ms for 5,400 rows of 140 buckets, where unnest takes 45 and
adding in Python 40.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from dashboard.span import Grain
from rotation.core.stats import BUCKETS
from rotation.models import AttemptStat, CallDay, CallHour, CallMinute, CallStat, DayStat, HourStat, MinuteStat

CALLS: dict[Grain, type[CallStat]] = {Grain.MINUTE: CallMinute, Grain.HOUR: CallHour, Grain.DAY: CallDay}
ATTEMPTS: dict[Grain, type[AttemptStat]] = {Grain.MINUTE: MinuteStat, Grain.HOUR: HourStat, Grain.DAY: DayStat}


def counters(*columns: str) -> str:
    return ", ".join(f"coalesce(sum({column}), 0)" for column in columns)


def histogram(column: str) -> str:
    """An array of BUCKETS sums; rows with an empty histogram add nothing."""
    return f"array[{', '.join(f'coalesce(sum({column}[{n}]), 0)' for n in range(1, BUCKETS + 1))}]"


def fetch(sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
