"""Roll-ups are what recomputing them from the rows would give, whatever came in and however it was cut into batches."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.failures import TABLE, FailureKind
from rotation.core.stats import BUCKETS, bucket_of
from rotation.ledger.rows import call_of
from rotation.ledger.sums import Level, attempt_sums, call_sums, coarser, column_of, full
from tests.ledger import journals
from tests.ledger.journals import NOON, Writer, random_call

ATTEMPTS = """
    SELECT date_trunc(%(level)s, at, 'UTC'), deployment_id, key_id, count(*),
        count(*) FILTER (WHERE outcome = 'ok'),
        count(*) FILTER (WHERE outcome IN ('rate_limited', 'quota_day', 'upstream_busy')),
        count(*) FILTER (WHERE outcome IN ('overloaded', 'timed_out', 'stalled', 'unreachable', 'interrupted')),
        count(*) FILTER (WHERE outcome = 'cancelled'),
        sum(tokens_in), sum(tokens_out), coalesce(sum(cost), 0),
        round(coalesce(sum(total_ms) FILTER (WHERE outcome = 'ok'), 0)::numeric, 3)
    FROM rotation_attempt WHERE NOT internal GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
ATTEMPT_SUMS = """
    SELECT at, deployment_id, key_id, attempts, ok, rate_limited, failed, cancelled, tokens_in, tokens_out, cost,
        round(sum_ms::numeric, 3)
    FROM {table} WHERE attempts = ok + rate_limited + failed + refused + cancelled ORDER BY 1, 2, 3"""
CALLS = """
    SELECT date_trunc(%(level)s, at, 'UTC'), pool, simulated, count(*),
        count(*) FILTER (WHERE outcome = 'answered' AND attempts <= 1),
        count(*) FILTER (WHERE outcome = 'answered' AND attempts > 1),
        count(*) FILTER (WHERE outcome = 'failed'), count(*) FILTER (WHERE outcome = 'refused'),
        count(*) FILTER (WHERE outcome = 'cancelled'), count(*) FILTER (WHERE outcome = 'interrupted'),
        sum(attempts), sum(tokens_in), sum(tokens_out), coalesce(sum(cost), 0)
    FROM rotation_request WHERE NOT internal GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
CALL_SUMS = """
    SELECT at, pool, simulated, calls, first_try, rotated, failed, refused, cancelled, interrupted, attempts,
        tokens_in, tokens_out, cost
    FROM {table} ORDER BY 1, 2, 3"""
CLIENTS = """
    SELECT date_trunc('day', at, 'UTC'), client_key_id, simulated, count(*),
        count(*) FILTER (WHERE outcome = 'answered'),
        sum(tokens_in), sum(tokens_out), coalesce(sum(cost), 0)
    FROM rotation_request WHERE client_key_id IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
CLIENT_SUMS = """
    SELECT at, client_key_id, simulated, calls, answered, tokens_in, tokens_out, cost
    FROM rotation_clientday ORDER BY 1, 2, 3"""
