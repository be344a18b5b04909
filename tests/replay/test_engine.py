"""The replay is the engine itself in event time: what overlaps overlaps, and limits, breakers and failover act."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.failures import FailureKind
from rotation.core.policy import BALANCED
from rotation.gateway.snapshot import Learned
from rotation.replay.evidence import Level
from rotation.replay.traffic import Spent
from tests.replay.parts import NOON, asked, replay, scenario, seen, target

DOWN = FailureKind.OVERLOADED


def calls(many, every=60.0, **how):
    return [asked(NOON + n * every, **how) for n in range(many)]


def plenty(deployment, many=60, **how):
    return [seen(deployment, **how) for _ in range(many)]


def test_a_call_takes_as_long_as_was_measured():
    outcome = replay([asked()], scenario([target(1)]), plenty(1, first=0.4, total=2.0))[0]
    assert (outcome.answered, outcome.first, outcome.total) == (True, pytest.approx(0.4), pytest.approx(2.0))


def test_a_failed_attempt_costs_its_time_and_the_next_model_answers():
    rows = plenty(1, kind=DOWN, total=0.3) + plenty(2, first=0.5, total=1.0)
    outcome = replay([asked()], scenario([target(1), target(2)]), rows)[0]
    assert [sent.kind for sent in outcome.sent] == [DOWN, None]
    assert (outcome.first, outcome.total) == (pytest.approx(0.8), pytest.approx(1.3))


def test_five_failures_in_a_row_rest_a_model_as_they_would_in_the_gateway():
    rows = plenty(1, kind=DOWN, total=0.1) + plenty(2)
    outcomes = replay(calls(12, every=1.0), scenario([target(1), target(2)]), rows)
    tried = [[sent.deployment for sent in outcome.sent] for outcome in outcomes]
    assert tried == [[1, 2]] * 5 + [[2]] * 7


def test_calls_that_overlap_share_a_limit():
    limit = [Learned("account:1/deployment:1", "requests", 2.0, 60.0)]
    rows = plenty(1, total=5.0) + plenty(2)
    burst = [asked(NOON + n * 0.01) for n in range(5)]
    outcomes = replay(burst, scenario([target(1), target(2)], learned=limit), rows)
    assert [outcome.sent[0].deployment for outcome in outcomes] == [1, 1, 2, 2, 2]


def test_what_others_took_of_a_limit_is_gone():
    limit = [Learned("account:1/deployment:1", "requests", 3.0, 60.0), Learned("account:1", "tokens", 1e4, 60.0)]
    play, rows = scenario([target(1), target(2)], learned=limit), plenty(1) + plenty(2)
    burst = [asked(NOON + n * 0.01) for n in range(4)]

    def first_asked(*others: Spent) -> list[int]:
        outcomes = replay(burst, play, rows, others=others)
        return [outcome.sent[0].deployment for outcome in outcomes]

    model = ("account:1/deployment:1",)
    assert first_asked() == [1, 1, 1, 2]
    assert first_asked(Spent(NOON - 1, model, 10), Spent(NOON + 0.005, model, 10)) == [1, 2, 2, 2]
    assert first_asked(Spent(NOON + 0.015, ("account:1",), 8000)) == [1, 1, 2, 2], "another model of the same account"
    assert first_asked(Spent(NOON + 60, model, 10), Spent(NOON, ("account:7",), 900)) == [1, 1, 1, 2]


def test_a_limit_that_lasts_is_waited_for_and_then_given_up():
    limit = [Learned("account:1/deployment:1", "requests", 1.0, 8.0)]
    burst = [asked(NOON), asked(NOON + 0.01), asked(NOON + 0.02)]
    outcomes = replay(burst, scenario([target(1)], learned=limit), plenty(1))
    waited = outcomes[1]
    assert (waited.answered, round(waited.total)) == (True, 9)
    assert not outcomes[2].answered, "its patience of 10 s does not reach the second refill"


def test_a_silent_model_is_waited_for_as_long_as_the_policy_says():
    rows = plenty(1, kind=FailureKind.TIMED_OUT, total=60.0) + plenty(2, first=0.5, total=1.0)
    for cap in (60.0, 7.0):
        outcome = replay(
            [asked()], scenario([target(1), target(2)], policy=replace(BALANCED, first_content_cap=cap)), rows
        )[0]
        assert outcome.total == pytest.approx(cap + 1.0)


def test_an_answer_that_comes_too_late_is_a_time_out():
    rows = plenty(1, first=20.0, total=21.0) + plenty(2)
    policy = replace(BALANCED, first_content_cap=10.0)
    outcome = replay([asked()], scenario([target(1), target(2)], policy=policy), rows)[0]
    assert [sent.kind for sent in outcome.sent] == [FailureKind.TIMED_OUT, None]


def test_the_keys_of_a_model_take_turns():
    twins = [target(1, account=1), target(1, account=2)]
    outcomes = replay(calls(4), scenario(twins), plenty(1))
    assert [outcome.sent[0].account for outcome in outcomes] == [1, 2, 1, 2]


def test_a_lower_model_is_explored_now_and_then_and_a_canary_gets_its_share():
    rows = plenty(1) + plenty(2)
    play = scenario([target(1), target(2)], policy=replace(BALANCED, explore_share=0.05))
    explored = [outcome.sent[0].deployment for outcome in replay(calls(400), play, rows)]
    assert explored.count(2) == pytest.approx(20, abs=6)
    new = replace(play, route=replace(play.route, canaries=((2, 0.05),), policy=BALANCED))
    asked_first = [outcome.sent[0].deployment for outcome in replay(calls(400), new, rows)]
    assert asked_first.count(2) == pytest.approx(20, abs=12)


def test_what_really_happened_to_a_call_happens_again():
    really = {(0, 1): seen(1, first=3.0, total=4.0, call=0)}
    outcomes = replay(calls(2), scenario([target(1)]), plenty(1), own=really)
    assert [round(outcome.total, 6) for outcome in outcomes] == [4.0, 1.0]
    assert [outcome.sent[0].level for outcome in outcomes] == [Level.OWN, Level.NEAR]


def test_a_caller_s_mistake_ends_the_call():
    rows = {(0, 1): seen(1, FailureKind.CONTENT_POLICY, total=0.2, call=0)}
    outcome = replay([asked()], scenario([target(1), target(2)]), plenty(1) + plenty(2), own=rows)[0]
    assert (outcome.answered, len(outcome.sent)) == (False, 1)


def test_costs_are_tokens_at_the_price_and_free_is_free():
    paid = target(1, price_in=1e-6, price_out=2e-6)
    rows = plenty(1) + plenty(2) + plenty(3)
    costs = [
        replay([asked(prompt=1000, answer=100)], scenario([one]), rows)[0].sent[0].cost
        for one in (paid, target(2, free=True), target(3))
    ]
    assert costs == [pytest.approx(0.0012), 0.0, None]


traffic = st.lists(
    st.builds(
        lambda gap, prompt, stream: (gap, prompt, stream),
        st.floats(0, 30),
        st.integers(0, 3000),
        st.booleans(),
    ),
    min_size=1,
    max_size=30,
)
evidence = st.lists(
    st.builds(
        lambda one, kind, total: seen(one, kind, first=total / 2, total=total),
        st.integers(1, 3),
        st.sampled_from(
            [
                None,
                None,
                None,
                DOWN,
                FailureKind.UNREACHABLE,
                FailureKind.TIMED_OUT,
                FailureKind.INTERRUPTED,
                FailureKind.RATE_LIMITED,
                FailureKind.GENERATION_FAILED,
            ]
        ),
        st.floats(0.01, 100),
    ),
    max_size=40,
)


@given(traffic, evidence, st.integers(0, 99), st.sampled_from(["ordered", "fastest", "round_robin", "weighted"]))
def test_every_call_ends_once_and_the_same_seed_gives_the_same(kinds, rows, seed, strategy):
    at, asks = NOON, []
    for gap, prompt, stream in kinds:
        at += gap
        asks.append(asked(at, prompt=prompt, stream=stream))
    limits = [Learned("account:1/deployment:1", "tokens", 4000.0, 60.0)]
    play = scenario([target(n) for n in (1, 2, 3)], strategy=strategy, learned=limits)
    outcomes = replay(asks, play, rows, seed=seed)
    assert len(outcomes) == len(asks)
    assert outcomes == replay(asks, play, rows, seed=seed)
    for outcome in outcomes:
        assert 0 <= outcome.total <= BALANCED.total + 1e-6
        assert len(outcome.sent) <= BALANCED.max_attempts + 3  # what reached nobody costs no attempt
        assert outcome.answered == any(sent.kind is None for sent in outcome.sent)
