"""What next? Examples that read as the rules do, and properties over every kind of failure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.expectation import Heard
from rotation.core.failures import TABLE, Blame, Failure, FailureKind, Rotate
from rotation.core.policy import BALANCED, PRESETS, SEED, Policy
from rotation.core.rotation import SCOPE_OF, GiveUp, Rotation, Try, Wait, blamed_scope
from rotation.core.selection import NEVER, Candidate, Standing, State
from rotation.core.targets import Account, Deployment, Key, Provider, Target

K = FailureKind


def target(deployment: int, key: int = 1, *, account: int = 1, provider: int = 1, **more: object) -> Target:
    return Target(
        Deployment(deployment, provider, f"m{deployment}", **more),  # type: ignore[arg-type]  # features vary
        Key(key, account),
        Account(account, provider),
        Provider(provider, f"p{provider}", "generic", "http://x"),
    )


def rotation(
    *targets: Target, policy: Policy = BALANCED, deadline: float = 100.0, standing: Standing | None = None
) -> Rotation:
    candidates = [Candidate(t, standing or Standing(State.READY)) for t in targets]
    return Rotation(candidates, policy, now=0.0, deadline=deadline, rand=lambda: 0.5)


def tried(answer: Try | Wait | GiveUp) -> Target:
    assert isinstance(answer, Try), answer
    return answer.target


def test_the_first_in_order_is_tried_first() -> None:
    assert tried(rotation(target(1), target(2)).next(0.0)).deployment.id == 1


def test_a_failure_moves_on_to_the_next_at_once() -> None:
    way = rotation(target(1), target(2))
    way.failed(tried(way.next(0.0)), Failure(K.OVERLOADED), 0.1)
    assert tried(way.next(0.1)).deployment.id == 2


def test_one_accounts_limit_leaves_the_other_account_of_the_same_model() -> None:
    way = rotation(target(1, 1, account=1), target(1, 2, account=1), target(1, 3, account=2))
    way.failed(tried(way.next(0.0)), Failure(K.RATE_LIMITED), 0.0)
    assert tried(way.next(0.0)).key.id == 3


def test_a_refused_key_leaves_the_other_keys_of_its_account() -> None:
    way = rotation(target(1, 1), target(1, 2))
    way.failed(tried(way.next(0.0)), Failure(K.BAD_CREDENTIAL), 0.0)
    assert tried(way.next(0.0)).key.id == 2


def test_a_gone_model_is_not_asked_for_with_the_next_key() -> None:
    way = rotation(target(1, 1), target(1, 2), target(2, 1))
    way.failed(tried(way.next(0.0)), Failure(K.MODEL_GONE), 0.0)
    assert tried(way.next(0.0)).deployment.id == 2


def test_an_unreachable_provider_is_left_with_all_its_models_and_costs_no_attempt() -> None:
    way = rotation(target(1), target(2), target(3, provider=2, account=2))
    way.failed(tried(way.next(0.0)), Failure(K.UNREACHABLE), 0.0)
    assert way.attempts == 0
    assert tried(way.next(0.0)).deployment.id == 3


def test_a_limit_on_free_models_leaves_the_paid_ones_of_the_same_account() -> None:
    way = rotation(target(1, free=True), target(2, free=True), target(3))
    way.failed(tried(way.next(0.0)), Failure(K.QUOTA_DAY, blame=Blame.ACCOUNT_FREE), 0.0)
    assert tried(way.next(0.0)).deployment.id == 3


def test_too_long_goes_on_only_to_larger_windows() -> None:
    way = rotation(target(1, context=8000), target(2, context=4000), target(3, context=32000))
    way.failed(tried(way.next(0.0)), Failure(K.TOO_LONG), 0.0)
    assert tried(way.next(0.0)).deployment.id == 3


def test_garbage_is_asked_for_once_more_and_then_elsewhere() -> None:
    way = rotation(target(1), target(2))
    for _ in range(2):
        assert tried(way.next(0.0)).deployment.id == 1
        way.failed(target(1), Failure(K.GENERATION_FAILED), 0.0)
    assert tried(way.next(0.0)).deployment.id == 2


def test_a_callers_mistake_ends_the_call_at_once() -> None:
    way = rotation(target(1), target(2))
    way.failed(tried(way.next(0.0)), Failure(K.BAD_REQUEST, "temperature"), 0.0)
    end = way.next(0.0)
    assert isinstance(end, GiveUp)
    assert end.final is not None
    assert end.final.message == "temperature"


def test_all_cooling_for_three_seconds_waits_exactly_three_seconds() -> None:
    way = rotation(target(1), target(2), standing=Standing(State.COOLING, 3.0))
    assert way.next(0.0) == Wait(3.0)
    assert tried(way.next(3.0)).deployment.id == 1


def test_all_cooling_past_the_deadline_fails_at_once_and_names_the_moment() -> None:
    way = rotation(target(1), deadline=2.0, standing=Standing(State.COOLING, 3.0))
    assert way.next(0.0) == GiveUp((), None, 3.0)


def test_a_target_that_is_not_admitted_costs_no_attempt_and_is_waited_for() -> None:
    way = rotation(target(1), target(2))
    way.refused(tried(way.next(0.0)), 5.0, 0.0)
    assert way.attempts == 0
    way.refused(tried(way.next(0.0)), 2.0, 0.0)
    assert way.next(0.0) == Wait(2.0)


def test_one_target_alone_is_tried_again_after_the_backoff() -> None:
    way = rotation(target(1))
    way.failed(tried(way.next(0.0)), Failure(K.OVERLOADED), 0.0)
    assert way.next(0.0) == Wait(1.0)
    again = way.next(1.0)
    assert again == Try(target(1), again=True)


def test_resting_targets_are_tried_when_nothing_else_is_left_soonest_first() -> None:
    late = Candidate(target(1), Standing(State.RESTING, 40.0, guessed=True), last_resort=True)
    soon = Candidate(target(2), Standing(State.RESTING, 20.0, guessed=True), last_resort=True)
    well = Candidate(target(3), Standing(State.READY))
    way = Rotation([late, soon, well], BALANCED, now=0.0, deadline=100.0, rand=lambda: 0.5)
    order = []
    for _ in range(3):
        found = way.next(0.0)
        order.append(tried(found).deployment.id)
        way.failed(tried(found), Failure(K.OVERLOADED), 0.0)
    assert order == [3, 2, 1]


def test_what_an_operator_benched_is_never_tried_not_even_in_panic() -> None:
    way = rotation(target(1), standing=Standing(State.BENCHED, NEVER))
    assert way.next(0.0) == GiveUp((), None, None)


def test_the_seed_preset_sleeps_before_every_retry_and_stays_for_three() -> None:
    way = rotation(target(1), target(2), policy=SEED)
    seen = []
    now = 0.0
    for _ in range(7):
        match way.next(now):
            case Try(t):
                seen.append(t.deployment.id)
                way.failed(t, Failure(K.OVERLOADED), now)
            case Wait(seconds):
                seen.append(-round(seconds))
                now += seconds
    assert seen == [1, -1, 1, -2, 1, -4, 2]


def hearing(**seconds: float) -> dict[str, Heard]:
    return {model: Heard(p50 / 2, p50, p50 * 2, 64) for model, p50 in seconds.items()}


def in_haste(*targets: Target, deadline: float, **seconds: float) -> Rotation:
    """A call with a deadline of its client's; of whom nothing is said, nothing was heard."""
    heard = hearing(**seconds)
    candidates = [Candidate(t, Standing(State.READY)) for t in targets]
    return Rotation(candidates, BALANCED, now=0.0, deadline=deadline, rand=lambda: 0.5,
                    heard=lambda t: heard.get(t.deployment.model))  # fmt: skip


