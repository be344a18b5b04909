"""How likely a life is to end soon: by others of its age, by all of them, by what was announced."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.risk import Basis, risk
from rotation.core.survival import Life, curve, rate
from tests.core.test_survival import days, lives, naive


@given(lives, days, st.integers(1, 30))
def test_a_risk_is_a_chance_in_its_interval_and_what_the_heads_say(many, age, horizon):
    many = [life for life in many if life.left > life.entered]
    said = risk(curve(many), rate(many), age=age, horizon=horizon)
    assert 0 <= said.low <= said.chance + 1e-12 <= said.high + 2e-12 <= 1 + 3e-12
    if said.basis is Basis.AGE and naive(many, age) > 0:
        assert said.chance == pytest.approx(1 - naive(many, age + horizon) / naive(many, age))


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    chance, hits, times = random.Random(7), 0, 300
    for _ in range(times):
        cohort = []
        for _ in range(60):
            dies, entered = chance.expovariate(1 / 40), chance.choice([0.0, chance.uniform(0, 30)])
            ends = min(dies, 90.0)
            if ends > entered:
                cohort.append(Life(entered, ends, dies <= 90))
        said = risk(curve(cohort), None, age=10, horizon=30)
        hits += said.low <= 1 - math.exp(-30 / 40) <= said.high
    assert hits / times > 0.9


def test_an_announced_end_within_the_horizon_is_certain_and_one_beyond_it_changes_nothing():
    many = [Life(0, day, day % 2 == 0) for day in range(1, 60)]
    seen, overall = curve(many), rate(many)
    assert risk(seen, overall, age=3, horizon=30, ends_in=30).chance == 1
    assert risk(seen, overall, age=3, horizon=30, ends_in=31) == risk(seen, overall, age=3, horizon=30)


def test_an_age_nobody_knows_or_few_reached_gets_the_rate_of_all():
    many = [Life(0, 50, False)] * 9 + [Life(0, 10, True)]
    overall = rate(many)
    assert overall is not None
    for age in (None, 49, 500):
        said = risk(curve(many), overall, age=age, horizon=30)
        assert (said.basis, said.chance) == (Basis.RATE, pytest.approx(-math.expm1(-30 / 460)))
        assert said.low < said.chance < said.high


def test_nobody_watched_says_nothing():
    assert risk(curve([]), rate([]), age=3, horizon=30).basis is Basis.NONE


def test_no_death_among_few_is_no_promise():
    said = risk(curve([Life(0, 60, False)] * 10), None, age=5, horizon=30)
    assert (said.chance, said.low) == (0, 0)
    assert said.high == pytest.approx(0.308, abs=0.001)  # Clopper and Pearson, none of ten
