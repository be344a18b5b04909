"""Two accounts whose remaining requests fall together are proposed as one, others never."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.twins import PROOFS, Detector, Twins

START, DAY = 1_800_000_000.0, 86_400.0


class Provider:
    """Counts by account, as they do: a bucket that refills all the time, told rounded down."""

    def __init__(self, limit: float, window: float) -> None:
        self.limit, self.rate = limit, limit / window
        self.left: dict[str, float] = {}
        self.at: dict[str, float] = {}

    def ask(self, account: str, now: float) -> int | None:
        left = min(self.limit, self.left.get(account, self.limit) + (now - self.at.get(account, now)) * self.rate)
        self.at[account] = now
        if left < 1:
            self.left[account] = left
            return None
        self.left[account] = left - 1
        return math.floor(left - 1)


def watched(
    belongs: dict[int, str], *, limit: float = 14_400, window: float = DAY, calls: int = 400, gap: float = 2.0,
    seed: int = 1, stranger: float = 0.0,
) -> list[Twins]:  # fmt: skip
    """Calls through accounts chosen by chance; what was proposed."""
    chance, provider, detector, found = random.Random(seed), Provider(limit, window), Detector(), []
    now = START
    for _ in range(calls):
        now += chance.random() * gap
        account = chance.choice(list(belongs))
        if chance.random() < stranger:
            provider.ask(belongs[account], now)
        remaining = provider.ask(belongs[account], now)
        if remaining is not None and (twins := detector.told("m/day", account, remaining, limit, window, now)):
            found.append(twins)
    return found


@given(seed=st.integers(0, 10_000), limit=st.sampled_from([1_000, 2_500, 14_400]), gap=st.floats(0.1, 5))
def test_keys_of_one_account_are_found_out(seed: int, limit: float, gap: float) -> None:
    found = watched({3: "same", 8: "same"}, seed=seed, limit=limit, gap=gap)
    assert [(t.one, t.other) for t in found] == [(3, 8)], "once"
    assert found[0].proofs >= 2 * PROOFS


@given(
    seed=st.integers(0, 10_000),
    limit=st.sampled_from([200, 1_000, 14_400]),
    gap=st.floats(0.01, 60),
    window=st.sampled_from([60.0, DAY]),
)
def test_accounts_of_their_own_are_never_taken_for_one(seed: int, limit: float, gap: float, window: float) -> None:
    assert watched({3: "a", 8: "b", 9: "c"}, seed=seed, limit=limit, gap=gap, window=window) == []


@given(seed=st.integers(0, 10_000), stranger=st.floats(0, 0.9))
def test_somebody_else_on_the_accounts_makes_no_twins_of_them(seed: int, stranger: float) -> None:
    assert watched({3: "a", 8: "b"}, seed=seed, stranger=stranger) == []


def test_of_three_only_the_two_that_are_one_are_named() -> None:
    assert [(t.one, t.other) for t in watched({3: "same", 5: "own", 8: "same"}, calls=900)] == [(3, 8)]


def test_a_minute_s_limit_tells_too_when_it_is_used_enough() -> None:
    found = watched({1: "same", 2: "same"}, limit=30, window=60.0, gap=4.0, calls=2_000)
    assert [(t.one, t.other) for t in found] in ([], [(1, 2)])
    assert watched({1: "a", 2: "b"}, limit=30, window=60.0, gap=4.0, calls=2_000) == []


@pytest.mark.parametrize("remaining", [-1.0, 100.0, 200.0, math.nan, math.inf])
def test_numbers_that_say_nothing_are_left_out(remaining: float) -> None:
    detector = Detector()
    for n in range(200):
        assert detector.told("m", n % 2, remaining, 100, DAY, START + n) is None


def test_different_models_are_different_counts() -> None:
    detector, left = Detector(), 14_400
    for n in range(400):
        left -= 1
        assert detector.told(f"model {n % 2}", n % 2, left, 14_400, DAY, START) is None