def test_with_time_enough_the_order_stays() -> None:
    assert tried(in_haste(target(1), target(2), deadline=60.0, m1=5.0, m2=0.5).next(0.0)).deployment.id == 1


def test_with_little_time_whoever_fits_it_goes_first_and_the_slow_one_after() -> None:
    way = in_haste(target(1), target(2), target(3), deadline=3.0, m1=5.0, m2=0.5)
    order = []
    for _ in range(3):
        found = tried(way.next(0.0))
        order.append(found.deployment.id)
        way.failed(found, Failure(K.OVERLOADED), 0.0)
    assert order == [2, 3, 1]


def test_time_that_runs_out_changes_who_fits() -> None:
    way = in_haste(target(1), target(2), target(3), deadline=10.0, m1=1.0, m2=4.0, m3=0.2)
    way.failed(tried(way.next(0.0)), Failure(K.OVERLOADED), 8.0)
    assert tried(way.next(8.0)).deployment.id == 3


def test_another_is_promised_only_when_it_could_still_be_in_time() -> None:
    assert in_haste(target(1), target(2), deadline=3.0, m1=0.5, m2=0.5).next(0.0) == Try(target(1), another=True)
    assert in_haste(target(1), target(2), deadline=3.0, m1=0.5, m2=2.0).next(0.0) == Try(target(1))
    assert in_haste(target(1, 1), target(1, 2), deadline=3.0, m1=0.5).next(0.0) == Try(target(1, 1))
    assert rotation(target(1), target(2)).next(0.0) == Try(target(1))


