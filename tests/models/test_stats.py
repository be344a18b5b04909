"""The roll-ups as the ledger uses them: added to in SQL, with nothing but the natural key given."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection

from rotation.models import CallDay, CallHour, CallMinute, DayStat, HourStat, MinuteStat

pytestmark = pytest.mark.django_db
AT = dt.datetime(2025, 10, 25, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("table", [MinuteStat, HourStat, DayStat])
def test_attempts_are_added_to_their_bucket(table):
    statement = f"""
        INSERT INTO {table._meta.db_table} AS s (at, deployment_id, key_id, attempts, cost, first_hist, total_hist)
        VALUES (%s, 1, 2, 3, 0.5, '{{}}', '{{0,1}}')
        ON CONFLICT (at, deployment_id, key_id) DO UPDATE SET attempts = s.attempts + EXCLUDED.attempts
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [AT])
        cursor.execute(statement, [AT])
    row = table.objects.get(pk=(AT, 1, 2))
    assert (row.attempts, row.ok, row.simulated, row.total_hist, row.cost) == (6, 0, False, [0, 1], 0.5)
    assert "deployment 1: 0/6" in str(row)


@pytest.mark.parametrize("table", [CallMinute, CallHour, CallDay])
def test_calls_are_added_to_their_bucket(table):
    statement = f"""
        INSERT INTO {table._meta.db_table} AS s (at, pool, simulated, calls, total_hist, lost_hist)
        VALUES (%s, 'auto', true, 2, '{{}}', '{{}}')
        ON CONFLICT (at, pool, simulated) DO UPDATE SET calls = s.calls + EXCLUDED.calls
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [AT])
        cursor.execute(statement, [AT])
    row = table.objects.get()
    assert (row.calls, row.first_try, row.cost) == (4, 0, 0)
    assert "auto: 4 calls" in str(row)
