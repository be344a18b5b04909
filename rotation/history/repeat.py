"""Makes a long past out of a short one: drawn days, copied further back inside Postgres, some hundred times quicker.

Whole UTC days are shifted by whole days, so every roll-up's bucket falls on a bucket. Ids are digests of the ids they
are copies of: the same history repeated twice adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Model
from psycopg import Connection, sql

from rotation import partitions
from rotation.models import (
    Attempt,
    CallDay,
    CallHour,
    CallMinute,
    ClientDay,
    DayStat,
    HourStat,
    KindDay,
    MinuteStat,
    Request,
)

DAY = timedelta(days=1)
RAW: tuple[type[Model], ...] = (Request, Attempt)
SUMS: tuple[type[Model], ...] = (HourStat, DayStat, CallHour, CallDay, ClientDay, KindDay)
MINUTES: tuple[type[Model], ...] = (MinuteStat, CallMinute)
COPIED_IDS = {"id", "request_id"}


@dataclass(frozen=True, slots=True)
class Copied:
    calls: int = 0
    attempts: int = 0


def repeat(
    connection: Connection[Any],
    *,
    source: datetime,
    drawn: int,
    start: datetime,
    now: datetime,
    said: Callable[[str], None] = lambda _: None,
) -> Copied:
    """Copies the `drawn` days from `source` (a midnight, UTC) backwards until `start` (a midnight) is reached.

    Each day is one transaction.
    """
    partitions.ensure((source - start).days, now=start)
    done, day = Copied(), source - DAY
    while day >= start:
        back = -(-(source - day) // (drawn * DAY))  # how many times the source lies further back
        shift = back * drawn * DAY
        minutes = now - day < timedelta(days=settings.ROTATION_KEEP_MINUTES_DAYS)
        with connection.transaction(), connection.cursor() as cursor:
            counts = [_copy(cursor, table, day + shift, shift) for table in RAW]
            for table in (*SUMS, *(MINUTES if minutes else ())):
                _copy(cursor, table, day + shift, shift)
        done = Copied(done.calls + counts[0], done.attempts + counts[1])
        said(f"{day:%Y-%m-%d}: {done.calls:,} calls copied")
        day -= DAY
    return done


def _copy(cursor: Any, table: type[Model], day: datetime, shift: timedelta) -> int:
    """The simulated rows of one day, earlier by `shift`; how many were not there yet."""
    columns = [field.column for field in table._meta.concrete_fields if field.column]
    taken = [_shifted(name, shift.days) for name in columns]
    own = sql.SQL(" AND simulated") if "simulated" in columns else _of_simulated()
    query = sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {taken} FROM {table} WHERE at >= %s AND at < %s{own} "
        "ON CONFLICT DO NOTHING"
    ).format(
        table=sql.Identifier(table._meta.db_table),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        taken=sql.SQL(", ").join(taken),
        own=own,
    )
    cursor.execute(query, [day, day + DAY])
    return int(cursor.rowcount)


def _shifted(name: str, days: int) -> sql.Composable:
    if name == "at":
        return sql.SQL("at - make_interval(hours => {})").format(sql.Literal(days * 24))
    if name in COPIED_IDS:
        return sql.SQL("md5({}::text || {})::uuid").format(sql.Identifier(name), sql.Literal(f"/{days}"))
    return sql.Identifier(name)


def _of_simulated() -> sql.Composable:
    """For a table that has no such column."""
    return sql.SQL(
        " AND deployment_id IN (SELECT d.id FROM rotation_deployment d JOIN rotation_provider p ON p.id = d.provider_id"
        " WHERE p.simulated)"
    )
