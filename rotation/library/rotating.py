"""Which model to ask: an order of models, each with the gateway's breaker and cooldown, in the caller's own process.

The first model of the order that may be asked is the current one. A refusal (429) cools its model and never counts
for a breaker; failures in a row set a model aside (others first), more of them open its breaker (nobody asks it).
Nothing is sent and nothing sleeps here; how the models stand is `health.py`, this is the lock and the clock around it.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TextIO

from rotation.core.policy import Policy, policy_from
from rotation.library import records, refusals
from rotation.library.health import Health


class NoModelAvailable(RuntimeError):
    """Every model of the order cools or rests; the soonest may be asked again in `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"no model may be asked now; the soonest in {retry_after:.1f} s")
        self.retry_after = retry_after


class ModelRotationManager:
    """Safe to share between threads and tasks; with several at work use `turn`, or name the model in every report.

    After `max_consecutive_failures` in a row a model is set aside for the policy's `rest` (seconds), after
    `circuit_breaker_threshold` its breaker opens. `policy` is "balanced" (a breaker per model), "seed" (one for the
    whole manager) or a `Policy`. `clock` gives seconds that never go back (by default of the epoch), `rand` numbers in
    [0, 1). Raises ValueError for an order that is empty or names a model twice, for counts below 1 and for an
    unknown policy.
    """

    def __init__(
        self,
        rotation_order: Sequence[str],
        max_consecutive_failures: int = 3,
        circuit_breaker_threshold: int = 5,
        *,
        policy: str | Policy = "balanced",
        clock: Callable[[], float] | None = None,
        rand: Callable[[], float] = random.random,
    ) -> None:
        self.order = _checked(rotation_order)
        self.policy = replace(
            policy_from(policy) if isinstance(policy, str) else policy,
            rotate_after=_at_least_one("max_consecutive_failures", max_consecutive_failures),
            consecutive_failures=_at_least_one("circuit_breaker_threshold", circuit_breaker_threshold),
        )
        self._clock, self._rand = clock or _steady_clock(), rand
        self._health = Health(self.order, self.policy)
        self._lock = threading.Lock()

    # which model

    def get_current_model(self) -> str | None:
        """The model to ask now; None while all cool or rest (`outlook` says how long)."""
        with self._lock:
            return self._health.pick(self._clock())

    def get_next_model(self) -> str | None:
        """Move on: the current model goes behind the others, though it is the answer when it is the only one left.

        None while all cool or rest.
        """
        with self._lock:
            now = self._clock()
            self._health.move_on(now)
            return self._health.pick(now)

    def should_rotate(self) -> bool:
        """Whether the current model has failed too often in a row, cools or rests."""
        with self._lock:
            return self._health.tired(self._clock())

    def outlook(self) -> tuple[str, float]:
        """The model that is asked next, and in how many seconds (0: now). Changes nothing."""
        with self._lock:
            now = self._clock()
            free = self._health.free(now)
            model = free[0] if free else min(self.order, key=lambda model: self._health.free_at(model, now))
            return model, self._health.free_at(model, now) - now

    @contextmanager
    def turn(self, *, counts: Callable[[Exception], bool] | None = None) -> Iterator[str]:
        """Leave for one call to the model it gives, and the report of it: timed, a success unless the block raises.

        An exception that says 429 is a rate limit; one for which `counts` says False, and one that is no `Exception`
        (cancelled, interrupted), is held against nobody; any other is a failure. All go on to the caller.
        A model whose breaker has just rested is given to one call at a time. Raises NoModelAvailable.
        """
        with self._lock:
            started = self._clock()
            taken = self._health.take(started, self._rand())
        if taken is None:
            raise NoModelAvailable(self.outlook()[1])
        model, permit = taken
        try:
            yield model
        except BaseException as error:
            held = isinstance(error, Exception) and (counts is None or counts(error))
            with self._lock:
                now = self._clock()
                if held:
                    self._health.failed(model, permit, error, now, elapsed=now - started, rand=self._rand())
                else:
                    self._health.breakers[model].release(permit, now)
            raise
        with self._lock:
            now = self._clock()
            self._health.succeeded(model, permit, now, now - started)

    # what came of it

    def on_success(self, model: str | None = None, elapsed: float | None = None) -> None:
        """The model (the current one if none is named) answered, after `elapsed` seconds."""
        with self._lock:
            name, now = self._named(model), self._clock()
            self._health.succeeded(name, self._health.leave(name, now, self._rand()), now, elapsed)

    def on_failure(self, error: BaseException | None = None, model: str | None = None) -> None:
        """The model failed. An `error` with status 429 is taken for the rate limit it is."""
        with self._lock:
            name, now, rand = self._named(model), self._clock(), self._rand()
            self._health.failed(name, self._health.leave(name, now, rand), error, now, elapsed=0.0, rand=rand)

    def on_rate_limit(self, retry_after: float | str | None = None, model: str | None = None) -> None:
        """The model refused (429): it cools for `retry_after` seconds, at most a day; 1, 2, 4, ... s without a hint.

        What is no positive number of seconds is no hint. A later, shorter hint never shortens a cooldown.
        """
        with self._lock:
            self._health.cool(self._named(model), refusals.seconds(retry_after), self._clock(), self._rand())

    # numbers

    def get_metrics(self) -> dict[str, Any]:
        """{"system": {...}, "models": {model: {...}}}, ready for JSON; docs/library.md explains the fields."""
        with self._lock:
            return self._health.metrics(self._clock())

    def print_metrics(self, file: TextIO | None = None) -> None:
        """`get_metrics` as a table, to standard output unless told otherwise."""
        (file or sys.stdout).write(records.table(self.get_metrics()))

    def _named(self, model: str | None) -> str:
        if model is None:
            return self._health.current
        if model not in self._health.records:
            raise ValueError(f"{model!r} is not in the rotation order: {', '.join(self.order)}")
        return model


def _steady_clock() -> Callable[[], float]:
    """Epoch seconds that never jump: anchored to the wall clock once, carried by the monotonic one."""
    start = time.time() - time.monotonic()
    return lambda: start + time.monotonic()


def _checked(order: Sequence[str]) -> tuple[str, ...]:
    if isinstance(order, str):
        raise ValueError(f"rotation_order is a list of models; for one model write [{order!r}]")
    models = tuple(order)
    if not models:
        raise ValueError("rotation_order is empty: name at least one model")
    for model in models:
        if not isinstance(model, str) or not model.strip():
            raise ValueError(f"rotation_order holds {model!r}, which is no model's name")
    twice = sorted({model for model in models if models.count(model) > 1})
    if twice:
        raise ValueError(f"rotation_order names {', '.join(twice)} more than once")
    return models


def _at_least_one(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number of 1 or more, not {value!r}")
    return value
