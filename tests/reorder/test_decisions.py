"""A proposal from its evidence to its end: applied or waiting, superseded, watched, rolled back or kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rotation.control import order as control
from rotation.control import placements
from rotation.control.by import By
from rotation.models import AuditEvent, Deployment, Door, HourStat, Pool, Reordering
from rotation.reorder import job
from rotation.reorder.finding import find
from rotation.reorder.statistics import statistics
from rotation.reorder.watch import look
from tests.models import rows
from tests.reorder.days import hour_of

pytestmark = pytest.mark.django_db
NOON = datetime(2025, 11, 20, 12, 0, tzinfo=UTC)
NOW = NOON + timedelta(minutes=35)
HOUR = timedelta(hours=1)


@pytest.fixture
def pool() -> Pool:
    """m1 before m2 before m3."""
    pool, provider = rows.pool(name="three"), rows.provider()
    for n in range(1, 4):
        pool.place(rows.deployment(provider=provider, model_id=f"m{n}"), position=n * 10, why="starter data")
    return Pool.objects.get(pk=pool.pk)


def model(name: str) -> Deployment:
    return Deployment.objects.get(model_id=name)


def order(pool: Pool) -> list[str]:
    return list(pool.placements.order_by("position", "id").values_list("deployment__model_id", flat=True))


def day(
    name: str, seconds: float, *, hours: int = 6, until: datetime = NOON, tries: int = 30, lost: float = 0.0
) -> None:
    """The hours before `until`, and the one that begins there."""
    for back in range(hours):
        hour_of(model(name), until - back * HOUR, seconds, tries=tries, lost=lost)


def set_mode(pool: Pool, mode: str) -> Pool:
    Pool.objects.filter(pk=pool.pk).update(reordering=mode)
    return Pool.objects.get(pk=pool.pk)


def test_a_swap_is_made_with_its_evidence_confidence_and_a_watch(pool: Pool) -> None:
    day("m1", 3.0)
    day("m2", 1.0)
    told = job.reorder(pool, NOW)
    change = Reordering.objects.get()
    assert order(pool) == ["m2", "m1", "m3"]
    assert (change.state, change.watch_until) == ("applied", NOW + 6 * HOUR)
    assert change.confidence is not None
    assert change.confidence > 0.99
    swap = change.evidence["swaps"][0]
    assert (swap["up_name"], swap["down_name"], swap["hours"], swap["made"]) == (
        model("m2").name, model("m1").name, 6, True,
    )  # fmt: skip
    assert change.evidence["work"] == {"tokens_in": 100.0, "tokens_out": 20.0}
    assert "99.9% sure over 6 shared hours" in told
    assert "sure over 6 shared hours" in pool.placements.get(deployment=model("m2")).why


def test_answers_of_other_lengths_are_compared_at_equal_work(pool: Pool) -> None:
    """m1 writes ten times as much in three times the time: at equal work it is the quicker one."""
    for back in range(6):
        hour_of(model("m1"), NOON - back * HOUR, 0.2, out=(100, 600), per_token=0.008)
        hour_of(model("m2"), NOON - back * HOUR, 0.2, out=(20, 80), per_token=0.016)
    evidence = find(pool, NOW).evidence
    one, two = evidence[model("m1").pk], evidence[model("m2").pk]
    assert one.p50_ms is not None
    assert two.p50_ms is not None
    assert one.p50_ms > 1.5 * two.p50_ms, "as it was"
    assert one.mean_ms is not None
    assert two.mean_ms is not None
    assert two.mean_ms > 1.2 * one.mean_ms, "at equal work"
    assert job.reorder(pool, NOW) == ""


def test_what_is_likely_but_not_sure_waits_for_a_person(pool: Pool) -> None:
    day("m1", 1.5, hours=5, tries=12)
    day("m2", 1.0, hours=5, tries=12)
    found = find(pool, NOW)
    (pair,) = found.compared
    assert found.compared[pair].confidence > 0.9
    Pool.objects.filter(pk=pool.pk).update(reordering="propose")
    pool.refresh_from_db()
    told = job.reorder(pool, NOW)
    assert told.startswith("proposed (")
    assert "waiting for a person" in told
    assert order(pool) == ["m1", "m2", "m3"]
    assert Reordering.objects.get().state == "proposed"


def test_the_same_proposal_is_made_once_and_another_one_takes_its_place(pool: Pool) -> None:
    pool = set_mode(pool, "propose")
    day("m1", 3.0)
    day("m2", 1.0)
    job.reorder(pool, NOW)
    assert job.reorder(pool, NOW + HOUR) == ""
    assert Reordering.objects.count() == 1
    day("m3", 0.3)
    job.reorder(pool, NOW + HOUR)
    first, second = Reordering.objects.order_by("at")
    assert (first.state, second.state) == ("superseded", "proposed")
    assert job.reorder(pool, NOW + 40 * HOUR) == "", "the numbers ask for nothing any more"
    second.refresh_from_db()
    assert second.state == "superseded"


def test_a_pool_switched_off_is_left_alone(pool: Pool) -> None:
    set_mode(pool, "off")
    day("m1", 3.0)
    day("m2", 1.0)
    assert job.reorder_all(NOW) == "every order stands"
    assert not Reordering.objects.exists()


def test_a_generic_endpoint_stays_last_unless_it_was_placed(pool: Pool) -> None:
    generic = rows.deployment(provider=rows.provider(kind="generic", base_url="http://x.example/v1"), model_id="g")
    placement = pool.place(generic)
    assert placement.position == 999
    for name, seconds in (("m1", 3.0), ("m2", 3.0), ("m3", 3.0), ("g", 0.1)):
        day(name, seconds)
    assert job.reorder(Pool.objects.get(pk=pool.pk), NOW) == ""
    placement.move(40, "by hand")
    job.reorder(Pool.objects.get(pk=pool.pk), NOW)
    assert order(pool)[0] == "g"


def test_a_canary_takes_no_part(pool: Pool) -> None:
    pool.placements.filter(deployment__model_id="m3").update(canary=0.03)
    day("m1", 3.0)
    day("m3", 0.1)
    assert job.reorder(pool, NOW) == ""


def test_the_policy_weighs_cost_and_quality(pool: Pool) -> None:
    """m2 is twice as quick and costs a hundredth of a USD a call."""
    Deployment.objects.filter(model_id="m1").update(free=True)
    Deployment.objects.filter(model_id="m2").update(price_in=50, price_out=250)
    day("m1", 2.0)
    day("m2", 1.0)
    Pool.objects.filter(pk=pool.pk).update(policy={"cost_weight": 1.0})
    assert job.reorder(Pool.objects.get(pk=pool.pk), NOW) == ""
    Pool.objects.filter(pk=pool.pk).update(policy={"cost_weight": 0.01})
    assert job.reorder(Pool.objects.get(pk=pool.pk), NOW) != ""
    assert order(pool)[0] == "m2"
    figures = {row["name"]: row for row in Reordering.objects.get().evidence["deployments"]}
    assert figures[model("m2").name]["usd"] == pytest.approx(0.01)
    assert figures[model("m2").name]["charged_ms"] == pytest.approx(100.0)


@pytest.fixture
def swapped(pool: Pool) -> Reordering:
    """m2 has just passed m1."""
    day("m1", 2.0)
    day("m2", 1.0)
    job.reorder(pool, NOW)
    return Reordering.objects.get()


def later(pool: Pool) -> Pool:
    return Pool.objects.get(pk=pool.pk)


def test_a_change_that_turns_out_worse_is_rolled_back_within_its_watch(pool: Pool, swapped: Reordering) -> None:
    """Once it is first it is overrun."""
    hour_of(model("m1"), NOON + HOUR, 2.0, tries=40)
    hour_of(model("m2"), NOON + HOUR, 6.0, tries=100)
    told = job.reorder(later(pool), NOW + HOUR + 20 * timedelta(minutes=1))
    assert told.startswith("rolled back, for it turned out worse: 5.")
    assert order(pool) == ["m1", "m2", "m3"]
    swapped.refresh_from_db()
    assert (swapped.state, swapped.undone_by) == ("rolled_back", "rotation")
    assert swapped.undone_at is not None
    assert swapped.watch_until is not None
    assert swapped.undone_at < swapped.watch_until
    assert swapped.watched["verdict"] == "worse"
    assert AuditEvent.objects.latest("pk").action == "roll back"
    quick = NOON + 3 * HOUR
    hour_of(model("m1"), quick, 2.0, tries=60)
    hour_of(model("m2"), quick, 0.1, tries=60)
    job.reorder(later(pool), quick + HOUR)
    assert order(pool) == ["m1", "m2", "m3"], "the same swap is not made again within a day"


def test_two_that_look_at_once_roll_back_once(pool: Pool, swapped: Reordering) -> None:
    hour_of(model("m1"), NOON + HOUR, 2.0, tries=40)
    hour_of(model("m2"), NOON + HOUR, 6.0, tries=100)
    one, other = Reordering.objects.get(), Reordering.objects.get()
    assert look(one, NOW + HOUR).startswith("rolled back")
    assert look(other, NOW + HOUR) == ""
    swapped.refresh_from_db()
    assert (swapped.state, order(pool)) == ("rolled_back", ["m1", "m2", "m3"])


def test_a_world_that_got_slower_rolls_nothing_back(pool: Pool, swapped: Reordering) -> None:
    for n in range(1, 4):
        hour_of(model("m1"), NOON + n * HOUR, 8.0, tries=40)
        hour_of(model("m2"), NOON + n * HOUR, 4.0, tries=100)
    told = job.reorder(later(pool), NOW + 4 * HOUR)
    assert told.startswith("the last change is kept: ")
    swapped.refresh_from_db()
    assert (swapped.state, swapped.watched["verdict"]) == ("kept", "better")
    assert order(pool) == ["m2", "m1", "m3"]


def test_a_watch_without_enough_tries_ends_by_keeping(pool: Pool, swapped: Reordering) -> None:
    hour_of(model("m2"), NOON + HOUR, 4.0, tries=100)
    assert "is watched until" in job.reorder(later(pool), NOW + 2 * HOUR)
    swapped.refresh_from_db()
    assert swapped.watched["verdict"] == "watching"
    assert job.reorder(later(pool), NOW + 6 * HOUR).startswith("the last change is kept")


def test_an_order_changed_by_somebody_since_is_not_judged(pool: Pool, swapped: Reordering) -> None:
    pool.placements.get(deployment=model("m1")).move(5, "by hand")
    told = job.reorder(later(pool), NOW + 2 * HOUR)
    assert told.startswith("the last change is kept: The order was changed since.")


def test_what_is_read_does_not_grow_with_the_traffic(pool: Pool) -> None:
    day("m1", 1.0, hours=2, tries=10)
    with CaptureQueriesContext(
        connection,
    ) as few:
        find(pool, NOW)
    day("m2", 1.0, hours=2, tries=400)
    with CaptureQueriesContext(connection) as many:
        found = find(pool, NOW)
    assert len(many) == len(few) <= 5
    assert found.evidence[model("m2").pk].tries == 800
    assert len(found.window.tries[model("m2").pk]) <= 2 * 120


def test_a_page_read_in_a_zone_of_half_hours_sees_the_same_hours(pool: Pool) -> None:
    day("m1", 3.0)
    plain = find(pool, NOW).window.measured[model("m1").pk].hours
    with timezone.override("Asia/Kolkata"):
        assert find(pool, NOW).window.measured[model("m1").pk].hours == plain


def test_what_was_pinned_since_a_proposal_is_not_moved_by_it(pool: Pool) -> None:
    pool = set_mode(pool, "propose")
    day("m1", 3.0)
    day("m2", 1.0)
    job.reorder(pool, NOW)
    pool.placements.filter(deployment=model("m1")).update(pinned=True)
    with pytest.raises(ValidationError, match="Ask for a new proposal"):
        control.apply(By("ada", Door.PAGE), Reordering.objects.get())
    assert order(pool) == ["m1", "m2", "m3"]


def test_a_change_is_undone_though_somebody_came_or_went_since(pool: Pool, swapped: Reordering) -> None:
    """A new first member shifts all the others, and the last one is taken away: the swap is undone all the same."""
    new = rows.deployment(provider=model("m1").provider, model_id="m0")
    by = By("ada", Door.PAGE)
    placements.place(by, Pool.objects.get(pk=pool.pk), new, position=1)
    placements.remove(by, pool.placements.get(deployment=model("m3")))
    assert order(pool) == ["m0", "m2", "m1"]
    hour_of(model("m1"), NOON + HOUR, 2.0, tries=40)
    hour_of(model("m2"), NOON + HOUR, 9.0, tries=100)
    assert "rolled back" in job.reorder(later(pool), NOW + 2 * HOUR)
    assert order(pool) == ["m0", "m1", "m2"]
    assert len(set(pool.placements.values_list("position", flat=True))) == 3


def test_a_watch_ends_when_who_was_swapped_is_gone(pool: Pool, swapped: Reordering) -> None:
    placements.remove(By("ada", Door.PAGE), pool.placements.get(deployment=model("m1")))
    assert "The order was changed since" in job.reorder(later(pool), NOW + 2 * HOUR)


def test_a_rate_limit_is_told_as_one(pool: Pool) -> None:
    day("m1", 3.0)
    HourStat.objects.filter(deployment_id=model("m1").pk).update(rate_limited=10)
    told = statistics(pool, NOW).deployments[0].reason
    assert "180 of 240 tries answered (60 met a rate limit)" in told


@pytest.mark.parametrize("change", [{"reordering": "off"}, {"strategy": "fastest"}])
def test_a_watch_nobody_would_look_at_again_ends(pool: Pool, swapped: Reordering, change: dict[str, str]) -> None:
    Pool.objects.filter(pk=pool.pk).update(**change)
    assert "nobody watches it any more" in job.reorder_all(NOW)
    swapped.refresh_from_db()
    assert swapped.state == "kept"
    assert job.reorder_all(NOW) == "every order stands"


def test_trouble_with_one_pool_keeps_nobody_from_the_next(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Pool.objects.create(name="a-broken-one")
    looked: list[str] = []

    def look(one: Pool, now: object) -> str:
        looked.append(one.name)
        if one == broken:
            raise ValueError("odd rows")
        return "moved"

    monkeypatch.setattr("rotation.reorder.job.reorder", look)
    with pytest.raises(RuntimeError, match=r"a-broken-one: ValueError: odd rows; .*moved"):
        job.reorder_all(NOW)
    assert looked[0] == "a-broken-one"
    assert pool.name in looked
