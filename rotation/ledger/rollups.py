"""Adds sums to the roll-up tables, histograms element by element: attempts and calls by minute, hour and day; by day
alone what each client key used, and attempts by their outcome."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, LiteralString

from psycopg import Cursor, sql

from rotation.ledger.sums import Key, Level, Sum, Sums, coarser, full


@dataclass(frozen=True, slots=True)
class Family:
    """Tables of one shape: their names, key columns (not all are part of what is unique), and columns."""

    tables: tuple[tuple[Level, str], ...]
    key: tuple[str, ...]
    unique: tuple[str, ...]
    counts: tuple[str, ...]
    plain: tuple[str, ...]  # attributes of a Sum that are added as they are
    histograms: tuple[tuple[str, str], ...]  # column, attribute of a Sum


ATTEMPTS = Family(
    tables=(
        (Level.MINUTE, "rotation_minutestat"),
        (Level.HOUR, "rotation_hourstat"),
        (Level.DAY, "rotation_daystat"),
    ),
    key=("at", "deployment_id", "key_id", "simulated"),
    unique=("at", "deployment_id", "key_id"),
    counts=("attempts", "ok", "rate_limited", "failed", "refused", "cancelled", "tokens_in", "tokens_out"),
    plain=("cost", "sum_ms"),
    histograms=(("first_hist", "first"), ("total_hist", "total")),
)

CALLS = Family(
    tables=(
        (Level.MINUTE, "rotation_callminute"),
        (Level.HOUR, "rotation_callhour"),
        (Level.DAY, "rotation_callday"),
    ),
    key=("at", "pool", "simulated"),
    unique=("at", "pool", "simulated"),
    counts=(
        "calls",
        "first_try",
        "rotated",
        "failed",
        "refused",
        "cancelled",
        "interrupted",
        "attempts",
        "tokens_in",
        "tokens_out",
    ),
    plain=("cost",),
    histograms=(("total_hist", "total"), ("lost_hist", "lost")),
)

CLIENTS = Family(
    tables=((Level.DAY, "rotation_clientday"),),
    key=("at", "client_key_id", "simulated"),
    unique=("at", "client_key_id", "simulated"),
    counts=("calls", "answered", "tokens_in", "tokens_out"),
    plain=("cost",),
    histograms=(),
)

KINDS = Family(
    tables=((Level.DAY, "rotation_kindday"),),
    key=("at", "deployment_id", "kind"),
    unique=("at", "deployment_id", "kind"),
    counts=("attempts",),
    plain=(),
    histograms=(),
)

ADD: LiteralString = "{column} = old.{column} + excluded.{column}"
ADD_HISTOGRAM: LiteralString = """{column} = ARRAY(
    SELECT coalesce(a, 0) + coalesce(b, 0)
    FROM unnest(old.{column}, excluded.{column}) WITH ORDINALITY AS pair(a, b, n) ORDER BY n)"""
UPSERT: LiteralString = """
    INSERT INTO {table} AS old ({columns}) VALUES ({values})
    ON CONFLICT ({unique}) DO UPDATE SET {changes}"""


def add(cursor: Cursor, family: Family, sums: Sums) -> None:
    """Adds sums to each table of the family, in one order everywhere: two ledgers cannot deadlock."""
    for level, table in family.tables:
        at_level = sums if level is Level.MINUTE else coarser(sums, level)
        rows = [_values(family, key, total) for key, total in sorted(at_level.items(), key=lambda item: item[0])]
        cursor.executemany(_upsert(family, table), rows)


def _values(family: Family, key: Key, total: Sum) -> tuple[Any, ...]:
    counts = (total.counts[name] for name in family.counts)
    plain = (getattr(total, name) for name in family.plain)
    histograms = (_array(total, attribute) for _, attribute in family.histograms)
    return (*key, *counts, *plain, *histograms)


def _array(total: Sum, attribute: str) -> str:
    return "{" + ",".join(map(str, full(getattr(total, attribute)))) + "}"


@cache
def _upsert(family: Family, table: str) -> sql.Composed:
    histograms = [column for column, _ in family.histograms]
    columns = [*family.key, *family.counts, *family.plain, *histograms]
    changes = [sql.SQL(ADD).format(column=sql.Identifier(column)) for column in (*family.counts, *family.plain)]
    changes += [sql.SQL(ADD_HISTOGRAM).format(column=sql.Identifier(column)) for column in histograms]
    return sql.SQL(UPSERT).format(
        table=sql.Identifier(table),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        values=sql.SQL(", ").join(sql.Placeholder() * len(columns)),
        unique=sql.SQL(", ").join(map(sql.Identifier, family.unique)),
        changes=sql.SQL(", ").join(changes),
    )
