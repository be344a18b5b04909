"""When a call is tried again, with one function and with a manager, awaited or not."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.policy import BALANCED
from rotation.library import (
    ModelRotationManager,
    NoModelAvailable,
    RetryConfig,
    RetryPolicy,
    WrongExecute,
)
from tests.library.conftest import FakeTime, Refused


def policy_of(clock, config=None, **keywords) -> RetryPolicy:
    keywords = {"rand": lambda: 0.5, **keywords}
    return RetryPolicy(config, clock=clock, sleep=clock.sleep, sleep_async=clock.sleep_async, **keywords)


class Script:
    """A function that plays outcomes one after the other, the last one for ever, and remembers whom it was asked as."""

    def __init__(self, *outcomes: object) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[tuple[object, ...]] = []

    def __call__(self, *args: object) -> object:
        self.asked.append(args)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def later(self, *args: object) -> object:
        await asyncio.sleep(0)
        return self(*args)


class Models:
    """Asked with a model's name: dead ones raise what they are given, the others answer with their name."""

    def __init__(self, **dead: Exception) -> None:
        self.dead = dead
        self.asked: list[str] = []

    def __call__(self, model: str) -> str:
        self.asked.append(model)
        if model in self.dead:
            raise self.dead[model]
        return model


def manager_of(clock, order=("a", "b", "c"), **keywords) -> ModelRotationManager:
    return ModelRotationManager(order, clock=clock, rand=lambda: 0.5, **keywords)


# configuration


@pytest.mark.parametrize("name", ["max_retries", "base_delay", "max_delay", "exponential_base"])
@pytest.mark.parametrize("value", [-1, -0.5, math.nan, math.inf, "3", None])
def test_a_wrong_number_is_named(name, value):
    with pytest.raises(ValueError, match=f"{name} must be"):
        replace(RetryConfig(), **{name: value})


def test_retries_are_counted_in_whole_numbers_and_waits_never_shrink():
    for name, value in (("max_retries", 1.5), ("max_retries", True), ("exponential_base", 0.9)):
        with pytest.raises(ValueError, match=f"{name} must be"):
            replace(RetryConfig(), **{name: value})


@pytest.mark.parametrize("deadline", [0, -1, math.nan])
def test_a_deadline_is_ahead(deadline):
    with pytest.raises(ValueError, match="deadline must be"):
        RetryPolicy(deadline=deadline)


@given(retry=st.integers(-5, 10**6), rand=st.floats(0, 1, exclude_max=True), base=st.floats(0, 1e6),
       most=st.floats(0, 1e5), factor=st.floats(1, 1e3), jitter=st.booleans())  # fmt: skip
def test_every_wait_is_between_nothing_and_the_maximum(retry, rand, base, most, factor, jitter):
    config = RetryConfig(base_delay=base, max_delay=most, exponential_base=factor, jitter=jitter)
    assert 0 <= config.delay(retry, rand) <= most


def test_the_maximum_holds_after_the_jitter():
    config = RetryConfig()
    assert [config.delay(n, 0.99) for n in (7, 8)] == [60, 60]
    assert config.delay(4, 0.0) == pytest.approx(6.4)
    assert {RetryConfig(jitter=False).delay(4, rand) for rand in (0.0, 0.5, 0.99)} == {8}


# one function


def test_an_answer_at_once_waits_for_nothing(clock):
    assert policy_of(clock).execute(int, "ff", base=16) == 255
    assert clock.slept == []


def test_five_retries_after_1_2_4_8_and_16_seconds_and_then_the_error_as_it_came(clock):
    error = ConnectionError("no")
    script = Script(error)
    with pytest.raises(ConnectionError) as caught:
        policy_of(clock).execute(script, "x")
    assert caught.value is error
    assert script.asked == [("x",)] * 6
    assert clock.slept == [1, 2, 4, 8, 16]


def test_awaited_functions_are_retried_likewise(clock):
    script = Script(ConnectionError(), ConnectionError(), "yes")
    assert asyncio.run(policy_of(clock).execute_async(script.later, 1)) == "yes"
    assert clock.slept == [1, 2]


def test_no_retries_means_one_try(clock):
    script = Script(ConnectionError())
    with pytest.raises(ConnectionError):
        policy_of(clock, RetryConfig(max_retries=0)).execute(script)
    assert len(script.asked) == 1


