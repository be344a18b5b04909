"""How the models of one order stand: which may be asked, in which turn, and what an outcome changes.

Pure like the core: `now` (seconds of a clock that never goes back) and `rand` in [0, 1) are arguments. One thread at
a time; the manager holds the lock.
"""

from __future__ import annotations

import itertools
from typing import Any

from rotation.core import cooldown
from rotation.core.breaker import Breaker, Permit
from rotation.core.failures import Failure, FailureKind
from rotation.core.policy import Policy
from rotation.library import refusals
from rotation.library.records import Record, duration


class Health:
    """Breakers, cooldowns and counts of a non-empty `order`; `current` is the model given last."""

    def __init__(self, order: tuple[str, ...], policy: Policy) -> None:
        self.order, self.policy = order, policy
        shared = Breaker(policy) if policy.breaker_scope == "pool" else None
        self.breakers = {model: shared or Breaker(policy) for model in order}
        self.cooldowns: dict[str, cooldown.Cooldown] = {}
        self.records = {model: Record() for model in order}
        self.current = order[0]
        self.last_rotation: dict[str, Any] | None = None
        self.failures_in_a_row = 0
        self._in_a_row = dict.fromkeys(order, 0)
        # Until when, and a running number: of two set aside at one tick of the clock the first comes back first.
        self._aside: dict[str, tuple[float, int]] = {}
        self._numbers = itertools.count()

    # choosing

    def free_at(self, model: str, now: float) -> float:
        """When the model may next be asked: `now` if it may at once."""
        cooling = self.cooldowns.get(model)
        return max(self.breakers[model].ready_at(now), cooling.until if cooling else now)

    def free(self, now: float) -> list[str]:
        """The models that may be asked, by the order, but those set aside last."""
        free = [model for model in self.order if self.free_at(model, now) <= now]
        return sorted(free, key=lambda model: self._aside[model] if self.aside(model, now) else (now, -1))

    def aside(self, model: str, now: float) -> bool:
        return model in self._aside and self._aside[model][0] > now

    def tired(self, now: float) -> bool:
        """Whether the current model is not to be asked again: it failed too often in a row, cools or rests."""
        return self._in_a_row[self.current] >= self.policy.rotate_after or self.free_at(self.current, now) > now

    def pick(self, now: float) -> str | None:
        """The first model that may be asked; it is the current one from now on."""
        return next((self._give(model, now) for model in self.free(now)), None)

    def move_on(self, now: float) -> None:
        """Put the current model behind the others; its row of failures starts anew. One that cools or rests is so."""
        self._in_a_row[self.current] = 0
        if self.free_at(self.current, now) <= now:
            self._set_aside(self.current, now)

    def take(self, now: float, rand: float) -> tuple[str, Permit] | None:
        """The first model whose breaker gives leave for one call; slow start is overruled when nobody else is left."""
        free = self.free(now)
        for model, last_resort in [(m, False) for m in free] + [(m, True) for m in free]:
            leave = self.breakers[model].admit(now, rand, last_resort=last_resort)
            if isinstance(leave, Permit):
                return self._give(model, now), leave
        return None

    def leave(self, model: str, now: float, rand: float) -> Permit:
        """Leave after the fact, for an outcome whose call had not asked. Nothing here is ever forced open."""
        permit = self.breakers[model].admit(now, rand, last_resort=True)
        assert isinstance(permit, Permit)
        return permit

    # what came of it

    def succeeded(self, model: str, permit: Permit, now: float, elapsed: float | None) -> None:
        """An answer after `elapsed` seconds (None: not measured) ends every row of failures and a cooldown gone by."""
        took = duration(elapsed)
        self.breakers[model].record_success(permit, now, took or 0.0)
        self.records[model].answered(now, took)
        self._in_a_row[model] = self.failures_in_a_row = 0
        self._aside.pop(model, None)
        if model in self.cooldowns and self.cooldowns[model].until <= now:
            del self.cooldowns[model]

    def failed(self, model: str, permit: Permit, error: BaseException | None, now: float, *,
               elapsed: float, rand: float) -> None:  # fmt: skip
        """A failure counts for the breaker and the row; a rate limit for neither."""
        if refusals.rate_limited(error):
            self.breakers[model].release(permit, now)
            self.cool(model, refusals.hint_of(error), now, rand)
            return
        self.breakers[model].record_failure(permit, now, elapsed)
        self.records[model].failed(now)
        self._in_a_row[model] += 1
        self.failures_in_a_row += 1
        if self._in_a_row[model] >= self.policy.rotate_after:
            self._set_aside(model, now)

    def cool(self, model: str, hint: float | None, now: float, rand: float) -> None:
        """A refusal with or without the seconds to wait; a breaker never hears of it."""
        failure = Failure(FailureKind.RATE_LIMITED, retry_after=hint)
        self.cooldowns[model] = cooldown.extend(self.cooldowns.get(model), failure, now, rand, self.policy)
        self.records[model].refused(now)

    def metrics(self, now: float) -> dict[str, Any]:
        """Everything counted, ready for JSON."""
        states = {model: str(breaker.state(now)) for model, breaker in self.breakers.items()}
        current = next(iter(self.free(now)), None)
        system = {
            "current_model": current,
            "rotations": sum(record.rotations_to for record in self.records.values()),
            "last_rotation": self.last_rotation,
            "consecutive_failures": self.failures_in_a_row,
            "breaker": states[current or self.current],
        }
        models = {
            model: record.to_dict() | {"breaker": states[model], "free_in": self.free_at(model, now) - now}
            for model, record in self.records.items()
        }
        return {"system": system, "models": models}

    # changes

    def _set_aside(self, model: str, now: float) -> None:
        self._aside[model] = now + self.policy.rest, next(self._numbers)

    def _give(self, model: str, now: float) -> str:
        if model != self.current:
            self.last_rotation = {"at": now, "before": self.current, "after": model, "why": self._why(model, now)}
            self.records[model].rotations_to += 1
            self._in_a_row[model] = 0
            self.current = model
        return model

    def _why(self, after: str, now: float) -> str:
        """Why the current model is left for `after`."""
        before = self.current
        cooling = self.cooldowns.get(before)
        if cooling and cooling.until > now:
            return cooling.reason
        if self.free_at(before, now) > now:
            return "its breaker rests or another call is probing it"
        if self.aside(before, now):
            row = self._in_a_row[before]
            return f"set aside after {row} failures in a row" if row else "moved on"
        back = self.order.index(after) < self.order.index(before)
        return f"{after} comes first in the order, and is back" if back else "slow start: it gets few calls as yet"
