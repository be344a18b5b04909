"""When to ask again: a call is tried, and tried again after growing waits, until it is answered or not worth it.

With a rotation manager the next try goes to whichever model's turn it is, and waits only for the same model again,
or when none may be asked. How long a wait is stands in `waiting.py`.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

from rotation.library.refusals import hint_of
from rotation.library.rotating import ModelRotationManager, NoModelAvailable
from rotation.library.waiting import RetryConfig, RetryDetails

P = ParamSpec("P")
T = TypeVar("T")


class WrongExecute(TypeError):
    """A function to be awaited was given to `execute`, or one that is not to `execute_async`."""


class RetryPolicy:
    """Tries calls under one `RetryConfig`; keeps nothing between them, so threads and tasks may share it.

    `retry_on`: the exceptions worth a retry, as types or as a question; others go to the caller at once.
    `on_retry` is called before every retry's wait (`execute_async` awaits it if it wants to be); what it raises ends
    the call. `deadline`: seconds one call may take with all its retries; no wait is begun that would reach it. Nor is
    one longer than `max_delay`, if a provider asks for it: to ask sooner would be refused again.
    When it ends without an answer, the last exception is raised as it came.
    """

    def __init__(
        self,
        config: RetryConfig | None = None,
        *,
        retry_on: type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool] = Exception,
        on_retry: Callable[[RetryDetails], object] | None = None,
        deadline: float | None = None,
        sleep: Callable[[float], object] = time.sleep,
        sleep_async: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        rand: Callable[[], float] = random.random,
    ) -> None:
        if deadline is not None and not deadline > 0:
            raise ValueError(f"deadline must be more than 0 seconds, not {deadline!r}")
        self.config = config or RetryConfig()
        self.deadline = math.inf if deadline is None else deadline
        self._retry_on, self._on_retry = retry_on, on_retry
        self._sleep, self._sleep_async, self.clock, self.rand = sleep, sleep_async, clock, rand

    def execute(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`function(*args, **kwargs)`, with retries."""
        return self._execute(_Course(self), lambda _: function(*args, **kwargs))

    def execute_with(
        self, manager: ModelRotationManager, function: Callable[Concatenate[str, P], T], /, *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:  # fmt: skip
        """`function(model, *args, **kwargs)`: every try asks the model whose turn it is, and is reported to `manager`.

        What is not retried is held against no model. Raises NoModelAvailable when none may be asked soon enough.
        """
        return self._execute(_Course(self, manager), lambda model: function(model, *args, **kwargs))

    async def execute_async(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`execute` for a function to be awaited."""
        return await self._execute_async(_Course(self), lambda _: function(*args, **kwargs))

    async def execute_async_with(
        self, manager: ModelRotationManager, function: Callable[Concatenate[str, P], Awaitable[T]], /, *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:  # fmt: skip
        """`execute_with` for a function to be awaited."""
        return await self._execute_async(_Course(self, manager), lambda model: function(model, *args, **kwargs))

    def retries(self, error: Exception) -> bool:
        """Whether `error` is worth a retry."""
        if isinstance(error, WrongExecute | NoModelAvailable):
            return isinstance(error, NoModelAvailable)
        if isinstance(self._retry_on, type | tuple):
            return isinstance(error, self._retry_on)
        return self._retry_on(error)

    def _execute(self, course: _Course, ask: Callable[[str], T]) -> T:
        while True:
            try:
                with course.turn() as model:
                    return _answer(ask(model))
            except Exception as error:
                details = course.after(error)
                if details is None:
                    raise
            if self._on_retry:
                self._on_retry(details)
            if details.delay:
                self._sleep(details.delay)

    async def _execute_async(self, course: _Course, ask: Callable[[str], Awaitable[T]]) -> T:
        while True:
            try:
                with course.turn() as model:
                    return await _pending(ask(model))
            except Exception as error:
                details = course.after(error)
                if details is None:
                    raise
            told = self._on_retry(details) if self._on_retry else None
            if inspect.isawaitable(told):
                await told
            if details.delay:
                await self._sleep_async(details.delay)


class _Course:
    """The way of one call: how often it was tried, how often it waited, and what comes next."""

    def __init__(self, policy: RetryPolicy, manager: ModelRotationManager | None = None) -> None:
        self.policy, self.manager = policy, manager
        self.began = policy.clock()
        self.tries = self.waits = 0
        self.model: str | None = None

    @contextmanager
    def turn(self) -> Iterator[str]:
        """One try; gives the model to ask, or nothing to heed without a manager."""
        self.tries += 1
        self.model = None
        if self.manager is None:
            yield ""
            return
        with self.manager.turn(counts=self.policy.retries) as self.model:
            yield self.model

    def after(self, error: Exception) -> RetryDetails | None:
        """The retry that follows `error`; None when it is to be raised."""
        policy, config = self.policy, self.policy.config
        if self.tries > config.max_retries or not policy.retries(error):
            return None
        wait, elapsed = self._wait(error), policy.clock() - self.began
        if wait > config.max_delay or elapsed + wait >= policy.deadline:
            return None
        self.waits += wait > 0
        return RetryDetails(self.tries, config.max_retries, wait, elapsed, error, self.model)

    def _wait(self, error: Exception) -> float:
        """Seconds. Another model is asked at once, unless the manager's policy sleeps before every retry."""
        if self.manager is not None:
            model, wait = self.manager.outlook()
            if wait > 0 or (model != self.model and not self.manager.policy.sleep_before_retry):
                return wait
        return hint_of(error) or self.policy.config.delay(self.waits + 1, self.policy.rand())


def _answer(answer: T) -> T:
    if inspect.iscoroutine(answer):
        answer.close()
        raise WrongExecute("execute got a function to be awaited: use execute_async or execute_async_with")
    return answer


def _pending(answer: Awaitable[T]) -> Awaitable[T]:
    if not inspect.isawaitable(answer):
        raise WrongExecute("execute_async got a function that is not to be awaited: use execute or execute_with")
    return answer
