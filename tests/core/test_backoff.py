"""Every wait: within [0, cap], near its nominal value, and never an overflow."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.backoff import delay, rest
from rotation.core.policy import BALANCED, SEED

RANDS = st.floats(0.0, 1.0, exclude_max=True)


def test_without_jitter_the_waits_are_1_2_4_8_16_and_then_the_cap():
    assert [delay(n, BALANCED, 0.5) for n in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_jitter_moves_a_wait_by_a_fifth_at_most():
    assert delay(3, SEED, 0.0) == pytest.approx(8 * 0.8)
    assert delay(3, SEED, math.nextafter(1.0, 0.0)) == pytest.approx(8 * 1.2)


def test_the_cap_holds_after_the_jitter():
    assert delay(6, BALANCED, 0.99) == 60  # nominally 64 s, with jitter more
    assert delay(6, BALANCED, 0.0) == pytest.approx(64 * 0.8)


def test_a_number_below_the_first_counts_as_the_first():
    assert delay(-3, BALANCED, 0.5) == delay(0, BALANCED, 0.5) == 1


@given(attempt=st.integers(0, 10**12), rand=RANDS, base=st.floats(0, 1e6), factor=st.floats(0.1, 1e3),
       cap=st.floats(0, 1e5), jitter=st.floats(0, 1))  # fmt: skip
def test_every_wait_is_finite_and_between_nothing_and_the_cap(attempt, rand, base, factor, cap, jitter):
    policy = replace(BALANCED, backoff_base=base, backoff_factor=factor, backoff_cap=cap, backoff_jitter=jitter)
    assert 0 <= delay(attempt, policy, rand) <= cap


@given(attempt=st.integers(0, 5), rand=RANDS)
def test_below_the_cap_a_wait_is_within_a_fifth_of_its_nominal_value(attempt, rand):
    nominal = 2**attempt
    assert 0.8 * nominal <= delay(attempt, BALANCED, rand) <= 1.2 * nominal


@given(rand=RANDS)
def test_more_chance_never_means_a_shorter_wait(rand):
    assert delay(2, BALANCED, 0.0) <= delay(2, BALANCED, rand) <= delay(2, BALANCED, math.nextafter(1.0, 0.0))


def test_a_rest_grows_with_every_opening_up_to_its_cap():
    assert [rest(n, BALANCED, 0.0) for n in (1, 2, 3, 10, 11, 1000)] == [30, 60, 90, 300, 300, 300]


def test_the_seed_rests_for_a_fixed_minute():
    assert {rest(n, SEED, rand) for n in (1, 2, 50) for rand in (0.0, 0.9)} == {60}


def test_a_rest_may_be_short_but_not_negative():
    assert rest(1, replace(BALANCED, rest=0.5), 0.0) == 0.5
    assert rest(1, replace(BALANCED, rest=-1.0), 0.0) == 0.0


@given(opens=st.integers(0, 10**9), rand=RANDS)
def test_a_rest_is_never_shorter_than_its_base_nor_longer_than_its_cap_and_a_fifth(opens, rand):
    assert 30 <= rest(opens, BALANCED, rand) <= 300 * 1.2


def test_the_jitter_of_a_rest_only_ever_lengthens_it():
    assert rest(1, BALANCED, 0.5) == pytest.approx(33)