@pytest.mark.parametrize("retry_on", [OSError, (OSError, KeyError), lambda error: isinstance(error, OSError)])
def test_only_what_is_worth_it_is_retried(clock, retry_on):
    policy = policy_of(clock, retry_on=retry_on)
    assert policy.execute(Script(OSError(), "yes")) == "yes"
    with pytest.raises(ValueError):
        policy.execute(Script(ValueError(), "yes"))


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_what_must_stop_stops(clock, stop):
    script = Script(stop(), "yes")
    with pytest.raises(stop):
        policy_of(clock).execute(script)
    assert clock.slept == []


def test_a_cancelled_task_is_not_retried(clock):
    script = Script(asyncio.CancelledError(), "yes")
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(policy_of(clock).execute_async(script.later))
    assert len(script.asked) == 1


def test_the_wait_the_provider_named_is_kept(clock):
    policy_of(clock).execute(Script(Refused(3.5), Refused("garbage"), "yes"))
    assert clock.slept == [3.5, 2]


def test_a_wait_longer_than_the_maximum_is_not_begun(clock):
    with pytest.raises(Refused):
        policy_of(clock, RetryConfig(max_delay=10)).execute(Script(Refused(11)))
    assert clock.slept == []


def test_no_wait_reaches_the_deadline(clock):
    script = Script(ConnectionError())
    with pytest.raises(ConnectionError):
        policy_of(clock, deadline=7.0).execute(script)
    assert clock.slept == [1, 2]  # the next, 4 s, would have ended at 7


def test_time_spent_in_the_call_counts_for_the_deadline(clock):
    def slow():
        clock.now += 5
        raise ConnectionError

    with pytest.raises(ConnectionError):
        policy_of(clock, deadline=10.0).execute(slow)
    assert clock.slept == [1]


def test_every_retry_is_told_before_its_wait(clock):
    told = []
    policy = policy_of(clock, on_retry=lambda retry: told.append((retry, list(clock.slept))))
    error = ConnectionError("no")
    policy.execute(Script(error, error, "yes"))
    (first, slept_first), (second, slept_second) = told
    assert (first.retry, first.delay, first.elapsed, first.error, first.model) == (1, 1, 0, error, None)
    assert (second.retry, second.delay, second.elapsed, second.max_retries) == (2, 2, 1, 5)
    assert (slept_first, slept_second) == ([], [1])


def test_a_callback_may_be_awaited_and_may_end_the_call(clock):
    told = []

    async def tell(retry):
        await asyncio.sleep(0)
        told.append(retry.retry)
        if retry.retry == 2:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        asyncio.run(policy_of(clock, on_retry=tell).execute_async(Script(OSError()).later))
    assert told == [1, 2]


def test_the_wrong_execute_is_told_at_once(clock):
    script, manager = Script("yes"), manager_of(clock)
    with pytest.raises(WrongExecute, match="use execute_async"):
        policy_of(clock).execute(script.later)
    with pytest.raises(WrongExecute, match="use execute or"):
        asyncio.run(policy_of(clock).execute_async_with(manager, script))
    assert clock.slept == []
    assert manager.get_metrics()["models"]["a"]["requests"] == 0


# with a manager


def test_another_model_is_asked_at_once_when_one_is_rate_limited(clock):
    manager, ask = manager_of(clock), Models(a=Refused(20))
    assert policy_of(clock).execute_with(manager, ask) == "b"
    assert (ask.asked, clock.slept) == (["a", "b"], [])
    assert policy_of(clock).execute_with(manager, ask) == "b"
    clock.now += 20
    ask.dead.clear()
    assert policy_of(clock).execute_with(manager, ask) == "a"


def test_the_same_model_is_asked_again_after_a_wait_until_its_row_is_full(clock):
    manager, ask = manager_of(clock), Models(a=ConnectionError())
    assert policy_of(clock).execute_with(manager, ask) == "b"
    assert (ask.asked, clock.slept) == (["a", "a", "a", "b"], [1, 2])


def test_rotating_at_every_failure_costs_no_wait_at_all(clock):
    manager = manager_of(clock, max_consecutive_failures=1)
    ask = Models(a=ConnectionError(), b=ConnectionError())
    assert policy_of(clock).execute_with(manager, ask) == "c"
    assert (ask.asked, clock.slept) == (["a", "b", "c"], [])


def test_the_seed_policy_sleeps_before_another_model_too(clock):
    manager = manager_of(clock, policy="seed", max_consecutive_failures=1)
    ask = Models(a=ConnectionError(), b=ConnectionError())
    assert policy_of(clock).execute_with(manager, ask) == "c"
    assert clock.slept == [1, 2]


