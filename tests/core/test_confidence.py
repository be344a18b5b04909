"""How sure a swap is: over the same hours, at so many comparisons, and no surer than the numbers are."""

from __future__ import annotations

import random

import pytest

from rotation.core.confidence import SURE, compare, swaps
from rotation.core.evidence import NONE, Hour, Measured, Spread

NOW = 500


def hours(of: dict[int, tuple[int, float]], *, scatter: float = 0.4, lost: int = 0) -> dict[int, Hour]:
    """{hour: (answers, mean ms)}."""
    failures = Spread(lost, 2000.0, 1e4) if lost else NONE
    return {hour: Hour(n, lost, Spread(n, ms, (scatter * ms) ** 2), failures) for hour, (n, ms) in of.items()}


def steady(one: int, ms: float, n: int = 20, over: int = 10, *, scatter: float = 0.4,
           lost: int = 0) -> Measured:  # fmt: skip
    return Measured(one, hours({NOW - h: (n, ms) for h in range(over)}, scatter=scatter, lost=lost))


def test_a_clear_difference_is_sure_and_none_is_a_toss_up():
    assert compare(steady(1, 3000.0), steady(2, 1000.0), NOW).confidence > 0.9999
    assert compare(steady(1, 1000.0), steady(2, 1000.0), NOW).confidence == pytest.approx(0.5)
    assert compare(steady(1, 1000.0), steady(2, 3000.0), NOW).confidence < 0.0001


def test_few_tries_are_less_sure_than_many():
    few = compare(steady(1, 1300.0, n=2, over=5), steady(2, 1000.0, n=2, over=5), NOW)
    many = compare(steady(1, 1300.0, n=50, over=5), steady(2, 1000.0, n=50, over=5), NOW)
    assert 0.5 < few.confidence < 0.95 < 0.999 < many.confidence
    assert (many.hours, many.above_tries, many.below_tries) == (5, 250, 250)


def test_only_hours_in_which_both_were_tried_count():
    """The one above was slow in a bad night in which the other was not asked: no difference in the hours they share."""
    night = {NOW - h: (100, 9000.0) for h in range(8, 16)}
    day = {NOW - h: (100, 1000.0) for h in range(8)}
    above, below = Measured(1, hours({**night, **day})), Measured(2, hours(day))
    found = compare(above, below, NOW)
    assert found.hours == 8
    assert found.confidence == pytest.approx(0.5, abs=0.01)
    assert compare(above, Measured(2), NOW).confidence == 0.0, "never tried in the same hour"


def test_what_happened_to_everybody_cancels_out():
    """Hours that differ by a factor of five, the second always a fifth quicker: as sure as in steady hours."""
    swing = {NOW - h: 1000.0 * (1 + 4 * (h % 2)) for h in range(16)}
    above = Measured(1, hours({h: (100, ms) for h, ms in swing.items()}, scatter=0.2))
    below = Measured(2, hours({h: (100, 0.8 * ms) for h, ms in swing.items()}, scatter=0.2))
    assert compare(above, below, NOW).confidence > 0.999


def test_a_difference_of_one_hour_only_is_no_certainty():
    """Quicker in two hours of ten by much, else the same: the hours themselves scatter."""
    above = Measured(1, hours({NOW - h: (100, 1000.0 if h > 1 else 3000.0) for h in range(10)}, scatter=0.1))
    assert compare(above, steady(2, 1000.0, n=100, scatter=0.1), NOW).confidence < SURE


def test_failures_count_with_the_time_they_take():
    failing = steady(1, 1000.0, lost=20)  # half of the tries lost, at 2 s each
    found = compare(failing, steady(2, 2000.0), NOW)
    assert found.above_ms == pytest.approx(3000.0, rel=0.05)
    assert found.confidence > 0.99


def test_a_burden_is_charged_to_the_one_above():
    assert compare(steady(1, 1000.0), steady(2, 1500.0), NOW, burden=2000.0).confidence > 0.999


def test_confidence_means_what_it_says():
    """Equal models, 400 times: hardly more than one in twenty is found better with 95 % confidence."""
    chance, wrong = random.Random(7), 0
    for _ in range(400):
        sides = [
            Measured(one, {
                NOW - h: Hour(5, 0, Spread.of([max(chance.gauss(1000, 400), 50.0) for _ in range(5)])) for h in range(8)
            })
            for one in (1, 2)
        ]  # fmt: skip
        wrong += compare(sides[0], sides[1], NOW).confidence > 0.95
    assert wrong <= 400 * 0.08


def test_every_pair_that_was_looked_at_counts_as_a_comparison():
    measured = {1: steady(1, 1200.0), 2: steady(2, 1000.0), **{n: steady(n, 5000.0) for n in range(3, 13)}}
    alone = swaps([1, 2], measured, NOW, asked={(1, 2)}, burdens={})[1, 2].confidence
    among = swaps(list(measured), measured, NOW, asked={(1, 2)}, burdens={})[1, 2].confidence
    assert 1 - among == pytest.approx(66 * (1 - alone))


def test_hours_that_differ_by_themselves_make_nobody_sure():
    """Equal models whose every hour is a third off by luck, 500 times: few are found better, in few hours or many."""
    for over in (2, 3, 12):
        chance, wrong = random.Random(over), 0
        for _ in range(500):
            sides = [
                Measured(one, hours({NOW - h: (100, 1000.0 * chance.lognormvariate(0, 0.3)) for h in range(over)}))
                for one in (1, 2)
            ]
            wrong += compare(*sides, NOW).confidence > SURE
        assert wrong <= 500 * 0.03, over
