"""One limit as a bucket: what is left of it, when there will be enough, and how a provider's word corrects it.

Providers count with buckets that refill all the time (rate = limit / window, capacity = limit), not with windows
that jump; measured over some 570 header triples and every error text checked:

    wait = (used + requested - limit) / limit * window

The few that do jump (free models per minute and per day, reset on the UTC clock) are `fixed`; those that let one
request through which is larger than all they hold, and stay in debt afterwards, have `debt`. `now` is epoch seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

NEVER = math.inf
#: Waiting exactly as long as asked must be enough, whatever floating point lost on the way.
SLACK = 1e-9
#: Seconds; epoch seconds as floats are no finer than a quarter of this.
TICK = 1e-6


@dataclass(frozen=True, slots=True)
class Picture:
    """How a bucket stood right after a call had taken its part: what a provider's `remaining` is compared with."""

    at: float
    taken: float
    left: float
    held: float
    shifted: float


@dataclass(slots=True)
class Bucket:
    """`level` units were left at `updated`; below zero when more was used than had been reserved.

    `held` is what calls under way have reserved. `fixed` refills at once at every multiple of `window` (epoch
    seconds) instead of all the time. `shifted` adds up every correction that was not our own use.
    """

    capacity: float
    window: float
    level: float
    updated: float
    held: float = 0.0
    fixed: bool = False
    source: str = "configured"
    debt: bool = False
    shifted: float = 0.0

    def available(self, now: float) -> float:
        """Units left at `now`."""
        if self.fixed:
            return self.capacity if self._turn(now) > self._turn(self.updated) else self.level
        passed = now - self.updated
        refilled = passed * self.capacity / self.window if passed > 0.0 else 0.0
        return min(self.capacity, self.level + refilled)

    def ready_at(self, need: float, now: float) -> float:
        """When `need` units will be there if nobody else takes any: `now` if they are, NEVER if they cannot be."""
        if need > self.capacity:
            if not self.debt:
                return NEVER
            need = self.capacity
        missing = need - self.available(now)
        if missing <= SLACK * self.capacity:
            return now
        if self.fixed:
            return (self._turn(now) + 1) * self.window
        return now + missing / self.capacity * self.window

    def _turn(self, now: float) -> float:
        return (now + TICK) // self.window

    def take(self, need: float, now: float) -> None:
        """Use `need` units, there or not."""
        self.level = self.available(now) - need
        self.updated = max(now, self.updated)

    def hold(self, need: float, now: float) -> Picture:
        """Use `need` units for a call that sets out now."""
        self.take(need, now)
        self.held += need
        return Picture(now, need, self.level, self.held, self.shifted)

    def give_back(self, amount: float, now: float, taken_at: float | None = None, *, late: float = 0.0) -> None:
        """Undo a use of `amount` units; never above the capacity, and never what an earlier fixed window counted.

        `late` of what was really used is known only now: a provider may count it only now, from a bucket that has
        filled up meanwhile.
        """
        if self.fixed and taken_at is not None and self._turn(taken_at) < self._turn(now):
            return
        self.level = min(self.capacity - late, self.available(now) + amount)
        self.updated = max(now, self.updated)

    def learn(self, limit: float, window: float, remaining: float | None, now: float,
              then: Picture | None = None, *, counted: bool = True) -> None:  # fmt: skip
        """Take over the provider's own limit and, when told, what it says is left.

        `then` is how we saw it when the call was sent to which this is the answer: the number is as old as that, and
        to compare it with what is left by now would lose all that was refilled meanwhile. `counted` is false when the
        provider refused the call. Less left than we thought: somebody else uses the account too, so believe it. More:
        believe it less what our calls under way may still take. Providers round `remaining` down, which is no
        disagreement.
        """
        left = self.available(now) + limit - self.capacity
        self.shifted += limit - self.capacity
        self.capacity, self.window = limit, window
        self.level, self.updated = min(limit, left), max(now, self.updated)
        if remaining is not None:
            self._shift(self._disagreement(remaining, now, then, counted), now)

    def _disagreement(self, remaining: float, now: float, then: Picture | None, counted: bool) -> float:
        left, held = self.available(now), self.held
        if then is not None:
            if self.fixed and self._turn(then.at) < self._turn(now):
                return 0.0  # told of a window that is over
            left = then.left + self.shifted - then.shifted + (0.0 if counted else then.taken)
            held = then.held
        if remaining < left - min(1.0, self.capacity / 100):
            return remaining - left
        return max(0.0, remaining - held - left)

    def _shift(self, amount: float, now: float) -> None:
        self.level = min(self.capacity, self.available(now) + amount)
        self.updated = max(now, self.updated)
        self.shifted += amount
