"""Times are fitted to the size of the work, and what is left is luck."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.replay.workload import WIDEST, Fit, fit


def test_a_line_is_found_again_through_the_noise():
    chance = random.Random(2)
    rows = []
    for _ in range(500):
        prompt, answer = chance.randrange(10, 5000), chance.randrange(5, 900)
        rows.append(((0.3 + 2e-4 * prompt + 0.02 * answer) * chance.lognormvariate(0, 0.15), prompt, answer))
    found = fit(rows)
    assert (found.per_prompt, found.per_answer) == (pytest.approx(2e-4, rel=0.2), pytest.approx(0.02, rel=0.1))


def test_size_explains_nothing_where_there_is_little_or_only_one_size():
    assert fit([]) == Fit(1.0)
    assert fit([(2.0, 1, 1)] * 5) == Fit(2.0)
    same = fit([(2.0, 100, 50)] * 40)
    assert same.seconds(100, 50) == pytest.approx(2.0)


def test_longer_work_is_never_quicker():
    rows = [(10.0 / (1 + n), n * 10, n) for n in range(1, 60)]
    found = fit(rows)
    assert found.per_prompt >= 0
    assert found.per_answer >= 0


@given(st.lists(st.tuples(st.floats(0, 1e4), st.integers(0, 10**6), st.integers(0, 10**5)), max_size=60))
def test_any_measurements_give_a_usable_fit(rows):
    found = fit(rows)
    for seconds, prompt, answer in rows:
        assert found.seconds(prompt, answer) > 0
        assert 1 / WIDEST <= found.luck(seconds, prompt, answer) <= WIDEST