KINDS = """
    SELECT date_trunc('day', at, 'UTC'), deployment_id, outcome, count(*)
    FROM rotation_attempt WHERE NOT internal GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
KIND_SUMS = "SELECT at, deployment_id, kind, attempts FROM rotation_kindday ORDER BY 1, 2, 3"
TIMES = "SELECT deployment_id, total_ms FROM rotation_attempt WHERE outcome = 'ok' AND NOT internal"
HISTOGRAMS = "SELECT deployment_id, total_hist FROM {table}"


@pytest.mark.parametrize("seed", range(4))
def test_roll_ups_equal_what_the_rows_say(seed: int, writer: Writer, once: Any, sql: psycopg.Connection) -> None:
    chance = random.Random(seed)
    for _ in range(chance.randrange(1, 5)):
        for _ in range(chance.randrange(120)):
            writer.write(random_call(chance, NOON + chance.uniform(-2, 2) * 43_200))
        once()
    for level, stat, calls in (
        ("minute", "rotation_minutestat", "rotation_callminute"),
        ("hour", "rotation_hourstat", "rotation_callhour"),
        ("day", "rotation_daystat", "rotation_callday"),
    ):
        at = {"level": level}
        assert sql.execute(ATTEMPT_SUMS.format(table=stat)).fetchall() == sql.execute(ATTEMPTS, at).fetchall()
        assert sql.execute(CALL_SUMS.format(table=calls)).fetchall() == sql.execute(CALLS, at).fetchall()
        assert histograms(sql, stat) == times(sql)
    assert sql.execute(CLIENT_SUMS).fetchall() == sql.execute(CLIENTS).fetchall()
    assert sql.execute(KIND_SUMS).fetchall() == sql.execute(KINDS).fetchall()


def test_the_jobs_own_calls_are_marked_and_not_counted_among_the_clients(
    writer: Writer, once: Any, sql: psycopg.Connection
) -> None:
    writer.write(journals.call(internal=True, client=9), journals.call())
    once()
    assert sql.execute("SELECT client_key_id, internal FROM rotation_request ORDER BY 1").fetchall() == [
        (7, False), (9, True),
    ]  # fmt: skip
    assert sql.execute("SELECT sum(calls) FROM rotation_callday").fetchall() == [(1,)]
    assert sql.execute("SELECT internal FROM rotation_attempt ORDER BY 1").fetchall() == [(False,), (True,)]
    for table in ("minutestat", "hourstat", "daystat", "kindday"):
        assert sql.execute(f"SELECT sum(attempts) FROM rotation_{table}").fetchall() == [(1,)]
    assert sql.execute("SELECT client_key_id, calls FROM rotation_clientday ORDER BY 1").fetchall() == [(7, 1), (9, 1)]


def times(sql: psycopg.Connection) -> Counter[tuple[int, int]]:
    return Counter((deployment, bucket_of(ms)) for deployment, ms in sql.execute(TIMES))


def histograms(sql: psycopg.Connection, table: str) -> Counter[tuple[int, int]]:
    found: Counter[tuple[int, int]] = Counter()
    for deployment, histogram in sql.execute(HISTOGRAMS.format(table=table)):
        assert len(histogram) in {0, BUCKETS}
        found.update({(deployment, bucket): n for bucket, n in enumerate(histogram) if n})
    return found


@given(st.integers(0, 2**32), st.integers(0, 40), st.sampled_from(Level))
def test_adding_up_is_the_same_in_one_piece_and_in_two(seed: int, cut: int, level: Level) -> None:
    chance = random.Random(seed)
    calls = [call_of(random_call(chance, NOON + chance.uniform(0, 200_000))) for _ in range(40)]
    whole = coarser(attempt_sums(a for call in calls for a in call.attempts), level)
    parts = coarser(attempt_sums(a for call in calls[:cut] for a in call.attempts), level)
    for key, total in coarser(attempt_sums(a for call in calls[cut:] for a in call.attempts), level).items():
        if key in parts:
            parts[key].add(total)
        else:
            parts[key] = total
    assert {k: (t.counts, t.cost, t.total) for k, t in parts.items()} == {
        k: (t.counts, t.cost, t.total) for k, t in whole.items()
    }
    of_clients = [call for call in calls if not call.request.internal]
    assert sum(t.counts["calls"] for t in call_sums(call.request for call in calls).values()) == len(of_clients)


def test_every_failure_kind_has_a_column() -> None:
    columns = {kind: column_of(kind) for kind in FailureKind}
    assert set(columns) == set(TABLE)
    assert columns[FailureKind.RATE_LIMITED] == columns[FailureKind.UPSTREAM_BUSY] == "rate_limited"
    assert columns[FailureKind.OVERLOADED] == columns[FailureKind.INTERRUPTED] == "failed"
    assert columns[FailureKind.BAD_REQUEST] == columns[FailureKind.BAD_CREDENTIAL] == "refused"
    assert columns[FailureKind.CANCELLED] == "cancelled"
    assert column_of("ok") == "ok"
    assert column_of("a kind of tomorrow") == "refused"


def test_an_empty_histogram_is_an_empty_array() -> None:
    assert full(Counter()) == []
    assert full(Counter({3: 2})) == [0, 0, 0, 2] + [0] * (BUCKETS - 4)


def test_buckets_of_time_start_in_utc() -> None:
    from rotation.ledger.sums import start_of

    at = datetime(2025, 11, 20, 23, 59, 59, 999_999, UTC)
    assert start_of(at, Level.MINUTE) == datetime(2025, 11, 20, 23, 59, tzinfo=UTC)
    assert start_of(at, Level.HOUR) == datetime(2025, 11, 20, 23, tzinfo=UTC)
    assert start_of(at, Level.DAY) == datetime(2025, 11, 20, tzinfo=UTC)
