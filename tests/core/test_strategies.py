"""Whose turn it is: each strategy's rule, and what holds for all of them."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.strategies import STRATEGIES, WORDS, Choice, in_order, mixed_price
from rotation.models.pools import Strategy

choices = st.lists(
    st.builds(
        Choice,
        st.integers(1, 30),
        st.floats(0.0, 600),
        st.none() | st.floats(0, 1),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda c: c.deployment,
)


def never() -> float:
    raise AssertionError("this strategy leaves nothing to chance")


def order(strategy: str, *found: Choice, turn: int = 0) -> tuple[int, ...]:
    return in_order(strategy, found, turn=turn, rand=never)


def test_every_strategy_a_pool_can_have_is_in_the_table() -> None:
    assert set(STRATEGIES) == set(WORDS) == set(Strategy.values)


@given(st.sampled_from(sorted(STRATEGIES)), choices, st.integers(0, 1000), st.randoms(use_true_random=False))
def test_each_deployment_comes_once_and_the_pinned_ones_stay_where_they_stood(
    strategy: str, given: list[Choice], turn: int, chance: random.Random
) -> None:
    found = in_order(strategy, given, turn=turn, rand=chance.random)
    assert sorted(found) == sorted(c.deployment for c in given)
    assert all(found[place] == c.deployment for place, c in enumerate(given) if c.pinned)


def test_the_pools_own_order_is_kept() -> None:
    assert order("ordered", Choice(3, 9.0), Choice(1, 1.0), Choice(2, 5.0)) == (3, 1, 2)


def test_the_quickest_goes_first_and_equals_keep_their_order() -> None:
    assert order("fastest", Choice(3, 9.0), Choice(1, 5.0), Choice(2, 5.0), Choice(4, 1.0)) == (4, 1, 2, 3)


def test_a_pinned_one_stays_first_however_slow() -> None:
    assert order("fastest", Choice(3, 9.0, pinned=True), Choice(1, 5.0), Choice(4, 1.0)) == (3, 4, 1)


def test_free_goes_before_cheap_and_what_nobody_knows_goes_last() -> None:
    dear, cheap, free, unknown = Choice(1, price=2e-6), Choice(2, price=1e-6), Choice(3, price=0.0), Choice(4)
    assert order("cheapest", unknown, dear, cheap, free) == (3, 2, 1, 4)


def test_equal_prices_keep_the_pools_order() -> None:
    assert order("cheapest", Choice(9), Choice(2, price=0.0), Choice(8), Choice(1, price=0.0)) == (2, 1, 9, 8)


@pytest.mark.parametrize(
    ("price_in", "price_out", "free", "price"),
    [(1.0, 3.0, False, 2.0), (None, None, True, 0.0), (1.0, None, False, None), (None, 1.0, False, None)],
)
def test_the_price_is_of_as_many_tokens_in_as_out(
    price_in: float | None, price_out: float | None, free: bool, price: float | None
) -> None:
    assert mixed_price(price_in, price_out, free=free) == price


def test_in_a_round_everybody_is_first_once() -> None:
    rounds = [order("round_robin", Choice(1), Choice(2), Choice(3), turn=turn) for turn in range(4)]
    assert rounds == [(1, 2, 3), (2, 3, 1), (3, 1, 2), (1, 2, 3)]


def test_by_weight_the_quicker_goes_first_in_proportion() -> None:
    chance = random.Random(4)
    firsts = Counter(in_order("weighted", [Choice(1, 1.0), Choice(2, 3.0)], turn=0, rand=chance.random)[0]
                     for _ in range(4000))  # fmt: skip
    assert 0.72 < firsts[1] / 4000 < 0.78


def test_the_same_chance_gives_the_same_order() -> None:
    found = [Choice(n, 1.0 + n) for n in range(8)]
    first, second = (in_order("weighted", found, turn=0, rand=random.Random(9).random) for _ in range(2))
    assert first == second
