"""Models x capabilities: the verdict that says something, what is being tried, which pools that opens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from rotation.discovery.matrix import QUEUED, matrix, openings
from rotation.discovery.verify.suite import SUITE
from rotation.models import Deployment, Verification, VerificationRun, VerificationTask
from tests.models import rows

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def seen(deployment: Deployment, capability: str, verdict: str, *, hours: float = 0, score: float | None = None):
    return Verification.objects.create(
        deployment=deployment, capability=capability, verdict=verdict, score=score, at=NOW - timedelta(hours=hours)
    )


def queued(deployment: Deployment, *capabilities: str):
    run = VerificationRun.objects.create(started_by="alice")
    for capability in capabilities:
        VerificationTask.objects.create(run=run, deployment=deployment, capability=capability)


def test_the_newest_verdict_that_says_something_stands_before_newer_ones_that_do_not():
    one = rows.deployment()
    seen(one, "tools", "incompatible", hours=9)
    seen(one, "tools", "verified", hours=5, score=4.2)
    seen(one, "tools", "rate_limited", hours=1)
    seen(one, "code", "inconclusive", hours=3)
    queued(one, "tools", "code", "stop")
    cells = matrix([one.pk])[one.pk]
    assert {name: cell.verdict for name, cell in cells.items()} == {"tools": "verified", "code": QUEUED, "stop": QUEUED}
    assert cells["tools"].score == 4.2
    assert cells["tools"].proved


def test_any_number_of_models_is_one_question_and_capabilities_stand_in_the_suite_s_order(
    django_assert_num_queries: DjangoAssertNumQueries,
):
    many = [rows.deployment() for _ in range(5)]
    for one in many:
        for capability in ["retired_long_ago", *list(SUITE)[::-1]]:
            seen(one, capability, "verified", score=5)
    with django_assert_num_queries(1):
        found = matrix([one.pk for one in many])
    assert all(list(row) == [*SUITE, "retired_long_ago"] for row in found.values())
    assert found[many[0].pk]["retired_long_ago"].label == "retired long ago"
    assert matrix([]) == {}


def test_a_pool_is_opened_by_what_was_seen_not_by_what_a_vendor_says():
    one = rows.deployment(tools=True, free=True)
    pools = [rows.pool(name="agents", admits={"free": True, "capabilities": ["tools"]})]
    assert not openings(one, matrix([one.pk]).get(one.pk, {}), pools)[0].open
    seen(one, "tools", "verified", score=5)
    assert openings(one, matrix([one.pk])[one.pk], pools)[0].open
    seen(one, "tools", "incompatible", hours=-1)
    assert "not proved" in openings(one, matrix([one.pk])[one.pk], pools)[0].objections[0]
