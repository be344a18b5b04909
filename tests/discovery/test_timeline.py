"""Half a year of weekly listings, replayed through the real intake; the figures are computed a second time by hand."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from statistics import median

import pytest
import time_machine

from rotation.core.risk import Basis
from rotation.discovery import lives, looks, timeline
from rotation.models import Deployment, DeploymentStatus, Provider
from rotation.providers.base import Listed
from tests.models import rows

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 6, 12, tzinfo=UTC)  # a Tuesday
WEEK = timedelta(weeks=1)
NAMES = 46


@dataclass(frozen=True)
class Shown:
    """A model as one week's listing shows it; None in its place: not listed."""

    free: bool
    price: float  # USD per token
    context: int


World = list[dict[str, Shown]]


def history(seed: int, weeks: int = 26) -> World:
    """Births, deaths, short and long absences, free models that begin to cost, prices and sizes that change."""
    chance = random.Random(seed)
    alive = {f"m{n:02}": Shown(n % 2 == 0, 1e-6 * (n + 1), 8192) for n in range(NAMES)}
    away: dict[str, tuple[int, Shown]] = {}
    world = []
    for week in range(weeks):
        for name in [name for name, (until, _) in away.items() if until == week]:
            alive[name] = away.pop(name)[1]
        for name, one in list(alive.items()) if week else ():
            dice = chance.random()
            if dice < 0.03:
                del alive[name]
            elif dice < 0.06:
                away[name] = (week + chance.choice([1, 2, 3, 4, 6]), alive.pop(name))
            elif dice < 0.09:
                alive[name] = replace(one, free=not one.free)
            elif dice < 0.12:
                alive[name] = replace(one, price=one.price * chance.choice([0.5, 2]))
            elif dice < 0.14:
                alive[name] = replace(one, context=one.context * 2)
        for n in range(chance.choice([0, 1, 1, 2, 3]) if week else 0):
            alive[f"w{week:02}-{n}"] = Shown(chance.random() < 0.7, 1e-6 * chance.randrange(1, 50), 32_768)
        world.append(dict(alive))
    return world


def replay(world: World) -> Provider:
    provider = rows.provider(kind="openrouter")
    for number, listing in enumerate(world):
        moment = START + number * WEEK
        offers = [
            Listed(name, free=one.free, price_in=one.price, price_out=one.price, context=one.context)
            for name, one in sorted(listing.items())
        ]
        with time_machine.travel(moment, tick=False):
            look = looks.look(provider, partial(list, offers))
        assert not look.problem
    return provider


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return [history(seed) for seed in (1, 2)]


def believed(world: World, name: str) -> list[Shown | None]:
    """By week what is held true of a model: after one absence it is still believed there, after two it is gone."""
    known: list[Shown | None] = []
    for week, listing in enumerate(world):
        before = known[-1] if known else None
        missing = name not in listing
        twice = missing and week > 0 and name not in world[week - 1]
        known.append(None if twice else before if missing else listing[name])
    return known


def by_hand(world: World) -> list[tuple[int | None, int, int | None]]:
    """(week of birth or None, first week, week of the end or None) of every life of a free offer."""
    found = []
    for name in sorted({name for listing in world for name in listing}):
        free = [one is not None and one.free for one in believed(world, name)]
        first = next(week for week, listing in enumerate(world) if name in listing)
        lives_: list[list[int | None]] = []
        for week, yes in enumerate(free):
            if yes and (week == 0 or not free[week - 1]):
                if lives_ and week - int(lives_[-1][2] or 0) < 2:
                    lives_[-1][2] = None
                else:
                    lives_.append([None if week == first == 0 else week, week, None])
            elif lives_ and not yes and free[week - 1]:
                lives_[-1][2] = week
        found += [(born, int(seen or 0), end) for born, seen, end in lives_]
    return found


def naive_survival(told: list[tuple[int | None, int, int | None]], last: int, age: int) -> float:
    alive = 1.0
    ages = [((end if end is not None else last) - born, end is not None) for born, _, end in told if born is not None]
    for week in range(1, age + 1):
        there = sum(left >= week for left, _ in ages)
        ended = sum(left == week and died for left, died in ages)
        alive *= (there - ended) / there if there else 1
    return alive


def test_how_long_free_offers_live_is_what_counting_by_hand_says(worlds: list[World]):
    for world in worlds:
        provider = replay(world)
        last = len(world) - 1
        now = START + last * WEEK
        told = by_hand(world)
        known = lives.lives(now, simulated=False, provider=provider.name)
        assert known.curve.lives == sum(born is not None and (end or last) > born for born, _, end in told)
        assert sum(offer.ended is not None for offer in known.offers) == sum(end is not None for _, _, end in told)
        for age in range(1, last):
            assert known.curve.survival(7 * age) == pytest.approx(naive_survival(told, last, age)), age
        halved = next((7 * age for age in range(1, last) if naive_survival(told, last, age) <= 0.5), None)
        assert known.curve.median().age == halved
        exposure = sum(7 * ((end if end is not None else last) - seen) for _, seen, end in told)
        assert known.rate is not None
        assert known.rate.exposure == pytest.approx(exposure)
        assert known.ages_unknown == sum(born is None for born, _, _ in told)
        assert known.ages_unknown > 10


