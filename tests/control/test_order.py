"""What people may do to a pool's order: apply, hold, reject, undo, ask for a proposal, and put it in order by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from rotation.control import order as control
from rotation.control import placements
from rotation.models import Deployment, Pool, Reordering
from rotation.reorder import job
from tests.models import rows
from tests.reorder.days import hour_of

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def hour() -> datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def pool() -> Pool:
    """m1 before m2 before m3, and numbers that say m2 is the quickest; changes wait for a person."""
    pool, provider = rows.pool(name="three", reordering="propose"), rows.provider(name="p")
    for n in range(1, 4):
        pool.place(rows.deployment(provider=provider, model_id=f"m{n}"), position=n)
    for name, seconds in (("m1", 2.0), ("m2", 1.0)):
        for back in range(1, 5):
            hour_of(Deployment.objects.get(model_id=name), hour() - back * HOUR, seconds, tries=30)
    return Pool.objects.get(pk=pool.pk)


def stands(pool: Pool) -> list[str]:
    return list(pool.placements.order_by("position", "id").values_list("deployment__model_id", flat=True))


def ids(pool: Pool, *names: str) -> list[int]:
    return [Deployment.objects.get(model_id=name).pk for name in names]


def proposed(by: Any, pool: Pool) -> Reordering:
    found = control.propose_now(by, pool)
    assert found is not None
    return found


def test_a_proposal_on_demand_is_the_same_until_something_changes(pool: Pool, olga: Any, told: Any) -> None:
    change = proposed(olga, pool)
    assert (change.state, stands(pool)) == ("proposed", ["m1", "m2", "m3"])
    assert told() == [("olga", "page", "propose", "pool")]
    assert proposed(olga, pool).pk == change.pk
    assert Reordering.objects.count() == 1


def test_where_the_order_stands_nothing_is_proposed(olga: Any) -> None:
    assert control.propose_now(olga, rows.pool(name="empty")) is None


def test_an_applied_proposal_is_watched_and_signed(pool: Pool, olga: Any, told: Any) -> None:
    change = proposed(olga, pool)
    told()
    control.apply(olga, change)
    change.refresh_from_db()
    assert stands(pool) == ["m2", "m1", "m3"]
    assert (change.state, change.applied_by, change.decided_by) == ("applied", "olga", "olga")
    assert change.watch_until is not None
    assert told() == [("olga", "page", "apply", "reordering")]
    with pytest.raises(ValidationError, match="not open any more: it is applied"):
        control.apply(olga, change)


def test_a_proposal_is_not_applied_to_an_order_that_has_changed(pool: Pool, olga: Any) -> None:
    change = proposed(olga, pool)
    pool.placements.get(deployment__model_id="m3").move(0, "by hand")
    with pytest.raises(ValidationError, match="Ask for a new proposal"):
        control.apply(olga, change)
    change.refresh_from_db()
    assert (change.state, stands(pool)) == ("proposed", ["m3", "m1", "m2"])


def test_held_means_that_nothing_moves_for_a_day(pool: Pool, olga: Any, told: Any) -> None:
    change = proposed(olga, pool)
    told()
    control.hold(olga, change)
    assert told() == [("olga", "page", "hold", "reordering")]
    Pool.objects.update(reordering="automatic")
    assert "held by olga until" in job.reorder(Pool.objects.get(pk=pool.pk), timezone.now())
    assert stands(pool) == ["m1", "m2", "m3"]
    change.refresh_from_db()
    control.apply(olga, change)
    assert stands(pool) == ["m2", "m1", "m3"]


def test_what_was_rejected_is_not_proposed_again_from_the_same_numbers(pool: Pool, olga: Any, told: Any) -> None:
    change = proposed(olga, pool)
    told()
    control.reject(olga, change)
    assert told() == [("olga", "page", "reject", "reordering")]
    assert control.propose_now(olga, pool) is None
    assert job.reorder(Pool.objects.get(pk=pool.pk), timezone.now()) == ""
    with pytest.raises(ValidationError, match="it is rejected"):
        control.hold(olga, change)
    Reordering.objects.update(decided_at=timezone.now() - 25 * HOUR)
    assert control.propose_now(olga, pool) is not None


def test_undo_is_one_click_and_says_why_not(pool: Pool, olga: Any, told: Any) -> None:
    change = control.apply(olga, proposed(olga, pool))
    told()
    control.undo(olga, change)
    assert stands(pool) == ["m1", "m2", "m3"]
    assert told() == [("olga", "page", "undo", "reordering")]
    with pytest.raises(ValidationError, match="was undone already, by olga"):
        control.undo(olga, change)


def test_an_order_by_hand_is_in_the_history_and_can_be_undone(pool: Pool, olga: Any) -> None:
    waiting = proposed(olga, pool)
    placements.arrange(olga, pool, ids(pool, "m3", "m1", "m2"), why="I know better")
    change = Reordering.objects.get(applied_by="olga")
    assert change.reason == "p/m3 from place 3 to 1: I know better"
    assert (change.state, change.watch_until) == ("kept", None)
    waiting.refresh_from_db()
    assert waiting.state == "superseded"
    control.undo(olga, change)
    assert stands(pool) == ["m1", "m2", "m3"]


def test_what_a_person_swapped_is_left_so_for_a_day(pool: Pool, olga: Any) -> None:
    control.apply(olga, proposed(olga, pool))
    pool.refresh_from_db()
    placements.move(olga, pool.placements.get(deployment__model_id="m1"), 1)
    assert stands(pool) == ["m1", "m2", "m3"]
    assert control.propose_now(olga, pool) is None
    assert not Reordering.objects.filter(state="applied").exists(), "what was watched is over"
    Reordering.objects.update(applied_at=timezone.now() - 25 * HOUR)
    assert control.propose_now(olga, pool) is not None


def test_a_move_that_moves_nobody_is_no_change_of_the_order(pool: Pool, olga: Any) -> None:
    placements.move(olga, pool.placements.get(deployment__model_id="m1"), 1)
    placements.arrange(olga, pool, ids(pool, "m1", "m2", "m3"))
    assert not Reordering.objects.exists()
