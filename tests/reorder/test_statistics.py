"""A pool in numbers: what pages show of every place, with its reason; and what exploring cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rotation.models import Attempt, CallHour, Deployment, HourStat, MinuteStat, Pool, Verification
from rotation.reorder import beliefs
from rotation.reorder.exploring import exploration
from rotation.reorder.statistics import DeploymentStatistics, statistics
from tests.models import rows
from tests.reorder.days import hour_of

pytestmark = pytest.mark.django_db
NOON = datetime(2025, 11, 20, 12, 0, tzinfo=UTC)
NOW = NOON + timedelta(minutes=59)
HOUR = timedelta(hours=1)


@pytest.fixture
def pool() -> Pool:
    pool, provider = rows.pool(name="four"), rows.provider(name="p")
    for n in range(1, 5):
        pool.place(rows.deployment(provider=provider, model_id=f"m{n}", family="fam"), position=n)
    return Pool.objects.get(pk=pool.pk)


def model(name: str) -> Deployment:
    return Deployment.objects.get(model_id=name)


def by_name(pool: Pool) -> dict[str, DeploymentStatistics]:
    return {row.name.partition("/")[2]: row for row in statistics(pool, NOW).deployments}


def test_every_place_has_its_numbers_and_its_reason(pool: Pool) -> None:
    for back in range(3):
        hour_of(model("m1"), NOON - back * HOUR, 1.0, tries=40, lost=0.25)
        hour_of(model("m2"), NOON - back * HOUR, 2.0, tries=40)
    hour_of(model("m3"), NOON, 1.0, tries=10)
    pool.placements.filter(deployment=model("m2")).update(pinned=True)
    Verification.objects.create(
        deployment=model("m4"), capability="answers", verdict="verified", score=4.0, latency_ms=2500.0
    )
    found = by_name(pool)
    first = found["m1"]
    assert (first.place, first.tries, first.ok + first.failed) == (1, 120, 120)
    assert first.share is not None
    assert first.share_low < first.share == first.ok / 120 < first.share_high
    assert sum(first.total_hist) == first.ok == sum(first.first_hist)
    assert first.fail_ms == pytest.approx(2000.0)
    assert first.expected_ms is not None
    assert first.equal_work_ms is not None
    assert first.expected_ms > first.equal_work_ms
    assert first.tokens_per_s == pytest.approx(1000 * 20 / 700, rel=0.2)
    assert (first.sampled, first.tier) == (120, "ultra-fast")
    assert f"{first.ok} of 120 tries answered" in first.reason
    assert "sooner than p/m2 below it" in first.reason
    assert found["m2"].reason.startswith("Pinned here: reordering leaves it. 120 of 120 tries")
    assert "50 tries are needed" in found["m3"].reason
    assert found["m4"].reason.startswith(
        "It stays where it was put. Not tried in the last 24 hours, 2.50 s by its verification."
    )
    assert (found["m4"].quality, found["m4"].prior_ms, found["m3"].prior_from) == (
        4.0, 2500.0, "the middle of the family fam",
    )  # fmt: skip


def test_the_reason_names_who_it_is_compared_with_and_why_they_stay(pool: Pool) -> None:
    """Past whom nobody tried, and past a place that does not move: what is said is what is so."""
    for back in range(3):
        hour_of(model("m1"), NOON - back * HOUR, 2.0, tries=40)
        hour_of(model("m3"), NOON - back * HOUR, 1.97, tries=40)
    assert "p/m3 below it" in by_name(pool)["m1"].reason, "m2 was never tried"
    HourStat.objects.filter(deployment_id=model("m3").pk).delete()
    MinuteStat.objects.filter(deployment_id=model("m3").pk).delete()
    Attempt.objects.filter(deployment_id=model("m3").pk).delete()
    for back in range(3):
        hour_of(model("m3"), NOON - back * HOUR, 0.5, tries=40)
    assert "sure; enough to change places" in by_name(pool)["m1"].reason
    pool.placements.filter(deployment=model("m3")).update(pinned=True)
    assert "p/m3 below it, which stays where it is: it is pinned" in by_name(pool)["m1"].reason


def test_whoever_takes_no_part_says_why(pool: Pool) -> None:
    pool.placements.filter(deployment=model("m1")).update(canary=0.03)
    pool.placements.filter(deployment=model("m2")).update(enabled=False)
    model("m3").mark("gone")
    found = by_name(pool)
    assert found["m1"].reason == "New here: asked first in 3% of the calls, last in line otherwise."
    assert found["m2"].reason == "Switched off in this pool."
    assert found["m3"].reason == "No call goes there: Gone."
    assert not found["m1"].takes_part
    assert found["m4"].takes_part


def test_what_the_jobs_tried_is_no_evidence(pool: Pool) -> None:
    hour_of(model("m1"), NOON, 1.0, tries=40)
    before = by_name(pool)["m1"]
    for n in range(40):
        rows.attempt(NOON + timedelta(minutes=n), deployment_id=model("m1").pk, total_ms=60_000.0, internal=True)
    after = by_name(pool)["m1"]
    assert (after.sampled, after.expected_ms) == (before.sampled, before.expected_ms)


def test_an_empty_pool_has_no_numbers() -> None:
    assert statistics(rows.pool(name="empty"), NOW).deployments == ()


def test_what_exploring_cost_is_told_by_its_cause(pool: Pool) -> None:
    for n in range(20):
        rows.request(NOON + n * timedelta(minutes=1), pool="four", total_ms=1000.0)
    for total, cause in ((3000.0, "stale"), (2000.0, "stale"), (500.0, "contender")):
        policy = {"explored": {"deployment": 1, "cause": cause}}
        rows.request(NOON + timedelta(minutes=5), pool="four", total_ms=total, policy=policy, cost="0.002")
    rows.request(NOON, pool="other", total_ms=9.0, policy={"explored": {"deployment": 1, "cause": "stale"}})
    rows.request(NOON, pool="four", outcome="failed", policy={"explored": {"deployment": 1, "cause": "stale"}})
    CallHour.objects.create(at=NOON, pool="four", simulated=False, calls=400)
    found = exploration("four", NOW)
    assert [(one.cause, one.calls, one.answered, one.extra_ms) for one in found.causes] == [
        ("contender", 1, 1, -500.0), ("stale", 3, 2, 3000.0),
    ]  # fmt: skip
    assert (found.explored, found.calls, found.share, found.extra_ms) == (4, 400, 0.01, 2500.0)
    assert found.extra_usd == pytest.approx(0.006)


def test_without_explorations_nothing_was_spent(pool: Pool) -> None:
    found = exploration("four", NOW)
    assert (found.explored, found.share, found.extra_ms, found.causes) == (0, 0.0, 0.0, ())


def test_a_rate_limited_verification_takes_nothing_back_and_a_long_text_makes_nobody_slow() -> None:
    """Times are those of the base tasks; a later run that was only limited says nothing."""
    one = rows.deployment(provider=rows.provider(), model_id="limited")
    for hours, capability, verdict, score, ms in (
        (9, "short_answer", "verified", 5.0, 800.0), (9, "long_context", "verified", 4.0, 9000.0),
        (1, "short_answer", "rate_limited", None, None),
    ):  # fmt: skip
        Verification.objects.create(
            deployment=one, capability=capability, verdict=verdict, score=score, trials=3, latency_ms=ms,
            at=NOW - hours * HOUR,
        )  # fmt: skip
    found = beliefs.verified([one.pk])[one.pk]
    assert (found.ms, found.score) == (800.0, 4.5)
