from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.db.utils import OperationalError

from rotation import partitions
from rotation.models import Attempt, Request
from tests.models import rows

NOW = dt.datetime(2025, 10, 25, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def days(table: str = "rotation_request") -> list[dt.date]:
    return [partition.day for partition in partitions.existing(table)]


def where(thing: Request | Attempt) -> str:
    """The partition a row lies in."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text FROM {thing._meta.db_table} WHERE id = %s", [thing.id])
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
def test_a_week_is_made_ahead_for_both_tables_and_only_once():
    made = partitions.ensure(now=NOW)
    assert len(made) == 16
    assert days() == days("rotation_attempt") == [(NOW + n * DAY).date() for n in range(8)]
    assert partitions.ensure(now=NOW) == []
    assert len(partitions.ensure(now=NOW + DAY)) == 2


@pytest.mark.django_db
def test_a_row_lies_in_its_day_to_the_last_microsecond():
    partitions.ensure(now=NOW)
    midnight = dt.datetime(2025, 10, 26, tzinfo=dt.UTC)
    assert where(rows.request(midnight - dt.timedelta(microseconds=1))) == "rotation_request_20251025"
    assert where(rows.request(midnight)) == "rotation_request_20251026"


@pytest.mark.django_db
def test_rows_of_a_day_without_a_partition_are_caught_and_moved_when_it_is_made():
    early, late = rows.request(NOW - 3 * DAY), rows.request(NOW)
    attempt = rows.attempt(NOW)
    assert where(early) == where(late) == "rotation_request_default"
    made = partitions.ensure(0, now=NOW)
    assert made == ["rotation_request_20251022", "rotation_request_20251025", "rotation_attempt_20251025"]
    assert where(early) == "rotation_request_20251022"
    assert where(late) == "rotation_request_20251025"
    assert where(attempt) == "rotation_attempt_20251025"
    assert Request.objects.count() == 2


@pytest.mark.django_db
def test_a_made_day_has_the_indexes_of_its_table():
    partitions.ensure(0, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'rotation_request_20251025'")
        assert cursor.fetchone()[0] == 6


@pytest.mark.django_db
def test_old_days_are_dropped_and_young_ones_stay():
    for back in range(6):
        partitions.ensure(0, now=NOW - back * DAY)
        rows.request(NOW - back * DAY)
    stray = rows.request(NOW - 40 * DAY)
    assert where(stray) == "rotation_request_default"
    pruned = partitions.prune(3, now=NOW)
    assert len(pruned.partitions) == 4
    assert pruned.rows == 1
    assert pruned.freed > 0
    assert days() == [(NOW - back * DAY).date() for back in (3, 2, 1, 0)]
    assert Request.objects.count() == 4


@pytest.mark.django_db
def test_a_budget_drops_the_oldest_days_but_never_today_and_yesterday():
    for back in range(6):
        partitions.ensure(0, now=NOW - back * DAY)
    size = sum(p.size for table in partitions.TABLES for p in partitions.existing(table))
    assert partitions.prune(30, budget_bytes=size, now=NOW).partitions == ()
    some = partitions.prune(30, budget_bytes=size - 1, now=NOW)
    assert some.partitions == ("rotation_request_20251020",)
    partitions.prune(30, budget_bytes=0, now=NOW)
    assert days() == days("rotation_attempt") == [(NOW - DAY).date(), NOW.date()]


@pytest.mark.django_db
def test_calls_are_read_and_found_by_either_half_of_their_key():
    partitions.ensure(0, now=NOW)
    request = rows.request(NOW, trace=[{"target": "x", "why": "cooling"}], cost="0.0000000512")
    read = Request.objects.get(pk=(request.at, request.id))
    assert read.trace == [{"target": "x", "why": "cooling"}]
    assert read.cost == Decimal("0.0000000512")
    assert Request.objects.get(id=request.id) == read
    assert list(Request.objects.order_by("-at", "-id")) == [read]
    assert request.outcome in str(read)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT * FROM rotation_request ORDER BY at DESC, id DESC LIMIT 50", "pkey"),
        ("SELECT * FROM rotation_request WHERE id = '01234567-89ab-7def-8123-456789abcdef'", "id_idx"),
        ("SELECT * FROM rotation_request WHERE outcome <> 'answered' ORDER BY at DESC, id DESC LIMIT 50", "at_id_idx"),
        ("SELECT * FROM rotation_request WHERE client_key_id = 3 ORDER BY at DESC LIMIT 50", "client_key_id_at_idx"),
        ("SELECT * FROM rotation_attempt WHERE request_id = '01234567-89ab-7def-8123-456789abcdef'", "request_id_idx"),
        ("SELECT * FROM rotation_attempt WHERE deployment_id = 3 ORDER BY at DESC LIMIT 50", "deployment_id_at_idx"),
    ],
)
def test_the_questions_of_the_dashboard_are_answered_by_an_index(query, index):
    partitions.ensure(0, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {query}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert index in plan
    assert "->  Sort" not in plan


@pytest.mark.django_db(transaction=True)
def test_upkeep_gives_way_to_a_writer_who_holds_the_table(monkeypatch):
    monkeypatch.setattr(partitions, "LOCK_TIMEOUT", "100ms")
    holding, done = threading.Event(), threading.Event()

    def writer() -> None:
        with transaction.atomic():
            rows.request(NOW)
            holding.set()
            done.wait(30)
        connections.close_all()

    thread = threading.Thread(target=writer)
    thread.start()
    try:
        assert holding.wait(30)
        with pytest.raises(OperationalError):
            partitions.ensure(0, now=NOW)
    finally:
        done.set()
        thread.join()
    assert days() == []
    assert len(partitions.ensure(0, now=NOW)) == 2
    assert where(Request.objects.get()) == "rotation_request_20251025"
    partitions.prune(0, budget_bytes=0, now=NOW + 9 * DAY)
    assert days() == []


@pytest.mark.django_db(transaction=True)
def test_two_upkeeps_at_once_make_each_day_once():
    failures = []

    def upkeep() -> None:
        try:
            partitions.ensure(2, now=NOW)
        except DatabaseError as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=upkeep) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(days()) == 3
    partitions.prune(0, now=NOW + 9 * DAY)
