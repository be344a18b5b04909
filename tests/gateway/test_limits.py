"""Quotas of the data plane: plans as a start, what is set aside for an answer, and what survives a restart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rotation.core.quota import NEVER
from rotation.core.targets import Account, Target
from rotation.gateway.limits import ARRIVAL, Limits
from rotation.gateway.snapshot import Learned
from rotation.providers.base import Limit, Usage
from tests.gateway.parts import MORNING, Pages, target

PAIR = "account:1/deployment:1"
MINUTE = 60.0


def at(kind: str, model: str, plan: str = "", *, number: int = 1, **offer: Any) -> Target:
    one = target(number, **offer)
    return replace(
        one,
        provider=replace(one.provider, kind=kind),
        deployment=replace(one.deployment, model=model),
        account=Account(1, 1, plan=plan),
    )


GROQ = at("groq", "llama-3.1-8b-instant", "free")
FREE = at("openrouter", "a/b:free", "free", number=2, free=True)


@pytest.fixture
def limits() -> Limits:
    return Limits(Pages().write)


def left(limits: Limits, scope: str, axis: str, window: float) -> float:
    return limits.quotas[scope].buckets[axis, window].available(MORNING)


def test_a_plan_s_limits_hold_from_the_first_call_and_are_no_news() -> None:
    pages = Pages()
    limits = Limits(pages.write)  # notes what is news
    limits.plan([GROQ, FREE], MORNING)
    assert set(limits.quotas) == {PAIR, "account:1/free"}
    assert limits.quotas["account:1/free"].buckets["requests", MINUTE].fixed
    assert not limits.quotas[PAIR].buckets["requests", MINUTE].fixed
    for _ in range(20):
        assert isinstance(limits.reserve(FREE, 10, MORNING), list)
    assert limits.reserve(FREE, 10, MORNING) == MORNING // MINUTE * MINUTE + MINUTE + ARRIVAL
    assert pages == []


def test_a_plan_that_changes_takes_its_table_along_and_leaves_what_was_learned(limits: Limits) -> None:
    limits.plan([GROQ], MORNING)
    limits.learn(GROQ, [Limit("requests", 14_400, 86_400.0, 14_399.0)], MORNING)
    limits.plan([at("groq", "llama-3.1-8b-instant", "developer")], MORNING)
    assert set(limits.quotas[PAIR].buckets) == {("requests", 86_400.0)}
    limits.plan([at("groq", "another")], MORNING)
    assert set(limits.quotas) == {PAIR}


def test_what_an_earlier_life_learned_is_better_than_the_table_and_the_provider_best(limits: Limits) -> None:
    limits.plan([GROQ], MORNING)
    limits.adopt([Learned(PAIR, "tokens", 9_000, MINUTE)], MORNING)
    limits.plan([GROQ], MORNING)
    assert left(limits, PAIR, "tokens", MINUTE) == 9_000
    limits.learn(GROQ, [Limit("tokens", 12_000, MINUTE)], MORNING)
    limits.adopt([Learned(PAIR, "tokens", 9_000, MINUTE)], MORNING)
    assert left(limits, PAIR, "tokens", MINUTE) == 12_000


def test_a_free_limit_of_an_earlier_life_still_ends_with_its_minute_and_day(limits: Limits) -> None:
    limits.adopt([Learned("account:1/free", "requests", 50, 86_400.0)], MORNING)
    limits.learn(FREE, [Limit("requests", 20, MINUTE, 0.0, free_only=True, source="text")], MORNING)
    assert all(bucket.fixed for bucket in limits.quotas["account:1/free"].buckets.values())


# what an answer may come to


def reserved(limits: Limits, tokens: int, output: int | None) -> float:
    got = limits.reserve(GROQ, tokens, MORNING, output=output)
    assert isinstance(got, list), got
    taken = got[0][1].amounts["tokens", MINUTE]
    limits.release(got, MORNING)
    return taken


def test_the_most_that_was_asked_for_is_set_aside_and_what_was_used_is_settled(limits: Limits) -> None:
    limits.plan([GROQ], MORNING)
    got = limits.reserve(GROQ, 100, MORNING, output=3_000)
    assert isinstance(got, list)
    assert left(limits, PAIR, "tokens", MINUTE) == 2_900
    limits.settle(got, Usage(90, 60), MORNING)
    assert left(limits, PAIR, "tokens", MINUTE) == 5_850
    assert left(limits, PAIR, "tokens", 86_400.0) == 500_000 - 150


def test_an_open_end_is_guessed_from_what_the_deployment_usually_answers(limits: Limits) -> None:
    limits.plan([GROQ], MORNING)
    assert reserved(limits, 100, None) == 1_124
    for length in (2_000,) * 30:
        limits.answered(GROQ, Usage(10, length))
    assert reserved(limits, 100, None) == 2_100
    limits.answered(GROQ, Usage(10, 9_000_000, estimated=True))
    limits.answered(GROQ, None)
    assert reserved(limits, 100, None) == 2_100


def test_a_guess_never_makes_a_call_too_large_but_its_own_wish_does(limits: Limits) -> None:
    limits.plan([GROQ], MORNING)
    assert reserved(limits, 5_900, None) == 6_000
    assert limits.reserve(GROQ, 5_900, MORNING, output=1_024) == NEVER
    assert limits.reserve(GROQ, 6_100, MORNING, output=None) == NEVER, "the prompt alone is"


def test_tokens_told_per_second_let_a_large_request_through_and_the_next_one_wait(limits: Limits) -> None:
    one = at("together", "any")
    limits.learn(one, [Limit("tokens", 1_000, 1.0)], MORNING)
    first = limits.reserve(one, 5_000, MORNING)
    assert isinstance(first, list)
    assert limits.reserve(one, 10, MORNING) == pytest.approx(MORNING + 4.01 + ARRIVAL, abs=1e-3)


# two accounts that are one


def test_two_accounts_whose_remaining_falls_together_are_proposed_as_one_and_stay_two() -> None:
    pages = Pages()
    limits = Limits(pages.write)
    other = replace(GROQ, account=Account(2, 1))
    for number in range(300):
        told = [Limit("requests", 14_400, 86_400.0, 14_000.0 - number)]
        limits.learn(GROQ if number % 3 else other, told, MORNING)
    (twins,) = pages.of("twins")
    assert (twins["one"], twins["other"]) == (1, 2)
    assert set(limits.quotas) == {PAIR, "account:2/deployment:1"}
