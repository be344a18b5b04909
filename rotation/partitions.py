"""The daily partitions of calls and attempts: made ahead, dropped when old or when the store outgrows its budget.

A day that has no partition yet lands in the default one; `ensure` moves such rows out when it makes the day. What is
dropped is only the raw rows: the roll-ups of that time stay. Locks are asked for with a short timeout, so that upkeep
gives way to the ledger and not the other way round; the next run picks up what this one had to leave.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone
from psycopg import sql

TABLES = ("rotation_request", "rotation_attempt")
UPKEEP = 7_301_001  # advisory lock: one upkeep at a time
LOCK_TIMEOUT = "3s"


@dataclass(frozen=True, slots=True)
class Partition:
    """One day of one table, and the bytes it takes with its indexes."""

    table: str
    name: str
    day: dt.date
    size: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a pruning took away."""

    partitions: tuple[str, ...] = ()
    rows: int = 0
    freed: int = 0


def ensure(days_ahead: int = 7, *, now: dt.datetime | None = None) -> list[str]:
    """Make the partitions from today to `days_ahead` (and of any day with stray rows); the names of the new ones.

    Raises OperationalError when a lock could not be had in three seconds; what was made until then stays.
    """
    today = (now or timezone.now()).astimezone(dt.UTC).date()
    wanted = {today + dt.timedelta(days=n) for n in range(days_ahead + 1)}
    made = []
    for table in TABLES:
        there = {partition.day for partition in existing(table)}
        made += [_make(table, day) for day in sorted((wanted | _stray_days(table)) - there)]
    return made


def prune(keep_days: int = 30, *, budget_bytes: int | None = None, now: dt.datetime | None = None) -> Pruned:
    """Drop the days older than `keep_days`, then the oldest ones until both tables fit `budget_bytes`.

    Today and yesterday always stay, whatever the budget says.
    """
    today = (now or timezone.now()).astimezone(dt.UTC).date()
    partitions = sorted((p for table in TABLES for p in existing(table)), key=lambda p: p.day)
    total = sum(p.size for p in partitions)
    dropped: list[Partition] = []
    for partition in partitions:
        too_old = partition.day < today - dt.timedelta(days=keep_days)
        too_much = budget_bytes is not None and total > budget_bytes and partition.day < today - dt.timedelta(days=1)
        if too_old or too_much:
            _drop(partition)
            dropped.append(partition)
            total -= partition.size
    rows = _forget_strays(today - dt.timedelta(days=keep_days))
    return Pruned(tuple(p.name for p in dropped), rows, sum(p.size for p in dropped))


def existing(table: str) -> list[Partition]:
    """The days a table has partitions for, the oldest first, without the default one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = %s::regclass AND c.relname ~ %s ORDER BY c.relname",
            [table, rf"^{table}_\d{{8}}$"],
        )
        rows = cursor.fetchall()
    return [Partition(table, name, _day_of(name), size) for name, size in rows]


def _day_of(name: str) -> dt.date:
    return dt.date.fromisoformat(name.rpartition("_")[2])


def _stray_days(table: str) -> set[dt.date]:
    query = sql.SQL("SELECT DISTINCT (at AT TIME ZONE 'UTC')::date FROM {}")
    with connection.cursor() as cursor:
        cursor.execute(query.format(sql.Identifier(f"{table}_default")))
        return {day for (day,) in cursor.fetchall()}


@contextmanager
def _upkeep() -> Iterator[CursorWrapper]:
    """A transaction that owns the upkeep and gives up early on locks."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [UPKEEP])
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        yield cursor


def _make(table: str, day: dt.date) -> str:
    """Make a day beside the table, move its stray rows in, attach it: readers and writers of other days go on."""
    name = f"{table}_{day:%Y%m%d}"
    words = {
        "table": sql.Identifier(table),
        "stray": sql.Identifier(f"{table}_default"),
        "day": sql.Identifier(name),
        "start": sql.Literal(f"{day} 00:00+00"),
        "end": sql.Literal(f"{day + dt.timedelta(days=1)} 00:00+00"),
    }
    steps = (
        # attaching locks it anyway; locked first, no row slips in between
        "LOCK TABLE {stray} IN ACCESS EXCLUSIVE MODE",
        "CREATE TABLE {day} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
        (
            "WITH moved AS (DELETE FROM {stray} WHERE at >= {start} AND at < {end} RETURNING *) "
            "INSERT INTO {day} SELECT * FROM moved"
        ),
        "ALTER TABLE {table} ATTACH PARTITION {day} FOR VALUES FROM ({start}) TO ({end})",
    )
    with _upkeep() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NULL", [name])
        if cursor.fetchone()[0]:  # another process may have been quicker
            for step in steps:
                cursor.execute(sql.SQL(step).format(**words))
    return name


def _drop(partition: Partition) -> None:
    with _upkeep() as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(partition.name)))


def _forget_strays(before: dt.date) -> int:
    """Delete what is too old from the default partitions, which is little: `ensure` empties them."""
    rows = 0
    for table in TABLES:
        query = sql.SQL("DELETE FROM {} WHERE at < {}")
        stray, moment = sql.Identifier(f"{table}_default"), sql.Literal(f"{before} 00:00+00")
        with connection.cursor() as cursor:
            cursor.execute(query.format(stray, moment))
            rows += cursor.rowcount
    return rows
