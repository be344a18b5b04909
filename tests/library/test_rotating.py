"""Which model is asked, after every kind of outcome; and that the numbers always add up."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import math
import subprocess
import sys
import threading
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotation.core.policy import BALANCED, SEED
from rotation.library import ModelRotationManager, NoModelAvailable
from tests.library.conftest import FakeTime, Refused

ORDER = ["a", "b", "c"]


def middle() -> float:
    return 0.5


def manager_of(clock, order=ORDER, **keywords) -> ModelRotationManager:
    return ModelRotationManager(order, clock=clock, rand=keywords.pop("rand", middle), **keywords)


def system(manager):
    return manager.get_metrics()["system"]


def numbers(manager, model):
    return manager.get_metrics()["models"][model]


def fail(manager, times, model=None):
    for _ in range(times):
        manager.on_failure(ConnectionError("no"), model)


# what it is given


def test_it_needs_no_django():
    code = "import rotation.library, sys; assert not {'django', 'orjson', 'asgiref'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ([], "empty"),
        ("gpt", r"write \['gpt'\]"),
        (["a", "b", "a"], "names a more than once"),
        (["a", " "], "no model's name"),
        (["a", 7], "no model's name"),
    ],
)
def test_an_order_that_cannot_be_followed_is_refused(order, words):
    with pytest.raises(ValueError, match=words):
        ModelRotationManager(order)


@pytest.mark.parametrize("count", [0, -1, 1.5, True])
def test_counts_are_whole_and_positive(count):
    with pytest.raises(ValueError, match="max_consecutive_failures must be"):
        ModelRotationManager(ORDER, max_consecutive_failures=count)
    with pytest.raises(ValueError, match="circuit_breaker_threshold must be"):
        ModelRotationManager(ORDER, circuit_breaker_threshold=count)


def test_an_unknown_policy_or_model_is_named(clock):
    with pytest.raises(ValueError, match="unknown preset 'swift'"):
        ModelRotationManager(ORDER, policy="swift")
    for report in (manager_of(clock).on_success, manager_of(clock).on_failure, manager_of(clock).on_rate_limit):
        with pytest.raises(ValueError, match="'gpt' is not in the rotation order: a, b, c"):
            report(model="gpt")


# failures


def test_three_failures_in_a_row_set_a_model_aside(clock):
    manager = manager_of(clock)
    fail(manager, 2)
    assert (manager.should_rotate(), manager.get_current_model()) == (False, "a")
    fail(manager, 1)
    assert manager.should_rotate()
    assert manager.get_next_model() == "b"
    assert not manager.should_rotate()
    assert system(manager)["last_rotation"]["why"] == "moved on"


def test_asking_for_the_current_model_finds_the_next_one_as_well(clock):
    manager = manager_of(clock)
    fail(manager, 3)
    assert manager.get_current_model() == "b"
    assert system(manager)["last_rotation"] == {
        "at": clock.now, "before": "a", "after": "b", "why": "set aside after 3 failures in a row",
    }  # fmt: skip


def test_a_success_ends_the_row(clock):
    manager = manager_of(clock)
    fail(manager, 2)
    manager.on_success()
    fail(manager, 2)
    assert not manager.should_rotate()
    assert system(manager)["consecutive_failures"] == 2


def test_the_first_of_the_order_comes_back_after_its_rest(clock):
    manager = manager_of(clock)
    fail(manager, 3)
    assert manager.get_current_model() == "b"
    clock.now += BALANCED.rest - 0.1
    assert manager.get_current_model() == "b"
    clock.now += 0.2
    assert manager.get_current_model() == "a"
    assert system(manager)["last_rotation"]["why"] == "a comes first in the order, and is back"
    assert not manager.should_rotate()


def test_moving_on_goes_round_even_while_the_clock_stands_still(clock):
    manager = manager_of(clock)
    assert [manager.get_next_model() for _ in range(7)] == ["b", "c", "a", "b", "c", "a", "b"]


def test_the_only_model_is_its_own_next_and_starts_a_new_row(clock):
    manager = manager_of(clock, ["a"])
    fail(manager, 3)
    assert manager.should_rotate()
    assert manager.get_next_model() == "a"
    assert not manager.should_rotate()
    assert system(manager)["rotations"] == 0


def test_five_failures_in_a_row_open_the_breaker_of_that_model_only(clock):
    manager = manager_of(clock)
    fail(manager, 5, "a")
    assert [numbers(manager, model)["breaker"] for model in ORDER] == ["open", "closed", "closed"]
    assert manager.get_current_model() == "b"
    assert numbers(manager, "a")["free_in"] == pytest.approx(BALANCED.rest * 1.1)


def test_under_the_seed_policy_one_breaker_holds_for_all(clock):
    manager = manager_of(clock, policy="seed")
    fail(manager, 3)
    assert manager.get_next_model() == "b"
    fail(manager, 2)
    assert manager.get_current_model() is manager.get_next_model() is None
    assert manager.should_rotate()
    assert system(manager)["breaker"] == "open"
    assert manager.outlook() == ("a", SEED.rest)
    clock.now += SEED.rest
    assert manager.get_current_model() == "a"
    manager.on_success()
    assert system(manager)["breaker"] == "closed"


def test_two_answers_close_a_breaker_that_has_rested_and_a_failure_opens_it_for_longer(clock):
    manager = manager_of(clock, ["a"], circuit_breaker_threshold=1, rand=lambda: 0.0)
    fail(manager, 1)
    clock.now += 30
    assert numbers(manager, "a")["breaker"] == "half_open"
    fail(manager, 1)
    assert manager.outlook() == ("a", 60)
    clock.now += 60
    manager.on_success()
    manager.on_success()
    assert numbers(manager, "a")["breaker"] == "closed"


# rate limits


@given(times=st.integers(1, 30), policy=st.sampled_from(["balanced", "seed"]))
def test_rate_limits_never_trip_a_breaker(times, policy):
    manager = manager_of(FakeTime(), policy=policy, circuit_breaker_threshold=1)
    for _ in range(times):
        manager.on_rate_limit()
        manager.on_failure(Refused(), "b")
    assert system(manager)["breaker"] == "closed"
    assert system(manager)["consecutive_failures"] == 0
    assert numbers(manager, "b")["rate_limited"] == times


def test_a_refused_model_cools_as_long_as_it_was_asked_to(clock):
    manager = manager_of(clock)
    manager.on_rate_limit(retry_after="12.5")
    assert manager.should_rotate()
    assert manager.get_current_model() == "b"
    assert system(manager)["last_rotation"]["why"] == "rate-limited; the provider asked for 12.5 s"
    clock.now += 12.5
    assert manager.get_current_model() == "a"


def test_a_later_shorter_hint_never_shortens_a_cooldown(clock):
    manager = manager_of(clock)
    manager.on_rate_limit(20)
    manager.on_rate_limit(1, model="a")
    assert numbers(manager, "a")["free_in"] == 20


def test_without_a_hint_the_cooldowns_double_until_an_answer(clock):
    manager = manager_of(clock, ["a"])
    waits = []
    for _ in range(4):
        manager.on_rate_limit()
        waits.append(manager.outlook()[1])
        clock.now += waits[-1]
    assert waits == [1, 2, 4, 8]
    manager.on_success()
    manager.on_rate_limit()
    assert manager.outlook()[1] == 1


@pytest.mark.parametrize("hint", [None, -3, 0, math.nan, math.inf, "soon", "\x00", 1.7e9, "9" * 10_000])
def test_garbage_is_no_hint(clock, hint):
    manager = manager_of(clock)
    manager.on_rate_limit(retry_after=hint)
    assert numbers(manager, "a")["free_in"] == 1


def test_no_cooldown_is_longer_than_a_day(clock):
    manager = manager_of(clock)
    manager.on_rate_limit(retry_after=1e8)
    assert numbers(manager, "a")["free_in"] == 86_400


def test_when_all_cool_nobody_is_named_but_the_soonest_is_told(clock):
    manager = manager_of(clock)
    for model, wait in zip(ORDER, (30, 10, 20), strict=True):
        manager.on_rate_limit(wait, model=model)
    assert manager.get_current_model() is manager.get_next_model() is None
    assert manager.outlook() == ("b", 10)
    assert system(manager)["current_model"] is None
    with pytest.raises(NoModelAvailable, match=r"the soonest in 10\.0 s") as caught, manager.turn():
        pass
    assert caught.value.retry_after == 10


# turns


def test_a_turn_times_and_reports_an_answer(clock):
    manager = manager_of(clock)
    for seconds in (1.0, 3.0):
        with manager.turn() as model:
            assert model == "a"
            clock.now += seconds
    found = numbers(manager, "a")
    assert (found["successes"], found["average_time"], found["p50_time"]) == (2, 2.0, 2.0)
    assert found["last_used"] == clock.now


def test_a_turn_that_raises_reports_and_raises(clock):
    manager = manager_of(clock)
    with pytest.raises(ConnectionError), manager.turn():
        raise ConnectionError
    with pytest.raises(Refused), manager.turn():
        raise Refused(5)
    assert (numbers(manager, "a")["failures"], numbers(manager, "a")["rate_limited"]) == (1, 1)
    assert manager.outlook()[0] == "b"


def test_what_does_not_count_is_held_against_nobody(clock):
    manager = manager_of(clock, circuit_breaker_threshold=1)
    with pytest.raises(ValueError), manager.turn(counts=lambda error: not isinstance(error, ValueError)):
        raise ValueError
    for stop in (KeyboardInterrupt, asyncio.CancelledError, StopIteration):
        with pytest.raises(stop), manager.turn(counts=lambda error: False):
            raise stop
    assert numbers(manager, "a")["requests"] == 0
    assert system(manager)["breaker"] == "closed"


def test_a_model_that_has_rested_is_given_to_one_turn_at_a_time(clock):
    manager = manager_of(clock, rand=lambda: 0.0)
    fail(manager, 5)
    clock.now += BALANCED.rest
    with manager.turn() as probing:
        with manager.turn() as other:
            assert (probing, other) == ("a", "b")
        with manager.turn() as another:
            assert another == "b"
    with manager.turn() as model:
        assert model == "a"
    assert numbers(manager, "a")["breaker"] == "closed"


def test_a_probe_that_is_cancelled_gives_its_place_back(clock):
    manager = manager_of(clock, ["a"], circuit_breaker_threshold=1)
    fail(manager, 1)
    clock.now += 40
    with pytest.raises(KeyboardInterrupt), manager.turn():
        raise KeyboardInterrupt
    with manager.turn() as model:
        assert model == "a"


def test_after_its_rest_a_model_gets_few_turns_first_but_all_when_it_is_the_only_one(clock):
    for order, expected in ((ORDER, "b"), (["a"], "a")):
        manager = manager_of(clock, order, circuit_breaker_threshold=1, rand=lambda: 0.9)
        fail(manager, 1)
        clock.now += 60
        manager.on_success("a")
        manager.on_success("a")
        with manager.turn() as model:
            assert model == expected


def test_threads_may_share_it():
    manager = ModelRotationManager(ORDER)
    each, threads = 200, 8
    given_out = Counter()
    lock = threading.Lock()

    def work(number):
        for n in range(each):
            with manager.turn() as model, lock:
                given_out[model] += 1
            manager.on_success(ORDER[(number + n) % 3], elapsed=0.1)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert given_out == {"a": each * threads}
    assert sum(m["requests"] for m in manager.get_metrics()["models"].values()) == 2 * each * threads


# numbers


def test_nothing_measured_is_told_as_none(clock):
    found = numbers(manager_of(clock), "a")
    assert [found[name] for name in ("success_rate", "average_time", "p50_time", "p95_time", "last_used")] == [None] * 5


def test_durations_that_are_none_are_left_out_of_the_average(clock):
    manager = manager_of(clock)
    for elapsed in (2.0, None, -1.0, math.nan, math.inf):
        manager.on_success(elapsed=elapsed)
    assert (numbers(manager, "a")["successes"], numbers(manager, "a")["average_time"]) == (5, 2.0)
    assert system(manager)["breaker"] == "closed"


def test_answers_that_take_too_long_open_the_breaker_too(clock):
    manager = manager_of(clock)
    for _ in range(10):
        manager.on_success(elapsed=BALANCED.slow_call)
    assert system(manager)["current_model"] == "b"


def test_the_metrics_are_ready_for_json_and_for_people(clock, capsys):
    manager = manager_of(clock)
    manager.on_success(elapsed=1.25)
    manager.on_rate_limit(30)
    manager.get_current_model()
    json.dumps(manager.get_metrics(), allow_nan=False)
    manager.print_metrics()
    out = io.StringIO()
    manager.print_metrics(file=out)
    assert out.getvalue() == capsys.readouterr().out
    head, first, *_, state, last = out.getvalue().splitlines()
    assert head.split()[:2] == ["model", "requests"]
    assert first.split() == ["a", "2", "1", "0", "1", "50.0%", "1.25", "s", "1.25", "s", "0", "closed"]
    assert state == "current model b, breaker closed, 1 rotations, 0 failures in a row"
    assert last == "last rotation: a -> b (rate-limited; the provider asked for 30 s)"


def test_metrics_already_given_do_not_change(clock):
    manager = manager_of(clock)
    before = manager.get_metrics()
    copy = json.dumps(before)
    fail(manager, 5)
    manager.get_current_model()
    assert json.dumps(before) == copy


MODELS = st.sampled_from([None, *ORDER])
STEPS = st.one_of(
    st.tuples(st.just("success"), MODELS, st.none() | st.floats(0, 40)),
    st.tuples(st.just("failure"), MODELS, st.just(None)),
    st.tuples(st.just("refused"), MODELS, st.none() | st.floats()),
    st.tuples(st.just("turn"), st.sampled_from(["answer", "fail", "refuse", "ours"]), st.floats(0, 70)),
    st.tuples(st.just("next"), st.just(None), st.just(None)),
    st.tuples(st.just("time"), st.just(None), st.floats(0, 400)),
)


def take_turn(manager, clock, outcome, seconds):
    errors = {"fail": ConnectionError(), "refuse": Refused(seconds), "ours": ValueError()}
    if manager.get_current_model() is None:
        with pytest.raises(NoModelAvailable) as caught, manager.turn():
            pass
        assert caught.value.retry_after > 0
        return None
    ours = contextlib.suppress(*map(type, errors.values()))
    with ours, manager.turn(counts=lambda error: not isinstance(error, ValueError)) as model:
        assert model in ORDER
        clock.now += seconds
        if outcome in errors:
            raise errors[outcome]
    return outcome


def play(manager, clock, step):
    """The outcome that must be counted, if any."""
    word, what, value = step
    if word == "turn":
        return take_turn(manager, clock, what, value)
    if word == "success":
        manager.on_success(what, value)
    elif word == "failure":
        manager.on_failure(None, what)
    elif word == "refused":
        manager.on_rate_limit(value, what)
    elif word == "next":
        assert manager.get_next_model() in [None, *ORDER]
    else:
        clock.now += value
    return {"success": "answer", "failure": "fail", "refused": "refuse"}.get(word)


@settings(max_examples=150)
@given(steps=st.lists(STEPS, max_size=40), policy=st.sampled_from(["balanced", "seed"]), trip=st.integers(1, 6),
       rand=st.floats(0, 1, exclude_max=True))  # fmt: skip
def test_whatever_happens_the_model_is_in_the_order_and_the_numbers_add_up(steps, policy, trip, rand):
    clock = FakeTime()
    manager = manager_of(clock, policy=policy, circuit_breaker_threshold=trip, rand=lambda: rand)
    counted = Counter()
    for step in steps:
        counted[play(manager, clock, step)] += 1
        current = manager.get_current_model()
        model, wait = manager.outlook()
        assert current in [None, *ORDER]
        assert (current is None) == (wait > 0)
        assert current in (None, model)
        assert wait <= 86_400
        if current is None:
            assert manager.should_rotate()
    metrics = manager.get_metrics()
    rows = metrics["models"].values()
    totals = {"answer": "successes", "fail": "failures", "refuse": "rate_limited"}
    for outcome, name in totals.items():
        assert sum(row[name] for row in rows) == counted[outcome]
    assert all(row["requests"] == sum(row[name] for name in totals.values()) for row in rows)
    assert all(row["success_rate"] is None or 0 <= row["success_rate"] <= 1 for row in rows)
    assert metrics["system"]["rotations"] == sum(row["rotations_to"] for row in rows)
    assert (metrics["system"]["last_rotation"] is None) == (metrics["system"]["rotations"] == 0)
    manager.print_metrics(io.StringIO())
