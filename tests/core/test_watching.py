"""A change judged by what came after it: both orders by the same measurements of the same time."""

from __future__ import annotations

import random

import pytest

from rotation.core.evidence import NONE, Hour, Measured, Spread
from rotation.core.watching import Chances, Verdict, path_ms, watched


def seen(one: int, ms: float, n: int = 60, lost: int = 0) -> Measured:
    """Three hours that are alike and share these tries."""

    def hour(ok: int, bad: int) -> Hour:
        times = Spread(ok, ms, (0.4 * ms) ** 2) if ok else NONE
        return Hour(ok, bad, times, Spread(bad, 3000.0, 1e5) if bad else NONE)

    return Measured(one, {h: hour(n // 3 + (h < n % 3), lost // 3 + (h < lost % 3)) for h in range(3)})


def look(**measured: Measured) -> Verdict:
    """1 stood before 2, and 2 stands before 1 now."""
    found = {one.deployment: one for one in measured.values()}
    order = sorted(found)
    return watched(order, [2, 1, *order[2:]], found).verdict


def test_the_path_is_costed_as_it_is_walked():
    sure, half = Chances(1.0, 1000.0, 0.0), Chances(0.5, 400.0, 200.0)
    assert path_ms([1], {1: sure}) == 1000.0
    assert path_ms([2], {2: half}) == 600.0  # half of 400 and half of 200, twice
    assert path_ms([2, 1], {1: sure, 2: half}) == 300.0 + 0.5 * 1000.0
    assert path_ms([1, 2], {1: sure, 2: half}) == 1000.0


def test_what_holds_its_promise_is_better_and_what_does_not_is_worse():
    assert look(a=seen(1, 2000.0), b=seen(2, 1000.0)) is Verdict.BETTER
    assert look(a=seen(1, 1000.0), b=seen(2, 2000.0)) is Verdict.WORSE


def test_too_few_tries_of_either_decide_nothing():
    assert look(a=seen(1, 1000.0, n=19), b=seen(2, 9000.0, n=1000)) is Verdict.WATCHING
    assert look(a=seen(1, 1000.0, n=20), b=seen(2, 9000.0, n=1000)) is Verdict.WORSE
    assert look(a=Measured(1), b=seen(2, 9000.0, n=1000)) is Verdict.WATCHING


def test_nearly_the_same_is_neither():
    assert look(a=seen(1, 1000.0), b=seen(2, 1020.0)) is Verdict.WATCHING
    assert look(a=seen(1, 1000.0, n=100_000), b=seen(2, 1040.0, n=100_000)) is Verdict.WATCHING, "less than the margin"


def test_failures_make_it_worse_too():
    assert look(a=seen(1, 1500.0), b=seen(2, 1000.0, lost=60)) is Verdict.WORSE


def test_a_price_or_a_quality_counts_as_it_did_when_it_was_decided():
    measured = {1: seen(1, 1000.0), 2: seen(2, 1400.0)}
    assert watched([1, 2], [2, 1], measured, burdens={1: 2000.0}).verdict is Verdict.BETTER


def test_places_that_never_mattered_change_nothing():
    """The first answers: who stands third or fourth makes no difference worth rolling back."""
    measured = {1: seen(1, 1000.0, n=5000), 2: seen(2, 1000.0), 3: seen(3, 4000.0), 4: seen(4, 2000.0)}
    found = watched([1, 2, 4, 3], [1, 2, 3, 4], measured)
    assert found.verdict is not Verdict.WORSE
    assert found.after_ms == pytest.approx(found.before_ms, rel=0.05)


def test_it_says_what_it_rests_on():
    words = watched([1, 2], [2, 1], {1: seen(1, 2000.0), 2: seen(2, 1000.0)}).words
    assert "in the new order" in words
    assert "from 60 tries" in words


def test_one_hour_alone_decides_only_what_is_plain():
    def alone(ms: float, one: int) -> Measured:
        return Measured(one, {9: Hour(200, 0, Spread(200, ms, (0.3 * ms) ** 2))})

    assert look(a=alone(1000.0, 1), b=alone(1500.0, 2)) is Verdict.WATCHING
    assert look(a=alone(1000.0, 1), b=alone(4000.0, 2)) is Verdict.WORSE


def test_hours_that_differ_by_themselves_roll_nothing_back():
    """Equal models, every hour of each a fifth off by luck: of 300 watches of six hours few end with a roll-back."""
    rolled = 0
    for seed in range(300):
        chance, found = random.Random(seed), {1: {}, 2: {}}
        for hour in range(6):
            for one, n in ((1, 40), (2, 900)):
                ms = 1000 * chance.lognormvariate(0, 0.2)
                found[one][hour] = Hour(n, 0, Spread(n, ms, (0.5 * ms) ** 2))
            seen_so_far = {one: Measured(one, dict(hours)) for one, hours in found.items()}
            if watched([1, 2], [2, 1], seen_so_far).verdict is Verdict.WORSE:
                rolled += 1
                break
    assert rolled <= 300 * 0.12


def test_an_hour_that_was_bad_for_everybody_cancels_out():
    """Both take five times as long every other hour: the better one is found better all the same."""
    found = {
        one: Measured(one, {hour: Hour(n, 0, Spread(n, ms * (5 if hour % 2 else 1), 1e4)) for hour in range(6)})
        for one, n, ms in ((1, 40, 1000.0), (2, 900, 1500.0))
    }
    assert watched([1, 2], [2, 1], found).verdict is Verdict.WORSE
