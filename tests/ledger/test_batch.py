"""Lines become rows and roll-ups, once, whatever they hold."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import psycopg
import pytest

from rotation.ledger.loop import Refused
from tests.ledger.journals import NOON, Writer, attempt, call


def row(sql: psycopg.Connection, query: str) -> Any:
    found = sql.execute(query).fetchall()
    assert len(found) == 1, found
    return found[0]


def count(sql: psycopg.Connection, table: str) -> int:
    return int(row(sql, f"SELECT count(*) FROM {table}")[0])


def test_a_call_becomes_a_row_with_its_attempts(writer: Writer, once: Any, sql: psycopg.Connection) -> None:
    told = call([attempt(1, "rate_limited"), attempt(2)], simulated=True)
    writer.write(told)
    once()
    with psycopg.ClientCursor(sql, row_factory=psycopg.rows.dict_row) as cursor:
        request = cursor.execute("SELECT * FROM rotation_request").fetchone()
        first, second = cursor.execute("SELECT * FROM rotation_attempt ORDER BY n").fetchall()
    assert request is not None
    assert str(request["id"]) == told["id"]
    assert request["at"] == datetime.fromtimestamp(NOON, UTC)
    assert (request["attempts"], request["status"], request["outcome"]) == (2, 200, "answered")
    assert request["cost"] == Decimal("0.00012")
    assert request["trace"] == told["trace"]
    assert request["failure_kind"] is None
    assert (first["outcome"], first["blame"], first["retry_after_s"]) == ("rate_limited", "account_model", 12.5)
    assert first["request_id"] == second["request_id"] == request["id"]
    assert (second["at"] - first["at"]).total_seconds() == 0.01
    assert first["simulated"] is second["simulated"] is True


def test_what_a_call_needed_and_its_policy_are_kept_and_old_lines_have_neither(
    writer: Writer, once: Any, sql: psycopg.Connection
) -> None:
    needs = {"prompt_tokens": 1642, "max_output": None, "tools": True, "type": "chat"}
    policy = {"version": 41, "strategy": "ordered", "order": [1, 2], "models": ["\0<script>"]}
    writer.write(call(at=NOON + 1, needs={**needs, "prompt": "my secret plan", "deep": [1]}, policy=policy), call())
    writer.write(call(at=NOON + 2, needs=[], id="11111111-1111-7111-8111-111111111111"))
    assert once().bad == 1
    old, new = sql.execute("SELECT needs, policy FROM rotation_request ORDER BY at").fetchall()
    assert old == ({}, {})
    assert new == (needs, {**policy, "models": ["\ufffd<script>"]})


def test_roll_ups_of_one_rotated_call(writer: Writer, once: Any, sql: psycopg.Connection) -> None:
    writer.write(call([attempt(1, "overloaded"), attempt(2)]))
    once()
    columns = "attempts, ok, failed, sum_ms"
    assert row(sql, f"SELECT {columns} FROM rotation_minutestat WHERE deployment_id = 1") == (1, 0, 1, 0)
    assert row(sql, f"SELECT {columns} FROM rotation_daystat WHERE deployment_id = 2") == (1, 1, 0, 350.25)
    assert row(sql, "SELECT calls, first_try, rotated, attempts FROM rotation_callhour") == (1, 0, 1, 2)


def test_what_is_there_already_is_not_added_up_again(writer: Writer, once: Any, sql: psycopg.Connection) -> None:
    twice = call()
    writer.write(twice, twice)
    once()
    sql.execute('UPDATE rotation_journalfile SET "offset" = 0')
    once()
    assert count(sql, "rotation_request") == 1
    assert row(sql, "SELECT calls, attempts FROM rotation_callminute") == (1, 1)
    assert row(sql, "SELECT attempts, ok FROM rotation_hourstat") == (1, 1)


def test_hostile_text_and_numbers_are_written_mended(writer: Writer, once: Any, sql: psycopg.Connection) -> None:
    worst = attempt(message="a\0b" + "x" * 10_000, tokens_in=2**70, tokens_out=-5, total_ms=1e300, status=10**9)
    trace = [{"why": "\0", "target": "\ud83d"}]
    writer.write(call([worst], error="\ud800 \0 <script>", asked="\0" * 500, cost=1e300, trace=trace))
    assert once().bad == 0
    error, asked, cost = row(sql, "SELECT error, asked, cost FROM rotation_request")
    assert error == "\ufffd \ufffd <script>"
    assert len(asked) == 255
    assert cost == 10_000
    message, *numbers = row(sql, "SELECT message, tokens_in, tokens_out, status FROM rotation_attempt")
    assert message.startswith("a\ufffdb")
    assert len(message) == 2000
    assert numbers == [2**31 - 1, 0, 2**15 - 1]


def test_an_unusable_line_is_set_aside_and_the_rest_is_written(
    writer: Writer, once: Any, sql: psycopg.Connection, caplog: Any
) -> None:
    unusable = [
        call(id="not a uuid"),
        call(at=None),
        call(at=1e18),
        call([attempt(deployment="x")]),
        call(attempts={"a": 1}),
        call(["text"]),
        {"t": "no such thing"},
        {"t": ["call"]},
        {},
        {"t": "key", "key": 1, "state": "happy", "at": NOON},
        {"t": "breaker", "scope": "key:1", "before": "closed", "after": "ajar", "at": NOON},
        {"t": "cooldown", "scope": "", "until": NOON, "at": NOON},
    ]
    for record in unusable:
        writer.write(call(), record)
    ledger = once()
    assert (ledger.written, ledger.bad) == (len(unusable), len(unusable))
    assert count(sql, "rotation_request") == len(unusable)
    kept = [orjson.loads(line) for line in (ledger.journal.bad / writer.path.name).read_bytes().splitlines()]
    assert [k["line"] for k in kept] == unusable
    assert all(k["why"] for k in kept)
    assert [r.levelname for r in caplog.records if "aside" in r.message] == ["WARNING"]


def test_a_row_that_only_postgres_refuses_is_found_by_halving(
    writer: Writer, once: Any, sql: psycopg.Connection
) -> None:
    sql.execute("ALTER TABLE rotation_request ADD CONSTRAINT never CHECK (asked <> 'poison')")
    try:
        for n in range(40):
            writer.write(call(asked="poison" if n in {0, 17, 18, 39} else "auto"))
        ledger = once()
    finally:
        sql.execute("ALTER TABLE rotation_request DROP CONSTRAINT never")
    assert (ledger.written, ledger.bad) == (36, 4)
    assert count(sql, "rotation_request") == count(sql, "rotation_attempt") == 36
    assert row(sql, "SELECT calls FROM rotation_callday") == (36,)
    kept = [orjson.loads(line) for line in (ledger.journal.bad / writer.path.name).read_bytes().splitlines()]
    assert [k["line"]["asked"] for k in kept] == ["poison"] * 4
    assert "never" in kept[0]["why"]


def test_a_database_that_refuses_every_call_loses_no_line(writer: Writer, once: Any, sql: psycopg.Connection) -> None:
    writer.write(call())
    sql.execute("ALTER TABLE rotation_attempt ADD CONSTRAINT never CHECK (n < 0)")
    try:
        with pytest.raises(Refused):
            once()
    finally:
        sql.execute("ALTER TABLE rotation_attempt DROP CONSTRAINT never")
    assert once().written == 1
    assert count(sql, "rotation_request") == 1


def test_a_day_without_a_partition_goes_to_the_default_one(writer: Writer, once: Any, sql: psycopg.Connection) -> None:
    writer.write(call(at=4_000_000_000.0))
    once()
    assert count(sql, "rotation_request_default") == 1
