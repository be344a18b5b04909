"""Once a week each pool is told how far it was from the best fixed order in hindsight, in words with an interval."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from rotation.models import RegretReport
from rotation.replay import weekly

pytestmark = pytest.mark.django_db


@pytest.fixture
def week(yesterday):
    """Last week's calls, looked back on from this one."""
    yesterday.calls(400)
    return weekly.monday_of(yesterday.now - timedelta(hours=12)), yesterday.now + timedelta(days=7)


def test_the_better_order_is_found_and_what_it_would_have_saved(yesterday, week):
    monday, now = week
    report = weekly.report(yesterday.pool, monday, now)
    result = report.result
    assert result["order"][0] == "groq/quick"
    assert result["best"] == pytest.approx(1.0, abs=0.2)
    assert result["regret"] == pytest.approx(1.9, abs=0.4)
    assert result["interval"][0] < result["regret"] < result["interval"][1]
    assert "with groq/quick first" in result["words"]
    assert "were lost on each" in result["words"]


def test_the_job_makes_each_report_once(yesterday, week):
    _, now = week
    assert weekly.report_all(now).startswith("auto: A call took")
    assert weekly.report_all(now) == "every report was made"
    assert RegretReport.objects.count() == 1


def test_an_order_that_was_the_best_has_nothing_to_regret(yesterday, week):
    monday, now = week
    from rotation.models import Attempt, Request

    Attempt.objects.filter(deployment_id=yesterday.quick.pk).update(total_ms=9000.0, first_ms=3000.0)
    Request.objects.filter(deployment_id=yesterday.quick.pk).delete()
    result = weekly.report(yesterday.pool, monday, now).result
    assert result["order"][0] == "groq/slow"
    assert "no difference that" in result["words"] or "no fixed order" in result["words"]


def test_a_week_with_few_calls_says_nothing(yesterday):
    yesterday.calls(50)
    assert weekly.report(yesterday.pool, weekly.monday_of(yesterday.now), yesterday.now) is None
    assert weekly.report_all() == "every report was made"


def test_weeks_begin_on_monday():
    from datetime import UTC, datetime

    assert weekly.monday_of(datetime(2025, 10, 19, 23, 59, tzinfo=UTC)) == date(2025, 10, 13)
    assert weekly.monday_of(datetime(2025, 10, 20, 0, 0, tzinfo=UTC)) == date(2025, 10, 20)
