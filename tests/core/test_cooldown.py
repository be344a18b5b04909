"""Cooldowns: the hint wins, the later end wins, and nobody is benched for more than a day."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.cooldown import COOLING, DAY, FORGET, LONG, Cooldown, cools, extend, later
from rotation.core.failures import TABLE, Failure, FailureKind
from rotation.core.policy import BALANCED

NOON = 1_800_014_400.0
RANDS = st.floats(0.0, 1.0, exclude_max=True)
HINTS = st.none() | st.floats(allow_nan=True, allow_infinity=True)
KINDS = st.sampled_from([kind for kind, row in TABLE.items() if row.consequence in COOLING])


def limited(retry_after: float | None = None) -> Failure:
    return Failure(FailureKind.RATE_LIMITED, retry_after=retry_after)


def test_the_providers_hint_is_obeyed_to_the_letter():
    cooldown = extend(None, limited(11.455), NOON, 0.9, BALANCED)
    assert cooldown.until == NOON + 11.455
    assert cooldown.kind is FailureKind.RATE_LIMITED
    assert cooldown.reason == "rate-limited; the provider asked for 11.5 s"
    assert cooldown.count == 1


def test_a_hint_of_less_than_a_second_is_obeyed_too():
    assert extend(None, limited(0.12), NOON, 0.9, BALANCED).until == NOON + 0.12


def test_the_times_are_those_the_words_say():
    assert (DAY, LONG, FORGET) == (24 * 60 * 60, 60 * 60, 10 * 60)
    assert NOON % DAY == DAY / 2


def test_a_later_shorter_hint_never_shortens_a_cooldown():
    long = extend(None, limited(300), NOON, 0.5, BALANCED)
    short = extend(long, limited(2), NOON + 1, 0.5, BALANCED)
    assert (short.until, short.reason) == (long.until, long.reason)


def test_a_later_longer_hint_lengthens_it():
    short = extend(None, limited(2), NOON, 0.5, BALANCED)
    assert extend(short, limited(300), NOON + 1, 0.5, BALANCED).until == NOON + 301


def test_without_hints_the_wait_doubles_with_every_refusal_in_a_row():
    cooldown, now, waits = None, NOON, []
    for _ in range(6):
        cooldown = extend(cooldown, limited(), now, 0.5, BALANCED)
        waits.append(cooldown.until - now)
        now = cooldown.until
    assert waits == [1, 2, 4, 8, 16, 32]
    assert cooldown is not None
    assert cooldown.reason == "rate-limited; no hint, 6 in a row"


def test_without_a_hint_the_wait_is_spread_by_a_fifth():
    assert extend(None, limited(), NOON, 0.0, BALANCED).until - NOON == pytest.approx(0.8)
    assert extend(None, limited(), NOON, 0.999, BALANCED).until - NOON == pytest.approx(1.2, abs=1e-3)


def test_without_a_hint_the_wait_never_grows_beyond_an_hour():
    tired = Cooldown(NOON, FailureKind.RATE_LIMITED, "", 400)
    assert extend(tired, limited(), NOON, 0.99, BALANCED).until == NOON + LONG


def test_calls_that_were_under_way_together_are_one_refusal():
    cooldown = extend(None, limited(), NOON, 0.5, BALANCED)
    for step in range(200):
        cooldown = extend(cooldown, limited(), NOON + step * 0.001, 0.5, BALANCED)
    assert cooldown.count == 1
    assert cooldown.until < NOON + 1.3


def test_a_refusal_at_the_very_end_of_a_cooldown_is_the_next_one_in_the_row():
    first = extend(None, limited(), NOON, 0.5, BALANCED)
    assert extend(first, limited(), first.until, 0.5, BALANCED).count == 2


def test_a_refusal_long_after_the_last_one_starts_a_new_row():
    old = Cooldown(NOON, FailureKind.RATE_LIMITED, "", 9)
    assert extend(old, limited(), NOON + FORGET, 0.5, BALANCED).count == 10
    assert extend(old, limited(), NOON + FORGET + 1, 0.5, BALANCED).count == 1


@pytest.mark.parametrize("hint", [0.0, -5.0, math.nan, -math.inf])
def test_a_useless_hint_is_no_hint(hint):
    assert extend(None, limited(hint), NOON, 0.5, BALANCED).until == NOON + 1


@pytest.mark.parametrize("hint", [1e9, math.inf, DAY + 1])
def test_no_hint_benches_anybody_for_more_than_a_day(hint):
    assert extend(None, limited(hint), NOON, 0.5, BALANCED).until == NOON + DAY


def test_a_daily_quota_comes_back_at_the_next_midnight():
    spent = Failure(FailureKind.QUOTA_DAY)
    midnight = NOON + DAY / 2
    assert extend(None, spent, NOON, 0.5, BALANCED).until == midnight
    assert extend(None, spent, midnight - 1, 0.5, BALANCED).until == midnight
    assert extend(None, spent, midnight, 0.5, BALANCED).until == midnight + DAY
    assert extend(None, spent, NOON, 0.5, BALANCED).reason == "daily quota used up; until midnight UTC"


def test_a_daily_quota_with_a_hint_comes_back_when_the_provider_says():
    assert extend(None, Failure(FailureKind.QUOTA_DAY, retry_after=578.0), NOON, 0.5, BALANCED).until == NOON + 578


@pytest.mark.parametrize("kind", [FailureKind.OUT_OF_CREDIT, FailureKind.NOT_PERMITTED])
def test_no_credit_and_no_permission_rest_an_hour_unless_told_otherwise(kind):
    assert extend(None, Failure(kind), NOON, 0.9, BALANCED).until == NOON + 3600
    assert extend(None, Failure(kind, retry_after=5.0), NOON, 0.9, BALANCED).until == NOON + 5


def test_a_failure_that_asks_for_no_cooldown_cools_like_a_rate_limit():
    busy = Failure(FailureKind.OVERLOADED, retry_after=7.0)
    assert not cools(busy)
    assert extend(None, busy, NOON, 0.5, BALANCED).until == NOON + 7
    assert extend(None, Failure(FailureKind.OVERLOADED), NOON, 0.5, BALANCED).until == NOON + 1


def test_only_the_formulas_own_wait_is_a_guess():
    assert extend(None, limited(), NOON, 0.5, BALANCED).guessed
    assert extend(None, Failure(FailureKind.UPSTREAM_BUSY), NOON, 0.5, BALANCED).guessed
    for told in (limited(5), Failure(FailureKind.QUOTA_DAY), Failure(FailureKind.OUT_OF_CREDIT)):
        assert not extend(None, told, NOON, 0.5, BALANCED).guessed


def test_a_guess_does_not_make_a_longer_cooldown_that_was_told_a_guess():
    told = extend(None, limited(300), NOON, 0.5, BALANCED)
    assert not extend(told, limited(), NOON + 1, 0.5, BALANCED).guessed
    guess = extend(None, limited(), NOON, 0.5, BALANCED)
    assert not extend(guess, limited(300), NOON + 0.5, 0.5, BALANCED).guessed


def test_the_table_says_which_failures_cool():
    assert {kind for kind in FailureKind if cools(Failure(kind))} == {
        FailureKind.RATE_LIMITED,
        FailureKind.QUOTA_DAY,
        FailureKind.UPSTREAM_BUSY,
        FailureKind.OUT_OF_CREDIT,
        FailureKind.NOT_PERMITTED,
    }


def test_a_clock_that_was_set_back_does_not_freeze_anybody():
    far = Cooldown(NOON + 365 * DAY, FailureKind.RATE_LIMITED, "", 1)
    assert extend(far, limited(5), NOON, 0.5, BALANCED).until == NOON + DAY


def test_later_keeps_the_one_that_ends_later_and_the_newer_count():
    old = Cooldown(NOON + 10, FailureKind.OUT_OF_CREDIT, "old", 1)
    new = Cooldown(NOON + 5, FailureKind.RATE_LIMITED, "new", 2)
    assert later(None, new, NOON) == new
    assert later(old, new, NOON) == Cooldown(NOON + 10, FailureKind.OUT_OF_CREDIT, "old", 2)
    assert later(new, old, NOON) == old
    same = Cooldown(NOON + 10, FailureKind.RATE_LIMITED, "same end", 1)
    assert later(old, same, NOON).reason == "old"


@given(st.lists(st.tuples(st.floats(0, 5000), KINDS, HINTS, RANDS), min_size=1, max_size=30))
def test_a_cooldown_never_ends_earlier_than_it_was_said_to_and_never_more_than_a_day_from_now(
    steps: list[tuple[float, FailureKind, float | None, float]],
) -> None:
    cooldown: Cooldown | None = None
    now = NOON
    for passed, kind, hint, rand in steps:
        now += passed
        after = extend(cooldown, Failure(kind, retry_after=hint), now, rand, BALANCED)
        assert now <= after.until <= now + DAY
        assert cooldown is None or after.until >= cooldown.until
        assert after.count >= 1
        assert after.reason
        cooldown = after
