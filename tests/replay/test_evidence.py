"""Attempts are drawn from what was measured near in time, at equal work; where nothing was, a prior says so."""

from __future__ import annotations

import random

import pytest

from rotation.core.failures import FailureKind
from rotation.replay.evidence import ENOUGH, SLOT, Level, gathered, known
from rotation.replay.fate import NOBODY, Fates
from tests.replay.parts import NOON, asked, seen

HOUR = 3600.0


def fates(rows, **more):
    return Fates(gathered(rows, {1: None, **more.get("seeds", {})}, {1: "p/one", 2: "p/two"}), 1)


def draws(found, deployment=1, many=400, at=NOON, **how):
    return [found.of(n, asked(at, **how), deployment, 0, at) for n in range(many)]


def test_an_outage_stays_where_it_was():
    bad = [seen(1, FailureKind.OVERLOADED, at=NOON + n) for n in range(40)]
    good = [seen(1, at=NOON + SLOT + n) for n in range(400)]
    found = fates([*bad, *good])
    assert {f.kind for f in draws(found)} == {FailureKind.OVERLOADED}
    assert {f.kind for f in draws(found, at=NOON + SLOT)} == {None}
    assert {f.level for f in draws(found)} == {Level.NEAR}


def test_the_same_hour_of_another_day_is_the_next_best():
    slow = [seen(1, total=9.0, at=NOON + n * 60) for n in range(40)]
    quick = [seen(1, total=1.0, at=NOON + 6 * HOUR + n * 60) for n in range(40)]
    tomorrow = NOON + 24 * HOUR
    found = draws(fates([*slow, *quick]), at=tomorrow)
    assert {(f.level, round(f.total)) for f in found} == {(Level.HOUR, 9)}


def test_else_all_that_was_measured():
    rows = [seen(1, total=t, at=NOON + n * 2 * HOUR) for n, t in enumerate([1.0, 3.0] * 30)]
    found = draws(fates(rows), at=NOON + 7777)
    assert {f.level for f in found} <= {Level.ALL, Level.HOUR}
    assert sum(f.total == pytest.approx(3.0) for f in found) / len(found) == pytest.approx(0.5, abs=0.1)


def test_latency_follows_the_size_of_the_work():
    chance = random.Random(1)
    rows = []
    for n in range(300):
        prompt, answer = chance.randrange(100, 4000), chance.randrange(10, 800)
        luck = chance.lognormvariate(0, 0.1)
        rows.append(
            seen(
                1,
                first=luck * (0.2 + prompt / 4000),
                total=luck * (0.2 + prompt / 4000 + answer / 50),
                prompt=prompt,
                answer=answer,
                at=NOON + n,
            )
        )
    found = fates(rows)
    small, large = (draws(found, prompt=p, answer=a) for p, a in ((200, 20), (4000, 800)))
    assert sum(f.total for f in small) / 400 == pytest.approx(0.65, rel=0.15)
    assert sum(f.total for f in large) / 400 == pytest.approx(17.2, rel=0.1)
    assert sum(f.first for f in large) / 400 == pytest.approx(1.2, rel=0.2)


def test_failures_come_as_often_as_they_did_and_take_as_long():
    rows = [
        seen(1, FailureKind.OVERLOADED if n % 4 == 0 else None, total=0.2 if n % 4 == 0 else 1.0) for n in range(200)
    ]
    found = draws(fates(rows), many=2000)
    failed = [f for f in found if f.kind]
    assert len(failed) / 2000 == pytest.approx(0.25, abs=0.03)
    assert {f.total for f in failed} == {0.2}


def test_the_same_call_meets_the_same_luck_whoever_asks():
    rows = [seen(1, total=1.0 + n / 100) for n in range(100)]
    one, other = fates(rows), fates(rows)
    assert draws(one) == draws(other)
    assert draws(one)[0] != one.of(0, asked(), 1, 1, NOON), "a second visit is another draw"


def test_nothing_measured_means_the_configured_latency_and_says_so():
    found = gathered([], {1: 3.0}, {1: "p/one"})
    assert found[1].prior == ("nothing was measured of p/one: its configured latency of 3 s, answered 4 times in 5")
    drawn = draws(Fates(found, 1), many=1000, prompt=800, answer=200)
    assert {f.level for f in drawn} == {Level.PRIOR}
    assert {f.row for f in drawn} == {NOBODY}
    assert sum(f.kind is None for f in drawn) / 1000 == pytest.approx(0.8, abs=0.05)
    times = sorted(f.total for f in drawn if f.kind is None)
    assert times[len(times) // 2] == pytest.approx(3.0, rel=0.1)


def test_without_any_number_the_others_stand_in():
    rows = [seen(2, total=2.0) for _ in range(50)]
    found = gathered(rows, {1: None, 2: None}, {1: "p/one", 2: "p/two"})
    assert found[1].prior.startswith("nothing was measured of p/one: taken to be like what was measured of the others")
    assert found[2].prior == ""
    assert {round(f.total) for f in draws(Fates(found, 1))} == {2}


@pytest.mark.parametrize("few", [1, 10, 29])
def test_few_measurements_are_mixed_with_a_prior_in_proportion(few):
    found = gathered([seen(1, total=1.0)] * few, {1: 50.0}, {1: "p/one"})
    drawn = draws(Fates(found, 1), many=3000)
    share = sum(f.level is Level.PRIOR for f in drawn) / 3000
    assert share == pytest.approx(1 - few / ENOUGH, abs=0.04)
    assert "only" in found[1].prior


def test_a_million_measurements_are_thinned_and_keep_their_shape():
    rows = [seen(1, total=1.0 + (n % 100) / 100, at=NOON + n / 10) for n in range(30_000)]
    layout = known(rows)
    assert layout.measured == 20_000
    assert sum(row.total for row in layout.rows) / 20_000 == pytest.approx(1.495, abs=0.01)
