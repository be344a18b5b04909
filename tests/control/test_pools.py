"""Pools and their places: two editors notice each other, positions stay an order."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotation.control import placements, pools
from rotation.control.fields import ChangedMeanwhile
from rotation.models import Placement, Pool
from rotation.models.pools import LAST, placements_in_order
from tests.models import rows

pytestmark = pytest.mark.django_db


def order(pool: Pool) -> list[int]:
    return [placement.deployment_id for placement in placements_in_order(pool)]


def filled(size: int) -> tuple[Pool, list[Placement]]:
    pool = rows.pool()
    return pool, [pool.place(rows.deployment()) for _ in range(size)]


def test_who_edits_what_somebody_else_changed_is_told_so(olga):
    pool, (first, _) = filled(2)
    seen = pool.version
    pools.change(olga, pool, version=seen, strategy="fastest")
    for attempt in (
        lambda: pools.change(olga, pool, version=seen, strategy="cheapest"),
        lambda: pools.remove(olga, pool, version=seen),
        lambda: placements.move(olga, first, 2, version=seen),
        lambda: placements.change(olga, first, pinned=True, version=seen),
        lambda: placements.remove(olga, first, version=seen),
        lambda: placements.place(olga, pool, rows.deployment(), version=seen),
    ):
        with pytest.raises(ChangedMeanwhile):
            attempt()
    assert Pool.objects.get(pk=pool.pk).strategy == "fastest"


def test_who_looked_before_somebody_else_changed_something_takes_nothing_back(olga):
    pool, places = filled(3)
    seen = [Placement.objects.select_related("pool").get(pk=place.pk) for place in places]
    looked = Pool.objects.get(pk=pool.pk)
    placements.arrange(olga, pool, [place.deployment_id for place in reversed(places)])
    for stale in seen:
        placements.pin(olga, stale)
    assert order(pool) == [place.deployment_id for place in reversed(places)]
    version = Pool.objects.get(pk=pool.pk).version
    pools.change(olga, pool, strategy="fastest")
    pools.change(olga, looked, label="Everyday")
    stored = Pool.objects.get(pk=pool.pk)
    assert (stored.strategy, stored.label) == ("fastest", "Everyday")
    assert stored.version == version + 2


def test_every_change_of_a_place_raises_the_pools_version(olga):
    pool, (first, _) = filled(2)
    versions = []
    for act in (
        lambda: placements.move(olga, first, 2),
        lambda: placements.pin(olga, first),
        lambda: placements.place(olga, pool, rows.deployment()),
        lambda: placements.remove(olga, first),
    ):
        act()
        versions.append(Pool.objects.get(pk=pool.pk).version)
    assert versions == sorted(set(versions))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_moving_moves_one_and_keeps_the_order_of_the_others(olga, data):
    pool, places = filled(data.draw(st.integers(1, 5)))
    generic = rows.provider(kind="generic", base_url="http://127.0.0.1:1/v1")
    places += [pool.place(rows.deployment(provider=generic)) for _ in range(data.draw(st.integers(0, 2)))]
    moved = data.draw(st.sampled_from(places))
    position = data.draw(st.integers(1, len(places) + 2))
    others = [pk for pk in order(pool) if pk != moved.deployment_id]
    placements.move(olga, Placement.objects.get(pk=moved.pk), position)
    others.insert(min(position, len(others) + 1) - 1, moved.deployment_id)
    assert order(pool) == others
    numbered = [p.position for p in placements_in_order(pool) if p.position != LAST]
    assert numbered == list(range(1, len(numbered) + 1))


def test_who_waits_at_the_end_of_the_line_stays_there(olga):
    pool, _ = filled(2)
    generic = rows.provider(kind="generic", base_url="http://127.0.0.1:1/v1")
    waiting = pool.place(rows.deployment(provider=generic))
    new = placements.place(olga, pool, rows.deployment(), position=1)
    waiting.refresh_from_db()
    assert (new.position, waiting.position) == (1, LAST)


def test_an_order_must_name_everybody_once(olga):
    pool, (first, second) = filled(2)
    for wrong in ([first.deployment_id], [first.deployment_id] * 2, [first.deployment_id, second.deployment_id, 10**9]):
        with pytest.raises(ValidationError, match="every model of this pool once"):
            placements.arrange(olga, pool, wrong)
    placements.arrange(olga, pool, [second.deployment_id, first.deployment_id], why="quicker")
    assert order(pool) == [second.deployment_id, first.deployment_id]
    assert {p.why for p in placements_in_order(pool)} == {"quicker"}


@pytest.mark.parametrize(
    "fields",
    [
        {"strategy": "luck"},
        {"policy": {"patience": "much"}},
        {"policy": {"no such knob": 1}},
        {"admits": {"free": "yes"}},
        {"admits": {"nobody": 1}},
        {"admits": [1]},
        {"admits": {"context": -1}},
        {"canary_share": 0.5},
        {"canary_share": float("nan")},
        {"name": ""},
        {"label": "a\0"},
        {"version": 3, "nonsense": 1},
    ],
    ids=str,
)
def test_a_pool_that_could_not_work_is_refused(olga, fields):
    with pytest.raises(ValidationError) as refused:
        pools.change(olga, rows.pool(version=3), **fields)
    assert set(refused.value.message_dict) <= {*fields, "canary_share"}


def test_auto_keeps_its_name_and_stays(olga):
    auto = rows.pool(name="auto")
    with pytest.raises(ValidationError):
        pools.change(olga, auto, name="other")
    with pytest.raises(ValidationError):
        pools.remove(olga, Pool.objects.get(name="auto"))
    assert pools.change(olga, Pool.objects.get(name="auto"), label="Anything").label == "Anything"


@pytest.mark.parametrize("position", [0, -1, 10**9])
def test_a_position_is_one_or_more(olga, position):
    _, (first, _) = filled(2)
    with pytest.raises(ValidationError):
        placements.move(olga, first, position)