def test_awaited_calls_rotate_likewise(clock):
    manager, ask = manager_of(clock), Models(a=Refused(20))

    async def later(model):
        await asyncio.sleep(0)
        return ask(model)

    assert asyncio.run(policy_of(clock).execute_async_with(manager, later)) == "b"
    assert manager.get_metrics()["models"]["b"]["successes"] == 1


def test_when_all_cool_it_waits_for_the_soonest(clock):
    manager, policy = manager_of(clock, ("a", "b")), policy_of(clock)
    script = Script(Refused(30), Refused(12), "yes")
    assert policy.execute_with(manager, script, "hello") == "yes"
    assert script.asked == [("a", "hello"), ("b", "hello"), ("b", "hello")]
    assert clock.slept == [12]


def test_it_waits_for_the_soonest_also_when_nobody_can_be_asked_at_first(clock):
    manager = manager_of(clock, ("a",))
    manager.on_rate_limit(9)
    told = []
    policy = policy_of(clock, on_retry=told.append)
    assert policy.execute_with(manager, Models()) == "a"
    assert clock.slept == [9]
    assert isinstance(told[0].error, NoModelAvailable)
    assert told[0].model is None


def test_it_gives_up_when_the_soonest_is_too_far(clock):
    manager = manager_of(clock, ("a", "b"))
    with pytest.raises(Refused):
        policy_of(clock).execute_with(manager, Models(a=Refused(3600), b=Refused(3600)))
    with pytest.raises(NoModelAvailable, match=r"the soonest in 3600\.0 s"):
        policy_of(clock, retry_on=Refused).execute_with(manager, Models())
    assert clock.slept == []


def test_what_is_not_retried_is_held_against_no_model(clock):
    manager = manager_of(clock)
    with pytest.raises(ValueError):
        policy_of(clock, retry_on=OSError).execute_with(manager, Models(a=ValueError("a caller's mistake")))
    assert manager.get_metrics()["models"]["a"]["requests"] == 0


def test_a_dead_model_costs_the_next_calls_nothing(clock):
    manager, ask = manager_of(clock, max_consecutive_failures=1), Models(a=ConnectionError())
    for _ in range(20):
        assert policy_of(clock).execute_with(manager, ask) == "b"
    assert ask.asked.count("a") == 1
    clock.now += BALANCED.rest
    ask.dead.clear()
    assert policy_of(clock).execute_with(manager, ask) == "a"


def test_with_the_real_clock_and_real_sleeps_one_wait_is_enough():
    manager = ModelRotationManager(["a"])
    policy = RetryPolicy(RetryConfig(max_retries=1))
    assert policy.execute_with(manager, Script(Refused(0.05), "yes")) == "yes"
    assert asyncio.run(policy.execute_async_with(manager, Script(Refused(0.05), "yes").later)) == "yes"
    quick = RetryPolicy(RetryConfig(max_retries=2, base_delay=0.001))
    assert quick.execute(Script(OSError(), OSError(), "yes")) == "yes"


OUTCOMES = st.sampled_from(["answer", "fail", "ours"]) | st.none() | st.floats(-5, 200)


@given(outcomes=st.lists(OUTCOMES, min_size=1, max_size=12), retries=st.integers(0, 6), most=st.floats(0, 90),
       deadline=st.none() | st.floats(0.1, 300), rand=st.floats(0, 1, exclude_max=True),
       preset=st.sampled_from(["balanced", "seed"]), alone=st.booleans())  # fmt: skip
def test_any_run_ends_in_time_with_waits_within_bounds(outcomes, retries, most, deadline, rand, preset, alone):
    clock = FakeTime()
    errors = {"fail": OSError(), "ours": ValueError()}
    script = Script(*(o if o == "answer" else errors.get(o) or Refused(o) for o in outcomes))
    config = RetryConfig(max_retries=retries, max_delay=most)
    policy = policy_of(clock, config, retry_on=(OSError, Refused), deadline=deadline, rand=lambda: rand)
    began = clock.now
    try:
        answer = policy.execute(script) if alone else policy.execute_with(manager_of(clock, policy=preset), script)
    except (OSError, ValueError, Refused, NoModelAvailable):
        pass
    else:
        assert answer == "answer"
    assert len(script.asked) <= retries + 1
    assert all(0 < wait <= most for wait in clock.slept)
    assert clock.now - began < (deadline or math.inf)
