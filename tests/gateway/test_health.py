"""What is remembered of every failure, and that asking leave and giving it back leaves nothing behind."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from rotation.core.failures import TABLE, Blame, Consequence, Failure, FailureKind
from rotation.core.policy import BALANCED, SEED
from rotation.core.selection import State
from rotation.core.targets import Target
from rotation.gateway.consequences import CONFIRM_AFTER, CONSEQUENCES, GONE_REST, RECHECK, SUSPECT_REST
from rotation.gateway.health import Health, slowness
from rotation.gateway.leave import Permit, Refused, Work
from rotation.providers.base import Limit, Usage
from tests.gateway.parts import MORNING, REQUEST, Pages, Rig, target

MIDNIGHT = (MORNING // 86_400 + 1) * 86_400
HERE = target(1, key=1, account=1)
OTHER_KEY = target(1, key=2, account=1)
OTHER_ACCOUNT = target(1, key=3, account=2)
OTHER_MODEL = target(2, key=1, account=1)
EVERYBODY = {"here": HERE, "other key": OTHER_KEY, "other account": OTHER_ACCOUNT, "other model": OTHER_MODEL}


def test_every_consequence_of_the_table_has_a_function() -> None:
    assert set(CONSEQUENCES) == set(Consequence)
    assert {row.consequence for row in TABLE.values()} <= set(CONSEQUENCES)


K = FailureKind
BENCHES: dict[FailureKind, tuple[str, set[str], float]] = {
    K.RATE_LIMITED: ("account:1/deployment:1", {"here", "other key"}, MORNING + 1.0),
    K.QUOTA_DAY: ("account:1/deployment:1", {"here", "other key"}, MIDNIGHT),
    K.UPSTREAM_BUSY: ("deployment:1", {"here", "other key", "other account"}, MORNING + 1.0),
    K.BAD_CREDENTIAL: ("key:1", {"here", "other model"}, MORNING + SUSPECT_REST),
    K.OUT_OF_CREDIT: ("account:1", {"here", "other key", "other model"}, MORNING + 3600),
    K.NOT_PERMITTED: ("key:1/deployment:1", {"here"}, MORNING + 3600),
    K.MODEL_GONE: ("deployment:1", {"here", "other key", "other account"}, MORNING + GONE_REST),
}


@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_failure_benches_whom_the_table_blames_and_nobody_else(kind: FailureKind) -> None:
    rig = Rig()
    until = rig.fails(HERE, kind, feature="tools")
    scope, out, ends = BENCHES.get(kind, ("", set(), 0.0))
    assert set(rig.health.cooldowns) == ({scope} if scope else set())
    assert {name for name, t in EVERYBODY.items() if rig.health.standing(t).state is not State.READY} == out
    assert until == (ends or None)
    assert [(n["scope"], n["until"], n["kind"]) for n in rig.notes.of("cooldown")] == (
        [(scope, ends, kind)] if scope else []
    )
    rig.clock.forward(86_400)
    assert all(rig.health.standing(t).state is State.READY for t in EVERYBODY.values())


def test_the_hint_of_a_provider_is_kept_to_and_a_later_shorter_one_does_not_shorten_it() -> None:
    rig = Rig()
    first, second = rig.admitted(HERE), rig.admitted(HERE)
    assert rig.health.failed(first, Failure(K.RATE_LIMITED, retry_after=120)) == MORNING + 120
    assert rig.health.failed(second, Failure(K.RATE_LIMITED, retry_after=3)) == MORNING + 120
    assert len(rig.notes.of("cooldown")) == 1
    assert not rig.health.standing(HERE).guessed


@pytest.mark.parametrize("later", [K.MODEL_GONE, K.UPSTREAM_BUSY])
def test_no_kind_of_failure_shortens_what_another_kind_has_set(later: FailureKind) -> None:
    rig = Rig()
    first, second = rig.admitted(HERE), rig.admitted(HERE)
    rig.health.failed(first, Failure(K.UPSTREAM_BUSY, retry_after=9000))
    assert rig.health.failed(second, Failure(later)) == MORNING + 9000


def test_a_free_limit_benches_the_free_models_of_the_account_only() -> None:
    rig = Rig()
    free, other_free, paid = target(1, free=True), target(2, key=2, free=True), target(3)
    rig.fails(free, K.RATE_LIMITED, blame=Blame.ACCOUNT_FREE, retry_after=60)
    assert list(rig.health.cooldowns) == ["account:1/free"]
    assert rig.health.standing(other_free).state is State.COOLING
    assert rig.health.standing(paid).state is State.READY
    assert rig.health.standing(target(1, key=9, account=2, free=True)).state is State.READY


def test_a_free_limit_said_of_a_paid_model_benches_the_account() -> None:
    rig = Rig()
    rig.fails(HERE, K.RATE_LIMITED, blame=Blame.ACCOUNT_FREE)
    assert list(rig.health.cooldowns) == ["account:1"]


def test_of_several_things_in_the_way_the_one_that_lasts_longest_is_the_reason_and_told_ones_come_first() -> None:
    rig = Rig()
    guessed, told = rig.admitted(HERE), rig.admitted(HERE)
    rig.health.failed(guessed, Failure(K.RATE_LIMITED))
    assert rig.health.standing(HERE).guessed
    rig.health.failed(told, Failure(K.NOT_PERMITTED))
    standing = rig.health.standing(HERE)
    assert (standing.until, standing.guessed) == (MORNING + 3600, False)
    assert "not permitted" in standing.why


# keys


def states(rig: Rig) -> list[str]:
    return [note["state"] for note in rig.notes.of("key")]


def test_a_key_refused_twice_at_least_ten_seconds_apart_is_invalid() -> None:
    rig = Rig()
    rig.fails(HERE, K.BAD_CREDENTIAL, message="no such key")
    assert states(rig) == ["suspect"]
    rig.clock.forward(SUSPECT_REST)
    until = rig.fails(HERE, K.BAD_CREDENTIAL, message="no such key")
    assert states(rig) == ["suspect", "invalid"]
    assert until == rig.clock() + RECHECK
    assert rig.notes.of("key")[1] == {"t": "key", "at": rig.clock(), "key": 1, "state": "invalid",
                                      "reason": "no such key"}  # fmt: skip


def test_a_burst_of_refusals_is_one_suspicion() -> None:
    rig = Rig()
    permits = [rig.admitted(t) for t in (HERE, OTHER_MODEL, HERE)]
    for permit in permits:
        rig.health.failed(permit, Failure(K.BAD_CREDENTIAL))
        rig.clock.forward(CONFIRM_AFTER / 3)
    assert states(rig) == ["suspect"]


def test_a_key_that_works_again_is_ready_again_and_its_suspicion_forgotten() -> None:
    rig = Rig()
    rig.fails(HERE, K.BAD_CREDENTIAL)
    rig.clock.forward(SUSPECT_REST)
    rig.works(OTHER_MODEL)
    assert states(rig) == ["suspect", "ready"]
    rig.fails(HERE, K.BAD_CREDENTIAL)
    assert states(rig) == ["suspect", "ready", "suspect"]
    rig.works(OTHER_KEY)
    assert states(rig)[-1] == "suspect"


def test_an_answer_to_what_was_sent_before_the_refusal_proves_nothing() -> None:
    rig = Rig()
    long = rig.admitted(HERE)
    rig.clock.forward(1)
    rig.fails(HERE, K.BAD_CREDENTIAL)
    rig.health.answered(long, first=None, usage=None)
    assert states(rig) == ["suspect"]


def test_a_key_without_credit_says_so_until_it_works_again() -> None:
    rig, here = Rig(), target(1)
    rig.fails(here, K.OUT_OF_CREDIT, blame=Blame.KEY)
    other = target(1, key=2)
    rig.works(other)
    rig.clock.forward(3_601)
    rig.works(here)
    assert [(note["key"], note["state"]) for note in rig.notes.of("key")] == [(1, "exhausted"), (1, "ready")]


def test_an_invalid_key_is_asked_again_after_a_quarter_of_an_hour() -> None:
    rig = Rig()
    for _ in range(2):
        rig.fails(HERE, K.BAD_CREDENTIAL)
        rig.clock.forward(SUSPECT_REST)
    assert rig.health.standing(HERE).state is State.COOLING
    rig.clock.forward(RECHECK - SUSPECT_REST)
    assert rig.health.standing(HERE).state is State.READY
    rig.works(HERE)
    assert states(rig) == ["suspect", "invalid", "ready"]
    assert rig.health.cooldowns == {}


# deployments


def test_a_model_that_is_gone_is_told_with_the_providers_words() -> None:
    rig = Rig()
    rig.fails(HERE, K.MODEL_GONE, message="was retired")
    [note] = rig.notes.of("deployment")
    assert note == {"t": "deployment", "at": MORNING, "deployment": 1, "status": "gone", "reason": "was retired"}


def test_a_lack_is_told_once_and_one_without_a_name_not_at_all() -> None:
    rig = Rig()
    rig.fails(HERE, K.LACKS_FEATURE)
    assert rig.notes.of("lack") == []
    for feature in ("tools", "images", "tools"):
        rig.fails(HERE, K.LACKS_FEATURE, feature=feature)
    assert [n["feature"] for n in rig.notes.of("lack")] == ["tools", "images"]
    assert rig.health.standing(HERE).state is State.READY


# when a breaker opens, and how it closes again


def opened(rig: Rig, victim: Target = HERE, kind: FailureKind = K.OVERLOADED) -> float:
    """Five countable failures; the moment its rest is over."""
    for _ in range(4):
        assert rig.fails(victim, kind) is None
    until = rig.fails(victim, kind)
    assert until is not None
    return until


def trips(rig: Rig) -> list[tuple[str, str, str]]:
    return [(n["scope"], n["before"], n["after"]) for n in rig.notes.of("breaker")]


COUNTABLE = {
    K.OVERLOADED: "deployment:1", K.TIMED_OUT: "deployment:1", K.STALLED: "deployment:1",
    K.INTERRUPTED: "deployment:1", K.UNREACHABLE: "provider:1",
}  # fmt: skip


@pytest.mark.parametrize("kind", list(FailureKind))
def test_only_countable_failures_open_a_breaker_and_local_ones_the_providers(kind: FailureKind) -> None:
    rig = Rig()
    for _ in range(5):
        rig.fails(HERE, kind)
        rig.health.cooldowns.clear()
    scope = COUNTABLE.get(kind)
    assert trips(rig) == ([(scope, "closed", "open")] if scope else [])


def test_an_opened_breaker_is_told_with_its_reason_rest_and_the_request_that_opened_it() -> None:
    rig = Rig()
    until = opened(rig)
    assert rig.notes.of("breaker") == [
        {"t": "breaker", "at": MORNING, "scope": "deployment:1", "before": "closed", "after": "open", "until": until,
         "opens": 1, "reason": "5 failures in a row", "request": REQUEST}
    ]  # fmt: skip
    assert BALANCED.rest <= until - MORNING <= BALANCED.rest * 1.2


def test_an_open_breaker_rests_its_deployment_through_every_key_and_admits_nobody() -> None:
    rig = Rig()
    until = opened(rig)
    for resting in (HERE, OTHER_KEY, OTHER_ACCOUNT):
        standing = rig.health.standing(resting)
        assert (standing.state, standing.until, standing.guessed) == (State.RESTING, until, True)
        assert rig.refused(resting).until == until
    assert rig.health.standing(OTHER_MODEL).state is State.READY


def test_after_its_rest_one_call_probes_and_two_answers_close_it() -> None:
    rig = Rig()
    rig.clock.at = opened(rig)
    assert rig.health.standing(HERE).state is State.READY
    probe = rig.admitted(HERE)
    assert "probing" in rig.refused(OTHER_KEY).why
    rig.health.answered(probe, first=None, usage=None)
    rig.works(HERE)
    steps = [("closed", "open"), ("open", "half_open"), ("half_open", "closed")]
    assert trips(rig) == [("deployment:1", *step) for step in steps]
    assert rig.health.standing(HERE).state is State.READY


def test_a_probe_that_is_cancelled_leaves_the_place_to_the_next() -> None:
    rig = Rig()
    rig.clock.at = opened(rig)
    rig.health.release(rig.admitted(HERE))
    rig.works(HERE)


def test_a_failed_probe_opens_it_for_longer() -> None:
    rig = Rig()
    rig.clock.at = opened(rig)
    first = rig.notes.of("breaker")[0]["until"] - MORNING
    again = rig.fails(HERE, K.TIMED_OUT)
    assert again is not None
    assert again - rig.clock() > first
    assert rig.notes.of("breaker")[-1]["opens"] == 2


def test_an_unreachable_provider_rests_with_all_its_models() -> None:
    rig = Rig()
    until = opened(rig, HERE, K.UNREACHABLE)
    assert rig.refused(OTHER_MODEL).until == until
    assert rig.refused(OTHER_ACCOUNT).until == until
    rig.admitted(target(9, key=9, account=9, provider=2))


def test_being_refused_by_the_providers_breaker_keeps_no_lease_at_the_deployments() -> None:
    rig = Rig()
    opened(rig, OTHER_MODEL, K.UNREACHABLE)
    rig.clock.forward(1)
    assert opened(rig_without(rig, "provider:1"), HERE) > rig.clock()
    rig.health.breakers["provider:1"].force_open()
    rig.clock.forward(BALANCED.rest * 2)
    rig.refused(HERE)
    assert rig.health.breakers["deployment:1"]._lease is None


def rig_without(rig: Rig, scope: str) -> Rig:
    rig.health.breakers[scope].reset()
    return rig


def test_a_breaker_that_has_just_closed_lets_few_calls_through_at_first() -> None:
    rig = Rig()
    rig.clock.at = opened(rig)
    rig.works(HERE)
    rig.works(HERE)
    rig.chance = 0.99
    refused = rig.refused(HERE)
    assert "slow start" in refused.why
    assert refused.until > rig.clock()
    rig.chance = 0.05
    rig.health.release(rig.admitted(HERE))
    rig.chance = 0.99
    rig.clock.forward(BALANCED.slow_start)
    rig.health.release(rig.admitted(HERE))


def test_the_last_resort_is_let_through_an_open_breaker_but_not_through_a_forced_one() -> None:
    rig = Rig()
    opened(rig)
    rig.health.release(rig.admitted(HERE, last_resort=True))
    rig.health.breakers["deployment:1"].force_open()
    assert rig.refused(HERE, last_resort=True).until == math.inf
    standing = rig.health.standing(HERE)
    assert (standing.state, standing.guessed) == (State.BENCHED, False)


def test_in_the_seed_design_one_breaker_stands_for_the_whole_pool() -> None:
    rig = Rig(SEED)
    for victim in (HERE, OTHER_MODEL, HERE, OTHER_MODEL, HERE):
        rig.fails(victim, K.OVERLOADED)
    assert trips(rig) == [("pool:auto", "closed", "open")]
    assert rig.refused(target(9, key=9, account=9, provider=9)).until > rig.clock()
    rig.work = Work(SEED, "fast")
    rig.admitted(HERE)


def test_a_changed_policy_is_followed_from_the_next_call_on() -> None:
    rig = Rig()
    for _ in range(3):
        rig.fails(HERE, K.OVERLOADED)
    rig.work = Work(replace(BALANCED, consecutive_failures=4, rest=100.0))
    until = rig.fails(HERE, K.OVERLOADED)
    assert until is not None
    assert 100 <= until - rig.clock() <= 120


def test_a_policy_without_slow_start_ends_one_that_has_begun() -> None:
    rig = Rig()
    rig.clock.at = opened(rig)
    rig.works(HERE)
    rig.works(HERE)
    rig.chance = 0.99
    rig.refused(HERE)
    rig.work = Work(replace(BALANCED, slow_start=0.0))
    rig.admitted(HERE)


# the retry budget


def test_second_tries_and_last_resorts_are_paid_from_the_deployments_budget() -> None:
    rig = Rig()
    for number in range(10):
        rig.health.release(rig.admitted(HERE, again=number % 2 == 0, last_resort=number % 2 == 1))
        rig.health._budget._tokens[1] = (9.0 - number, rig.clock())
    refused = rig.refused(HERE, again=True)
    assert refused.until == rig.clock() + 1
    assert "budget" in refused.why
    rig.health.release(rig.admitted(OTHER_MODEL, again=True))
    rig.clock.forward(1.0)
    rig.health.release(rig.admitted(HERE, again=True))


def test_a_first_try_that_was_not_let_through_pays_for_nothing() -> None:
    rig = Rig()
    opened(rig)
    rig.health._budget._tokens[1] = (0.0, rig.clock())
    for _ in range(10):
        rig.refused(HERE)
    rig.refused(HERE, last_resort=True)


# quotas


def limited(rig: Rig, *limits: Limit) -> None:
    rig.health.limits.learn(HERE, limits, rig.clock())


def left(rig: Rig, scope: str) -> dict[str, float]:
    return {s.axis: s.left for s in rig.health.limits.quotas[scope].standing(rig.clock())}


def test_a_quota_is_reserved_settled_by_what_was_used_and_given_back_on_release() -> None:
    rig = Rig()
    limited(rig, Limit("requests", 10, 3600), Limit("tokens", 1000, 3600))
    scope = "account:1/deployment:1"
    rig.work = Work(tokens=400)
    first, second = rig.admitted(HERE), rig.admitted(OTHER_KEY)
    assert left(rig, scope) == {"requests": 8, "tokens": 200}
    rig.health.answered(first, first=None, usage=Usage(30, 20))
    assert left(rig, scope) == {"requests": 8, "tokens": 550}
    rig.health.release(second)
    assert left(rig, scope) == {"requests": 9, "tokens": 950}
    rig.fails(HERE, K.OVERLOADED)
    assert left(rig, scope) == {"requests": 8, "tokens": 950}


def test_an_empty_quota_refuses_until_it_is_filled_far_enough_and_takes_nothing() -> None:
    rig = Rig()
    limited(rig, Limit("requests", 2, 60, remaining=0.0))
    refused = rig.refused(HERE)
    assert refused.until == pytest.approx(MORNING + 30)
    assert "quota" in refused.why
    assert rig.refused(OTHER_KEY).until == refused.until
    rig.admitted(OTHER_ACCOUNT)
    rig.clock.at = refused.until
    rig.admitted(HERE)


def test_a_call_larger_than_the_whole_quota_is_refused_for_good() -> None:
    rig = Rig()
    limited(rig, Limit("tokens", 1000, 60))
    rig.work = Work(tokens=1001)
    assert rig.refused(HERE).until == math.inf


def test_a_refusal_by_quota_holds_no_probes_lease() -> None:
    rig = Rig()
    until = opened(rig)
    limited(rig, Limit("requests", 1, 86_400, remaining=0.0))
    rig.clock.at = until
    rig.refused(HERE)
    rig.works(OTHER_ACCOUNT)


WHERE = [
    (Limit("requests", 5, 60), "account:1/deployment:1"),
    (Limit("requests", 5, 60, per_account=True), "account:1"),
    (Limit("requests", 5, 60, free_only=True), "account:1/free"),
]


@pytest.mark.parametrize(("limit", "scope"), WHERE)
def test_a_limit_is_noted_once_where_it_counts_and_again_when_it_changes(limit: Limit, scope: str) -> None:
    rig = Rig()
    for _ in range(3):
        limited(rig, limit)
    [note] = rig.notes.of("limit")
    assert (note["scope"], note["axis"], note["limit"], note["window"]) == (scope, "requests", 5, 60)
    limited(rig, Limit("requests", 6, 60, per_account=limit.per_account, free_only=limit.free_only))
    assert [n["limit"] for n in rig.notes.of("limit")] == [5, 6]


# whatever happens


def test_a_permit_told_of_twice_counts_once() -> None:
    rig = Rig()
    limited(rig, Limit("requests", 10, 3600))
    permit = rig.admitted(HERE)
    rig.health.answered(permit, first=0.1, usage=None)
    rig.health.release(permit)
    rig.health.failed(permit, Failure(K.OVERLOADED))
    assert left(rig, "account:1/deployment:1") == {"requests": 9}
    assert rig.health.breakers["deployment:1"]._tally.consecutive == 0


TARGETS = [target(1, free=True), target(1, key=2, free=True), target(2), target(3, key=3, account=2, provider=2)]
CHANCE = st.floats(0, 1, exclude_max=True)


class Lives(RuleBasedStateMachine):
    """Random calls, some of them under way at once, under both presets."""

    permits = Bundle("permits")

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig()
        self.under_way: list[Permit] = []

    def over(self, permit: Permit) -> None:
        """It was told of; some are told of twice."""
        self.under_way = [p for p in self.under_way if p is not permit]

    @rule(target=permits, at=st.sampled_from(TARGETS), tokens=st.integers(0, 300), again=st.booleans(),
          last=st.booleans(), chance=CHANCE, policy=st.sampled_from([BALANCED, SEED]))  # fmt: skip
    def admit(self, at: Target, tokens: int, again: bool, last: bool, chance: float, policy: Any) -> Permit | None:
        self.rig.chance = chance
        leave = self.rig.health.admit(at, Work(policy, "auto", tokens, REQUEST), again=again, last_resort=last)
        if isinstance(leave, Refused):
            assert leave.until > self.rig.clock()
            assert leave.why
            return None
        self.under_way.append(leave)
        return leave

    @rule(permit=consumes(permits), first=st.none() | st.floats(0, 100), used=st.integers(0, 600))
    def answer(self, permit: Permit | None, first: float | None, used: int) -> None:
        if permit is not None:
            self.rig.health.answered(permit, first=first, usage=Usage(used, used))
            self.over(permit)

    @rule(permit=consumes(permits), kind=st.sampled_from(FailureKind), hint=st.none() | st.floats(-1, 1e6))
    def fail(self, permit: Permit | None, kind: FailureKind, hint: float | None) -> None:
        if permit is not None:
            until = self.rig.health.failed(permit, Failure(kind, "no", retry_after=hint, feature="tools"))
            assert until is None or until > self.rig.clock()
            self.over(permit)

    @rule(permit=permits)
    def release(self, permit: Permit | None) -> None:
        if permit is not None:
            self.rig.health.release(permit)
            self.over(permit)

    @rule(at=st.sampled_from(TARGETS), axis=st.sampled_from(["requests", "tokens"]), limit=st.floats(1, 500),
          remaining=st.none() | st.floats(-1, 500))  # fmt: skip
    def learn(self, at: Target, axis: str, limit: float, remaining: float | None) -> None:
        self.rig.health.limits.learn(at, [Limit(axis, limit, 60.0, remaining)], self.rig.clock())

    @rule(seconds=st.floats(0, 400))
    def wait(self, seconds: float) -> None:
        self.rig.clock.forward(seconds)

    @invariant()
    def nobody_stands_in_the_past(self) -> None:
        for each in TARGETS:
            standing = self.rig.health.standing(each)
            assert standing.state is State.READY or standing.until > self.rig.clock()

    @invariant()
    def nothing_is_held_for_calls_that_have_ended(self) -> None:
        leases = sum(b._lease is not None for b in self.rig.health.breakers.values())
        assert leases <= 2 * len(self.under_way)
        if not self.under_way:
            buckets = [b for q in self.rig.health.limits.quotas.values() for b in q.buckets.values()]
            assert all(bucket.held == pytest.approx(0, abs=1e-6) for bucket in buckets)

    def teardown(self) -> None:
        for permit in self.under_way:
            self.rig.health.release(permit)
        self.under_way = []
        self.nothing_is_held_for_calls_that_have_ended()


Lives.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
test_no_sequence_of_calls_leaves_anything_behind = Lives.TestCase


def test_health_that_knows_nothing_bad_says_so_at_once() -> None:
    health = Health(now=lambda: MORNING, rand=lambda: 0.5, note=Pages().write)
    assert health.standing(HERE).state is State.READY


@pytest.mark.parametrize(
    ("first", "elapsed", "tokens", "slow"),
    [(0.5, 90.0, 10, 0.5), (None, 40.0, 0, 40.0), (None, 40.0, 600, 10.0), (None, 5.0, 600, 0.0)],
)
def test_only_what_an_answers_length_does_not_explain_is_slow(
    first: float | None, elapsed: float, tokens: int, slow: float
) -> None:
    assert slowness(first, elapsed, Usage(0, tokens)) == slow
