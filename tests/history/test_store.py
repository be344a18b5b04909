"""What is filled in agrees with itself: rows, roll-ups, partitions."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum

from rotation import client_keys, partitions, starter
from rotation.history import store
from rotation.history.store import Filled, fill
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

pytestmark = pytest.mark.django_db
END = datetime(2025, 11, 20, 12, 30, tzinfo=UTC)


def filled(seed: int = 1) -> Filled:
    connection.ensure_connection()
    return fill(connection.connection, many=400, days=2, seed=seed, end=END)


def test_rows_and_roll_ups_agree_at_every_grain():
    starter.load(simulated=True)
    client_keys.issue("somebody")
    done = filled()
    assert Request.objects.count() == done.calls
    assert Attempt.objects.count() == done.attempts
    assert 380 < done.calls <= 400
    for table in (CallMinute, CallHour, CallDay):
        assert table.objects.aggregate(n=Sum("calls"))["n"] == done.calls
    for table in (MinuteStat, HourStat, DayStat):
        assert table.objects.aggregate(n=Sum("attempts"))["n"] == done.attempts
    assert KindDay.objects.aggregate(n=Sum("attempts"))["n"] == done.attempts
    assert ClientDay.objects.aggregate(n=Sum("calls"))["n"] == done.calls
    assert ClientDay.objects.aggregate(n=Sum("cost"))["n"] == CallDay.objects.aggregate(n=Sum("cost"))["n"]
    assert not Request.objects.filter(at__gt=END).exists()
    assert not Request.objects.filter(simulated=False).exists()


def test_what_was_stored_before_there_were_such_roll_ups_is_added_up_once():
    starter.load(simulated=True)
    client_keys.issue("somebody")
    filled()
    told = [list(table.objects.order_by("pk").values()) for table in (ClientDay, KindDay)]
    assert all(told)
    steps = import_module("rotation.migrations.0007_clients_and_prompts")
    for before in (lambda: [table.objects.all().delete() for table in (ClientDay, KindDay)], lambda: None):
        before()
        with connection.cursor() as cursor:
            cursor.execute(steps.CLIENT_DAYS)
            cursor.execute(steps.KIND_DAYS)
        assert [list(table.objects.order_by("pk").values()) for table in (ClientDay, KindDay)] == told


def test_filling_again_with_the_same_seed_adds_nothing():
    starter.load(simulated=True)
    done = filled()
    filled()
    assert Request.objects.count() == done.calls
    assert CallDay.objects.aggregate(n=Sum("calls"))["n"] == done.calls
    filled(seed=2)
    assert Request.objects.count() > done.calls


def test_the_days_get_their_own_partitions():
    starter.load(simulated=True)
    filled()
    days = {partition.day.isoformat() for partition in partitions.existing("rotation_request")}
    assert {"2025-11-18", "2025-11-19", "2025-11-20"} <= days
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM rotation_request_default")
        assert cursor.fetchone()[0] == 0


@pytest.mark.parametrize("wrong", [{"calls": 0}, {"days": 0}, {"days": 401}])
def test_the_command_says_what_it_cannot_do(wrong):
    with pytest.raises(CommandError, match="must be at least 1"):
        call_command("fill_history", **wrong)


def repeated(monkeypatch: pytest.MonkeyPatch) -> Filled:
    monkeypatch.setattr(store, "DRAWN", 200)
    connection.ensure_connection()
    return fill(connection.connection, many=600, days=7, seed=1, end=END)


def test_a_large_past_is_drawn_once_and_copied_and_still_agrees_at_every_grain(monkeypatch: pytest.MonkeyPatch):
    starter.load(simulated=True)
    client_keys.issue("somebody")
    done = repeated(monkeypatch)
    assert Request.objects.count() == done.calls
    assert Attempt.objects.count() == done.attempts
    assert 450 < done.calls <= 650
    for table in (CallHour, CallDay):
        assert table.objects.aggregate(n=Sum("calls"))["n"] == done.calls
    for stats in (HourStat, DayStat):
        assert stats.objects.aggregate(n=Sum("attempts"))["n"] == done.attempts
    assert KindDay.objects.aggregate(n=Sum("attempts"))["n"] == done.attempts
    assert ClientDay.objects.aggregate(n=Sum("calls"))["n"] == done.calls
    days = CallDay.objects.filter(pool="auto").values_list("at", flat=True)
    assert len(set(days)) == 7
    assert not Attempt.objects.exclude(request_id__in=Request.objects.values("id")).exists()


def test_a_large_past_made_again_adds_nothing(monkeypatch: pytest.MonkeyPatch):
    starter.load(simulated=True)
    first = repeated(monkeypatch)
    assert repeated(monkeypatch).calls < first.calls  # the copies were there
    assert Request.objects.count() == first.calls
    assert CallDay.objects.aggregate(n=Sum("calls"))["n"] == first.calls
