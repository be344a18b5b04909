"""How long things live: against a hand example from a textbook, and a slow way to compute the same."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.survival import Curve, Life, Rate, curve

#: Remission of 21 patients under 6-MP (Freireich et al. 1963; Klein and Moeschberger, table 1.1), weeks.
REMISSION = [(6, 1), (6, 1), (6, 1), (6, 0), (7, 1), (9, 0), (10, 1), (10, 0), (11, 0), (13, 1), (16, 1), (17, 0),
             (19, 0), (20, 0), (22, 1), (23, 1), (25, 0), (32, 0), (32, 0), (34, 0), (35, 0)]  # fmt: skip

days = st.integers(0, 40)
lives = st.lists(st.builds(lambda a, b, died: Life(min(a, b), max(a, b), died), days, days, st.booleans()), max_size=40)


def naive(many: list[Life], age: float) -> float:
    """The share alive after `age`, by walking every day and counting heads."""
    alive = 1.0
    for day in sorted({life.left for life in many if life.died and life.left <= age}):
        there = [life for life in many if life.entered < day <= life.left]
        ended = [life for life in there if life.died and life.left == day]
        if there:
            alive *= (len(there) - len(ended)) / len(there)
    return alive


def test_the_textbook_s_example_comes_out_to_its_digits():
    seen = curve(Life(0, week, bool(died)) for week, died in REMISSION)
    told = [(step.age, step.at_risk, step.deaths, round(step.survival, 3)) for step in seen.steps]
    assert told == [
        (6, 21, 3, 0.857),
        (7, 17, 1, 0.807),
        (10, 15, 1, 0.753),
        (13, 12, 1, 0.690),
        (16, 11, 1, 0.627),
        (22, 7, 1, 0.538),
        (23, 6, 1, 0.448),
    ]
    errors = [round(step.survival * math.sqrt(step.greenwood), 3) for step in seen.steps]
    assert errors == [0.076, 0.087, 0.096, 0.107, 0.114, 0.128, 0.135]
    assert (round(seen.steps[0].low, 3), round(seen.steps[0].high, 3)) == (0.620, 0.952)  # as R's survfit says
    assert (seen.median().age, seen.median().low, seen.median().high) == (23, 13, None)


def test_who_is_first_seen_at_an_age_counts_from_that_age_on():
    """By hand: at day 10 two of three are watched, at day 20 all three who are left."""
    seen = curve([Life(0, 10, True), Life(0, 20, True), Life(15, 30, False), Life(5, 25, False)])
    assert [(s.age, s.at_risk) for s in seen.steps] == [(10, 3), (20, 3)]
    assert [s.survival for s in seen.steps] == pytest.approx([2 / 3, 4 / 9])


@given(lives, days)
def test_the_curve_is_what_counting_heads_day_by_day_gives(many, age):
    many = [life for life in many if life.left > life.entered]
    assert curve(many).survival(age) == pytest.approx(naive(many, age))


@given(lives)
def test_the_curve_only_falls_and_lies_in_its_interval(many):
    before = 1.0
    for step in curve(many).steps:
        assert 0 <= step.low <= step.survival + 1e-12
        assert step.survival - 1e-12 <= step.high <= 1
        assert step.survival < before or before == 0
        before = step.survival


@pytest.mark.parametrize(("deaths", "low", "high"), [(0, 0.0, 3.69), (1, 0.025, 5.57), (10, 4.80, 18.39)])
def test_the_rate_s_interval_is_close_to_the_exact_one(deaths, low, high):
    """Exact limits of a Poisson count, from Garwood's table."""
    seen = Rate(deaths, 1.0)
    assert seen.low == pytest.approx(low, abs=0.03)
    assert seen.high == pytest.approx(high, abs=0.03)


@pytest.mark.parametrize(("entered", "left"), [(5, 3), (-1, 3), (0, math.inf), (math.nan, 1)])
def test_an_impossible_life_is_refused(entered, left):
    with pytest.raises(ValueError, match="watched"):
        curve([Life(entered, left, True)])


def test_nobody_watched_says_nothing():
    assert (Curve().median().age, Curve().survival(9), Curve().until) == (None, 1.0, 0.0)
