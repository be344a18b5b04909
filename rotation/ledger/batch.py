"""A batch of lines and the one transaction that writes it: rows, roll-ups, health, and how far the files were read.

READ FIRST in this package. Exactly once rests on two things: the offsets move in the same transaction as the rows,
and only from where this ledger believes they stand; and rows that are there already are left alone and not added
up again. `loop.py` decides what happens when it fails.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString, TypeVar
from uuid import UUID

from psycopg import Connection, Cursor, sql

from rotation.ledger import rollups
from rotation.ledger.clean import Unfit
from rotation.ledger.events import CLIENT_SEEN, EVENTS, Parameters
from rotation.ledger.files import Entry
from rotation.ledger.lines import Bad
from rotation.ledger.rows import AttemptRow, Call, RequestRow, call_of
from rotation.ledger.sums import attempt_sums, call_sums, client_sums, kind_sums

#: Only from where we believe the file stands: a ledger that was overtaken by another one changes nothing.
ADVANCE: LiteralString = """
    INSERT INTO rotation_journalfile AS file (name, "offset") VALUES (%(name)s, %(end)s)
    ON CONFLICT (name) DO UPDATE SET "offset" = excluded."offset" WHERE file."offset" = %(start)s"""

#: Only while the operator wants prompts kept; the switch stays as it is until this is written.
KEEP_PROMPT: LiteralString = """
    INSERT INTO rotation_keptprompt (request_id, at, sealed)
    SELECT %(id)s, %(at)s, %(sealed)s
    FROM rotation_switch WHERE name = 'keep_prompts' AND value = 'true'::jsonb FOR SHARE
    ON CONFLICT DO NOTHING"""

Row = TypeVar("Row", RequestRow, AttemptRow)


class Overtaken(RuntimeError):
    """Another ledger has read this file further: read the offsets again."""


@dataclass(slots=True)
class Batch:
    """Lines, read and sorted. `spans`: for each file, from where to where the batch reads it."""

    calls: list[Call] = field(default_factory=list)
    events: list[tuple[LiteralString, Parameters]] = field(default_factory=list)
    bad: list[tuple[Entry, str]] = field(default_factory=list)
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)


def batch_of(entries: Iterable[Entry], why: str = "") -> Batch:
    """Entries in reading order as a batch. `why`: given when none of them can be written, whatever they look like."""
    batch = Batch()
    for entry in entries:
        start = batch.spans.get(entry.file, (entry.start, 0))[0]
        batch.spans[entry.file] = (start, entry.end)
        wrong = why or _take(batch, entry.record)
        if wrong:
            batch.bad.append((entry, wrong))
    return batch


def _take(batch: Batch, record: dict[str, Any] | Bad) -> str:
    """Adds a record to its batch; why not, when it cannot be."""
    if isinstance(record, Bad):
        return record.why
    kind = record.get("t")
    try:
        if kind == "call":
            batch.calls.append(call_of(record))
            return ""
        if not isinstance(kind, str) or kind not in EVENTS:
            return f"unknown record type {str(kind)[:40]!r}"
        read, statements = EVENTS[kind]
        parameters = read(record)
    except Unfit as unfit:
        return str(unfit)
    except Exception as error:  # noqa: BLE001 - one line in a shape nobody thought of must not stop the others
        return f"{type(error).__name__}: {error}"[:300]
    batch.events += [(statement, parameters) for statement in statements]
    return ""


def prepare(connection: Connection) -> None:
    """Makes the session's staging tables: rows are copied there first, since COPY cannot leave out what is there."""
    for table in ("request", "attempt"):
        stage, real = sql.Identifier(f"stage_{table}"), sql.Identifier(f"rotation_{table}")
        connection.execute(
            sql.SQL("CREATE TEMP TABLE IF NOT EXISTS {} (LIKE {}) ON COMMIT DELETE ROWS").format(stage, real)
        )


def write(connection: Connection, batch: Batch) -> None:
    """All of a batch or nothing. Raises Overtaken, and whatever psycopg raises."""
    with connection.transaction(), connection.cursor() as cursor:
        _advance(cursor, batch.spans)
        write_calls(cursor, batch.calls)
        for statement, parameters in batch.events:
            cursor.execute(statement, parameters)


def write_calls(cursor: Cursor, calls: Collection[Call]) -> None:
    """Rows that are not there yet, and what they add to the roll-ups."""
    if not calls:
        return
    requests = _insert_new(cursor, "request", RequestRow._fields, [call.request for call in calls])
    attempts = _insert_new(cursor, "attempt", AttemptRow._fields, [a for call in calls for a in call.attempts])
    rollups.add(cursor, rollups.ATTEMPTS, attempt_sums(attempts))
    rollups.add(cursor, rollups.CALLS, call_sums(requests))
    rollups.add(cursor, rollups.CLIENTS, client_sums(requests))
    rollups.add(cursor, rollups.KINDS, kind_sums(attempts))
    cursor.executemany(CLIENT_SEEN, _clients_seen(requests))
    cursor.executemany(KEEP_PROMPT, _prompts(calls, requests))


def _advance(cursor: Cursor, spans: Mapping[str, tuple[int, int]]) -> None:
    for name, (start, end) in sorted(spans.items()):
        cursor.execute(ADVANCE, {"name": name, "start": start, "end": end})
        if cursor.rowcount != 1:
            raise Overtaken(name)


def _insert_new(cursor: Cursor, table: str, columns: Iterable[str], rows: list[Row]) -> list[Row]:
    """Inserts the rows whose (at, id) is not there yet, and returns those."""
    if not rows:
        return []
    stage, real = sql.Identifier(f"stage_{table}"), sql.Identifier(f"rotation_{table}")
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(stage, names)) as copy:
        for row in rows:
            copy.write_row(row)
    cursor.execute(
        sql.SQL(
            "INSERT INTO {real} ({names}) SELECT {names} FROM {stage} ON CONFLICT DO NOTHING RETURNING at, id"
        ).format(real=real, names=names, stage=stage)
    )
    new = set(cursor.fetchall())
    return [row for row in rows if _drawn(new, (row.at, row.id))]


def _drawn(new: set[Any], key: tuple[datetime, UUID]) -> bool:
    """Whether `key` is in the set, which it then leaves: of two equal rows in one batch, one was inserted."""
    found = key in new
    new.discard(key)
    return found


def _prompts(calls: Iterable[Call], new: Iterable[RequestRow]) -> list[Parameters]:
    """The prompts of the calls that are new."""
    kept = {call.request.id: call.prompt for call in calls if call.prompt}
    return [{"id": row.id, "at": row.at, "sealed": kept[row.id]} for row in new if row.id in kept] if kept else []


def _clients_seen(requests: Iterable[RequestRow]) -> list[Parameters]:
    latest: dict[int, datetime] = {}
    for row in requests:
        if row.client_key_id is not None:
            latest[row.client_key_id] = max(row.at, latest.get(row.client_key_id, row.at))
    return [{"client": client, "at": at} for client, at in sorted(latest.items())]
