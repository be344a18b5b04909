"""Months of weekly listings replayed: births, deaths and returns are those a plain reading of the weeks gives."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from rotation.discovery import looks
from rotation.models import CatalogueChange, Deployment, LifeStep, Provider
from rotation.providers.base import Listed
from tests.models import rows

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 5, 6, tzinfo=UTC)
WEEK = timedelta(days=7)


def weeks(seed: int, count: int) -> list[set[str]]:
    """Which models stand in each week's listing: some die, some come, some are missing for a week."""
    chance = random.Random(seed)
    alive = {f"acme/m{n}:free" for n in range(60)}
    found, next_one = [], 60
    for _ in range(count):
        alive -= set(chance.sample(sorted(alive), k=chance.randint(0, 5)))
        born = {f"acme/m{n}:free" for n in range(next_one, next_one + chance.randint(0, 5))}
        next_one += len(born)
        alive |= born
        found.append(alive - set(chance.sample(sorted(alive), k=2)))
    return found


def expected(listings: Sequence[set[str]]) -> tuple[dict[str, int | None], dict[str, list[int]]]:
    """By model: the week of its birth (None: there at the first look) and the weeks it was given up, by hand."""
    births: dict[str, int | None] = {}
    deaths: dict[str, list[int]] = {}
    missing: dict[str, int] = {}
    for week, listed in enumerate(listings):
        for model in listed:
            births.setdefault(model, None if week == 0 else week)
            missing[model] = 0
        for model in births.keys() - listed:
            missing[model] += 1
            if missing[model] == 2:
                deaths.setdefault(model, []).append(week)
    return births, deaths


def replay(provider: Provider, listings: Sequence[set[str]]) -> None:
    for week, listed in enumerate(listings):
        offers = [Listed(model, context=8192, free=True, price_in=0.0, price_out=0.0) for model in sorted(listed)]
        look = looks.look(provider, partial(list, offers), now=START + week * WEEK)
        assert not look.problem


@pytest.mark.parametrize("seed", [1, 2])
def test_births_and_deaths_of_half_a_year(seed: int) -> None:
    listings = weeks(seed, 26)
    provider = rows.provider(kind="openrouter")
    replay(provider, listings)
    births, deaths = expected(listings)
    stored = {one.model_id: one for one in Deployment.objects.all()}
    assert {model: one.born_at for model, one in stored.items()} == {
        model: None if week is None else START + week * WEEK for model, week in births.items()
    }
    vanished: dict[str, list[int]] = {}
    for model, at in CatalogueChange.objects.filter(change="vanished").order_by("at").values_list("model_id", "at"):
        vanished.setdefault(model, []).append((at - START) // WEEK)
    assert vanished == deaths
    assert {m for m, one in stored.items() if one.status == "gone"} == {
        model for model, at in deaths.items() if all(model not in listed for listed in listings[at[-1] :])
    }
    for model, one in stored.items():
        if one.status == "gone":  # known to the week: the last listing that named it
            last = max(week for week, listed in enumerate(listings) if model in listed)
            assert one.listed_at == START + last * WEEK
    assert LifeStep.objects.filter(step="gone").count() == CatalogueChange.objects.filter(change="vanished").count()


def test_a_pool_never_loses_more_than_half_to_one_look_and_the_rest_waits() -> None:
    provider = rows.provider(kind="openrouter")
    rows.key("sk-or-v1-replay-0123456789", account=rows.account(provider=provider))
    models = {f"acme/m{n}:free" for n in range(30)}
    replay(provider, [models])
    pool = rows.pool(name="auto")
    members = list(Deployment.objects.order_by("id")[:8])
    for member in members:
        pool.place(member)
    left = [Listed(model, context=8192, free=True, price_in=0.0, price_out=0.0)
            for model in sorted(models - {member.model_id for member in members})]  # fmt: skip
    gone, notes = [], []
    for week in range(1, 7):
        found = looks.look(provider, lambda: left, now=START + week * WEEK)
        gone.append(pool.placements.filter(deployment__status="gone").count())
        notes.append(" ".join(found.notes))
    assert gone == [0, 4, 6, 7, 7, 7]
    assert "4 more" not in notes[1]
    assert "kept for now: auto would lose more than half of its members in one run" in notes[1]
    assert notes[5].startswith(f"{members[7].model_id} is not listed any more, but kept")


def test_a_halved_listing_is_believed_when_it_stays_so_or_when_a_person_vouches_for_it() -> None:
    provider = rows.provider(kind="openrouter")
    every = [Listed(f"acme/m{n}") for n in range(40)]
    looks.look(provider, lambda: every, now=START)
    few = every[:10]
    problems = [looks.look(provider, lambda: few, now=START + timedelta(hours=hour)).problem for hour in range(1, 9)]
    assert [bool(problem) for problem in problems] == [True] * 6 + [False] * 2
    assert Deployment.objects.filter(status="gone").count() == 30
    looks.look(provider, lambda: every, now=START + timedelta(hours=10))
    assert not Deployment.objects.filter(status="gone").exists()
    found = looks.look(provider, lambda: few, now=START + timedelta(hours=11), believe=True)
    assert not found.problem
    assert looks.look(provider, list, now=START + timedelta(hours=12), believe=True).problem == "the listing is empty"
