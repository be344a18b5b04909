"""The upkeep: days are there before they are needed, and what is past its time goes in small steps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from rotation import partitions
from rotation.jobs import upkeep
from rotation.models import CallHour, CallMinute, DayStat, HourStat, JobRun, MinuteStat, Request
from tests.models import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def old() -> None:
    """One row of everything, of 100 days ago and of now."""
    for at in (timezone.now() - timedelta(days=100), timezone.now()):
        for stat in (MinuteStat, HourStat, DayStat):
            stat.objects.create(at=at, deployment_id=1, key_id=1)
        for calls in (CallMinute, CallHour):
            calls.objects.create(at=at, pool="auto", simulated=False)
        JobRun.objects.create(job="keys", slot=at)
        rows.request(at)


def test_what_is_past_its_time_goes_and_days_stay(old: None, settings: Any) -> None:
    settings.ROTATION_KEEP_DAYS = 30
    told = upkeep.keep_partitions()
    assert told == "17 partitions made, 1 dropped (0 MB), 5 older rows deleted"
    for table in (MinuteStat, HourStat, CallMinute, CallHour, JobRun, Request):
        assert table.objects.count() == 1, table
    assert DayStat.objects.count() == 2
    assert upkeep.keep_partitions() == "0 partitions made, 0 dropped (0 MB), 0 older rows deleted"


def test_rows_go_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "AT_ONCE", 3)
    then = timezone.now() - timedelta(days=10)
    MinuteStat.objects.bulk_create(
        MinuteStat(at=then - timedelta(minutes=n), deployment_id=1, key_id=1) for n in range(10)
    )
    assert upkeep._delete("rotation_minutestat", "at", 3) == 10
    assert not MinuteStat.objects.exists()


def test_retention_follows_the_settings(old: None, settings: Any) -> None:
    settings.ROTATION_KEEP_DAYS = settings.ROTATION_KEEP_HOURS_DAYS = settings.ROTATION_KEEP_MINUTES_DAYS = 400
    partitions.ensure()
    assert "1 older rows deleted" in upkeep.keep_partitions()
    assert Request.objects.count() == MinuteStat.objects.count() == HourStat.objects.count() == 2
