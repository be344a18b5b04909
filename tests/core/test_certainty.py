"""Distributions by the tables, hours as clusters, and many comparisons at once."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.certainty import clustered, design_effect, effective, holm, less_sure, normal, student
from rotation.core.stats import wilson


def test_holm_is_as_in_the_book():
    raw = {(1, 2): 0.01, (1, 3): 0.04, (2, 3): 0.03, (2, 4): 0.005}
    assert holm(raw) == {(2, 4): 0.02, (1, 2): 0.03, (2, 3): 0.06, (1, 3): 0.06}
    assert holm({}) == {}


@given(st.dictionaries(st.tuples(st.integers(0, 9), st.integers(0, 9)), st.floats(0, 1), max_size=20))
def test_holm_never_makes_anything_surer_and_keeps_the_order(raw):
    found = holm(raw)
    assert all(raw[pair] <= found[pair] <= 1 for pair in raw)
    ranked = sorted(raw, key=lambda pair: (raw[pair], pair))
    assert [found[pair] for pair in ranked] == sorted(found.values())


def test_the_normal_distribution():
    assert (normal(0.0), round(normal(1.96), 4), round(normal(-1.645), 3)) == (0.5, 0.975, 0.05)


@pytest.mark.parametrize(("freedom", "t"), [(2, 6.965), (3, 4.541), (5, 3.365), (10, 2.764), (30, 2.457)])
def test_students_distribution_by_the_table(freedom: int, t: float):
    assert student(t, freedom) == pytest.approx(0.99, abs=0.003)
    assert student(-t, freedom) == pytest.approx(0.01, abs=0.003)
    assert student(0.0, freedom) == 0.5


def test_equal_weights_count_one_each_and_a_heavy_one_alone():
    assert effective([2.0, 2.0, 2.0]) == pytest.approx(3)
    assert effective([100.0, 0.1]) == pytest.approx(1, rel=0.01)
    assert effective([]) == 0


@given(st.floats(0, 1), st.floats(-1e6, 1e6), st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=24))
def test_hours_never_make_anything_surer(sure: float, gain: float, errors: list[float]):
    found = less_sure(sure, gain, clustered(errors), len(errors) - 1)
    assert 0 <= found <= 1
    assert found <= sure if gain > 0 else found >= sure


def drawn(chance: random.Random) -> int:
    """Answers of an hour of forty tries."""
    share = chance.betavariate(18, 2)
    return sum(chance.random() < share for _ in range(40))


def test_an_interval_over_hours_that_differ_holds_what_it_says():
    """95 % intervals of a share that is another one every hour: of 400 days they hold the mean on nine in ten."""
    chance, held, plain = random.Random(3), 0, 0
    for _ in range(400):
        hours = [(drawn(chance), 40) for _ in range(24)]
        ok, tries = sum(good for good, _ in hours), 24 * 40
        worth = design_effect(hours)
        low, high = wilson(ok / worth, tries / worth)
        held += low <= 0.9 <= high
        low, high = wilson(ok, tries)
        plain += low <= 0.9 <= high
    assert held >= 400 * 0.9 > plain
    assert design_effect([(40, 40)] * 9) == design_effect([(1, 2)]) == design_effect([]) == 1