def test_who_had_its_share_of_the_time_is_left_for_this_call_with_all_its_keys_and_not_for_the_next() -> None:
    way = in_haste(target(1, 1), target(1, 2, account=2), target(2), deadline=3.0)
    way.failed(tried(way.next(0.0)), Failure(K.OUT_OF_TIME), 1.5)
    assert tried(way.next(1.5)).deployment.id == 2
    way.failed(target(2), Failure(K.BAD_REQUEST), 2.0)
    end = way.next(2.0)
    assert isinstance(end, GiveUp)
    assert end.retry_at == 2.0


def test_at_the_end_it_is_told_of_each_when_it_is_back() -> None:
    back = {(1, 1): 30.0, (2, 1): NEVER, (3, 1): 12.0}
    found = [Candidate(target(d), Standing(State.COOLING, until)) for (d, _), until in back.items()]
    end = Rotation(found, BALANCED, now=0.0, deadline=5.0, rand=lambda: 0.5).next(0.0)
    assert isinstance(end, GiveUp)
    assert (end.back, end.retry_at) == (back, 12.0)


def test_every_blame_has_a_scope() -> None:
    assert set(SCOPE_OF) == set(Blame)


@pytest.mark.parametrize("kind", FailureKind)
def test_the_blamed_scope_is_one_the_target_stands_in(kind: FailureKind) -> None:
    for blame in (None, *Blame):
        assert blamed_scope(Failure(kind, blame=blame), target(1)) in target(1).scopes


worlds = st.lists(
    st.builds(
        target,
        st.integers(1, 5),
        st.integers(1, 3),
        account=st.integers(1, 2),
        provider=st.integers(1, 2),
        context=st.sampled_from([None, 1000, 8000]),
        free=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda t: t.id,
)
steps = st.lists(
    st.tuples(
        st.sampled_from([*FailureKind, "refused"]),
        st.floats(0, 20),
        st.one_of(st.none(), st.floats(0, 50)),
    ),
    min_size=60,
    max_size=60,
)


@given(worlds, steps, st.sampled_from(sorted(PRESETS)), st.floats(0.1, 60))
def test_every_call_ends_within_its_bounds_whatever_fails(
    targets: list[Target], story: list[tuple[object, float, float | None]], preset: str, deadline: float
) -> None:
    policy = replace(PRESETS[preset], max_attempts=8)
    way = rotation(*targets, policy=policy, deadline=deadline)
    now, out, tries = 0.0, dict[str, float](), 0
    for what, took, hint in story * 3:
        answer = way.next(now)
        if isinstance(answer, GiveUp):
            assert answer.retry_at is None or answer.retry_at >= now
            return
        if isinstance(answer, Wait):
            assert answer.seconds > 0
            assert now + answer.seconds <= deadline + 0.011
            now += answer.seconds
            continue
        assert now < deadline
        assert all(out.get(scope, 0.0) <= now for scope in answer.target.scopes)
        if what == "refused":
            way.refused(answer.target, now + took, now)
            continue
        tries += 1
        assert isinstance(what, FailureKind)
        failure = Failure(what)
        now += took
        way.failed(answer.target, failure, now, now + hint if hint is not None else None)
        if TABLE[what].rotate is Rotate.AWAY and hint is not None and what is K.RATE_LIMITED:
            out[blamed_scope(failure, answer.target)] = now + hint
    raise AssertionError("a call that never ends")