def test_every_model_s_risk_is_what_its_age_says(worlds: list[World]):
    world = worlds[0]
    replay(world)
    last, told = len(world) - 1, by_hand(world)
    known = lives.lives(START + last * WEEK, simulated=False)
    seen = set()
    for pk, offer in known.present.items():
        found = known.risk(pk)
        assert found is not None
        seen.add(found.basis)
        if found.basis is Basis.AGE:
            assert offer.born is not None
            age = (known.now - offer.born).days // 7
            later = naive_survival(told, last, age + 4) / naive_survival(told, last, age)  # 30 days: four weekly looks
            assert found.chance == pytest.approx(1 - later)
        assert 0 <= found.low <= found.chance <= found.high <= 1
    assert seen == {Basis.AGE, Basis.RATE}
    pk = next(iter(known.present))
    soon = known.now.date() + timedelta(days=20)
    assert known.risk(pk, soon).chance == 1  # type: ignore[union-attr]
    assert known.risk(pk, soon + timedelta(days=99)) == known.risk(pk)
    paid = Deployment.objects.filter(free=False).first()
    assert paid is not None
    assert known.risk(paid.pk) is None


def test_every_week_of_the_timeline_is_what_the_listings_said(worlds: list[World]):
    world = worlds[0]
    provider = replay(world)
    now = START + (len(world) - 1) * WEEK
    found = timeline.weeks(now, simulated=False, provider=provider.name)
    assert [week.at for week in found] == [START.replace(hour=0) - timedelta(days=1) + n * WEEK for n in range(26)]
    names = sorted({name for listing in world for name in listing})
    known = {name: believed(world, name) for name in names}
    for n, week in enumerate(found):
        there = [one for name in names if (one := known[name][n])]
        assert (week.listed, week.free) == (len(there), sum(one.free for one in there)), n
        prices = [Decimal(str(round(one.price * 1e6, 6))) for one in there if not one.free]
        assert week.price == pytest.approx(median(prices))
        assert week.context == round(median(one.context for one in there))
        if n == 0:
            continue
        pairs = [(known[name][n - 1], known[name][n]) for name in names]
        assert week.vanished == sum(before is not None and after is None for before, after in pairs)
        came = sum(before is None and after is not None for before, after in pairs)
        new = sum(all(name not in listing for listing in world[:n]) and name in world[n] for name in names)
        assert (week.born, week.back) == (new, came - new)
        both = [(before, after) for before, after in pairs if before and after]
        assert week.charged >= sum(before.free and not after.free for before, after in both)
        assert week.cheaper + week.dearer >= sum(before.price != after.price for before, after in both)
        assert week.resized >= sum(before.context != after.context for before, after in both)


def test_a_family_or_a_provider_has_a_timeline_of_its_own():
    provider, other = rows.provider(kind="openai"), rows.provider(kind="openai")
    for one, models in ((provider, ("llama-3-8b", "qwen-2-7b")), (other, ("llama-3-70b",))):
        looks.look(one, lambda models=models: [Listed(name, free=True) for name in models])
    now = datetime.now(UTC)
    assert [w.listed for w in timeline.weeks(now, simulated=False)] == [3]
    assert [w.listed for w in timeline.weeks(now, simulated=False, provider=provider.name)] == [2]
    family = Deployment.objects.get(model_id="llama-3-8b").family
    expected = Deployment.objects.filter(family=family).count()
    assert [w.listed for w in timeline.weeks(now, simulated=False, family=family)] == [expected]
    assert timeline.weeks(now, simulated=True)[0].listed == 0
    assert len(lives.lives(now, simulated=False, provider=other.name).offers) == 1


def test_a_birth_seen_elsewhere_counts_from_the_age_at_which_it_was_first_seen_here():
    provider = rows.provider(kind="openai")
    with time_machine.travel(START, tick=False):
        looks.look(provider, lambda: [Listed("old", free=True)])
    Deployment.objects.update(born_at=START - timedelta(days=40))
    known = lives.lives(START + timedelta(days=10), simulated=False)
    assert [(life.entered, life.left) for offer in known.offers if (life := offer.life(known.now))] == [(40, 50)]


def test_models_nobody_lists_have_no_life_and_an_empty_catalogue_no_figures():
    rows.deployment(free=True, status=DeploymentStatus.CANDIDATE)
    now = datetime.now(UTC)
    known = lives.lives(now, simulated=False)
    assert (known.offers, known.curve.median().age, known.rate) == ((), None, None)
    assert timeline.weeks(now, simulated=False)[-1].listed == 0
    assert lives.risks(known, Deployment.objects.all()) == {}
    assert known.risk(1, date(2026, 1, 1)) is None
