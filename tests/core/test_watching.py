"""A change judged by what came after it: both orders by the same measurements of the same time."""

from __future__ import annotations

import pytest

from rotation.core.evidence import NONE, Hour, Measured, Spread
from rotation.core.watching import Chances, Verdict, path_ms, watched


def seen(one: int, ms: float, n: int = 60, lost: int = 0) -> Measured:
    return Measured(
        one,
        {9: Hour(n, lost, Spread(n, ms, (0.4 * ms) ** 2) if n else NONE, Spread(lost, 3000.0, 1e5) if lost else NONE)},
    )


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
