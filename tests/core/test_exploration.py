"""Who is asked first out of turn: a counted share, whoever needs to be known, nobody twice within a minute."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.exploration import NEVER, WORDS, Cause, Lower, Share, Turn, canary, turns


def order_of(*lower: Lower, first: float | None = 1.0, now: float = 1000.0, chance: float = 0.0) -> list[Turn]:
    return list(turns(lower, first, now=now, chance=chance))


def test_every_cause_has_its_words():
    assert WORDS.keys() == set(Cause)
    assert all(word.startswith("asked first as ") for word in WORDS.values())


@given(st.floats(0.001, 0.1), st.integers(0, 2**32))
def test_the_share_is_kept_whatever_chance_says(share, seed):
    rand, counted = random.Random(seed).random, Share()
    due = [counted.due(share, rand) for _ in range(5000)]
    assert abs(sum(due) - 5000 * share) <= 0.5 + 3 * (5000 * share / 12) ** 0.5 + 1
    gaps = [n for n, one in enumerate(due) if one]
    assert all(later - earlier >= 0.5 / share - 1 for earlier, later in itertools.pairwise(gaps))


def test_the_first_calls_of_a_pool_are_never_explorations():
    counted = Share()
    assert not any(counted.due(0.01, lambda: 0.0) for _ in range(49))


def test_the_one_nobody_asked_for_longest_comes_first():
    found = order_of(Lower(1, 500.0), Lower(2, 100.0), Lower(3), chance=0.9)
    assert [turn.deployment for turn in found] == [3, 2, 1]
    assert {turn.cause for turn in found} == {Cause.STALE}


def test_the_slower_one_is_the_less_often_it_is_asked():
    assert order_of(Lower(1, 700.0, 5.0), Lower(2, 900.0, 1.0), chance=0.9)[0].deployment == 2
    assert order_of(Lower(1, 700.0, 2.0), Lower(2, 900.0, 1.0), chance=0.9)[0].deployment == 1


@given(st.lists(st.floats(0.0, 30.0), min_size=1, max_size=8), st.integers(0, 2**32))
def test_exploring_costs_no_more_than_its_share_of_the_time(extras, seed):
    """Whoever is explored, the calls take no more than a hundredth longer for it, but for the one under way."""
    chance, counted, spent = random.Random(seed), Share(), 0.0
    for _ in range(20_000):
        if counted.due(0.01, chance.random):
            extra = chance.choice(extras)
            counted.spend(extra)
            spent += extra
    assert spent <= 20_000 * 0.01 * 1.15 + 2 * max(extras)


def test_nobody_is_asked_again_while_its_measurement_is_fresh():
    assert order_of(Lower(1, 941.0), Lower(2, 999.0)) == []
    assert [turn.deployment for turn in order_of(Lower(1, 940.0))] == [1]


def test_a_contender_gets_every_second_turn_and_is_asked_sooner_again():
    lower = (Lower(1, 100.0, 5.0), Lower(2, 980.0, 0.5), Lower(3, 980.0, 0.8))
    assert order_of(*lower, chance=0.2) == [
        Turn(2, Cause.CONTENDER), Turn(3, Cause.CONTENDER), Turn(1, Cause.STALE, 4.0),
    ]  # fmt: skip
    assert order_of(*lower, chance=0.7)[0] == Turn(1, Cause.STALE, 4.0)
    assert order_of(Lower(2, 995.0, 0.5), chance=0.2) == []
    assert order_of(Lower(2, 980.0, 0.5), first=None, chance=0.2) == []


def test_what_is_watched_goes_before_contenders():
    lower = (Lower(1, 980.0, 0.1), Lower(2, 980.0, 9.0, watched=True))
    assert order_of(*lower)[0] == Turn(2, Cause.WATCHED, 8.0)


def test_everybody_comes_once():
    found = order_of(Lower(1, NEVER, 0.1, watched=True), Lower(2, 10.0, 0.2))
    assert sorted(turn.deployment for turn in found) == [1, 2]


@pytest.mark.parametrize(("chance", "first"), [(0.0, 7), (0.029, 7), (0.03, 8), (0.079, 8), (0.08, None), (0.99, None)])
def test_each_canary_is_first_with_its_share(chance: float, first: int | None):
    found = canary([(7, 0.03), (8, 0.05)], chance)
    assert (found.deployment if found else None) == first
