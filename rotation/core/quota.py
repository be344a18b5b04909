"""Who may still send how much: token buckets per limit, and all the limits of one scope together.

Providers count with buckets that refill all the time (rate = limit / window, capacity = limit), not with windows
that jump; measured over some 570 header triples and every error text checked:

    wait = (used + requested - limit) / limit * window

The few that do jump (free models per minute and per day, reset on the UTC clock) are `fixed`.
Nothing here knows which scope a quota belongs to. `now` is epoch seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

NEVER = math.inf
#: Waiting exactly as long as asked must be enough, whatever floating point lost on the way.
SLACK = 1e-9
#: Seconds; epoch seconds as floats are no finer than a quarter of this.
TICK = 1e-6


@dataclass(slots=True)
class Bucket:
    """`level` units were left at `updated`; below zero when more was used than had been reserved.

    `held` is what calls under way have reserved. `fixed` refills at once at every multiple of `window` (epoch
    seconds) instead of all the time.
    """

    capacity: float
    window: float
    level: float
    updated: float
    held: float = 0.0
    fixed: bool = False
    source: str = "configured"

    def available(self, now: float) -> float:
        """Units left at `now`."""
        if self.fixed:
            return self.capacity if self._turn(now) > self._turn(self.updated) else self.level
        return min(self.capacity, self.level + max(now - self.updated, 0.0) * self.capacity / self.window)

    def ready_at(self, need: float, now: float) -> float:
        """When `need` units will be there if nobody else takes any: `now` if they are, NEVER if they cannot be."""
        if need > self.capacity:
            return NEVER
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

    def give_back(self, amount: float, now: float) -> None:
        """Undo a use of `amount` units; never above the capacity."""
        self.level = min(self.capacity, self.available(now) + amount)
        self.updated = max(now, self.updated)

    def learn(self, limit: float, window: float, remaining: float | None, now: float) -> None:
        """Take over the provider's own limit and, when told, what it says is left.

        Less left than we thought: somebody else uses the account too, so believe it. More: believe it less what our
        calls under way may still take. Providers round `remaining` down, which is no disagreement.
        """
        left = self.available(now) + limit - self.capacity
        if remaining is not None:
            rounding = min(1.0, limit / 100)
            left = remaining if remaining < left - rounding else max(left, remaining - self.held)
        self.capacity, self.window = limit, window
        self.level, self.updated = min(limit, left), max(now, self.updated)


@dataclass(slots=True, eq=False)
class Reservation:
    """What one call has taken beforehand, by (axis, window). Settle or release it once; twice is harmless."""

    amounts: dict[tuple[str, float], float]
    done: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """One limit for people: what is left of it at the moment of asking."""

    axis: str
    window: float
    limit: float
    left: float
    source: str


class Quota:
    """The limits of one scope. No limit known means nothing is refused."""

    __slots__ = ("buckets",)

    def __init__(self) -> None:
        self.buckets: dict[tuple[str, float], Bucket] = {}

    def configure(self, axis: str, limit: float, window: float, now: float, *, fixed: bool = False) -> bool:
        """An operator's or the starter data's limit: a start. False when a learned one stands, or nothing changed."""
        known = self.buckets.get((axis, window))
        if known is not None and known.source != "configured":
            known.fixed = fixed
            return False
        return self._set(axis, limit, window, None, now, source="configured", fixed=fixed)

    def learn(self, axis: str, limit: float, window: float, remaining: float | None, now: float, *,
              source: str, fixed: bool | None = None) -> bool:  # fmt: skip
        """A limit as the provider told it (header, text, key endpoint). True when the limit itself is news.

        Only the provider's word moves a limit, up or down; an answer beyond it proves nothing and never raises it.
        """
        return self._set(axis, limit, window, remaining, now, source=source, fixed=fixed)

    def ready_at(self, needs: Mapping[str, float], now: float) -> float:
        """When every bucket has what `needs` asks of its axis; NEVER when one is too small for it, ever."""
        at = now
        for (axis, _), bucket in self.buckets.items():
            need = needs.get(axis, 0.0)
            if need > 0:
                at = max(at, bucket.ready_at(need, now))
        return at

    def admit(self, needs: Mapping[str, float], now: float) -> float | None:
        """None when there is room for `needs` (units by axis), else when there will be. Takes nothing."""
        at = self.ready_at(needs, now)
        return at if at > now else None

    def reserve(self, needs: Mapping[str, float], now: float) -> Reservation:
        """Take `needs` before the call, asked or not."""
        amounts = {key: needs[key[0]] for key in self.buckets if needs.get(key[0], 0.0) > 0}
        for key, amount in amounts.items():
            self.buckets[key].take(amount, now)
            self.buckets[key].held += amount
        return Reservation(amounts)

    def settle(self, reservation: Reservation, real: Mapping[str, float], now: float) -> None:
        """Replace what was reserved by what was `real`ly used; an axis not in `real` keeps its reserve as used."""
        for bucket, axis, amount in self._close(reservation):
            bucket.give_back(amount - max(real.get(axis, amount), 0.0), now)

    def release(self, reservation: Reservation, now: float) -> None:
        """Give all back: the call never reached the provider."""
        for bucket, _, amount in self._close(reservation):
            bucket.give_back(amount, now)

    def standing(self, now: float) -> list[Standing]:
        """Every limit with what is left of it, shortest window first."""
        rows = sorted(self.buckets.items(), key=lambda item: (item[0][1], item[0][0]))
        return [Standing(axis, window, b.capacity, b.available(now), b.source) for (axis, window), b in rows]

    def to_list(self) -> list[dict[str, Any]]:
        """What a restart must know, so that a day's quota is not taken for full again. Calls under way end with us."""
        return [
            {"axis": axis, "window": window, "limit": b.capacity, "level": b.level, "updated": b.updated,
             "fixed": b.fixed, "source": b.source}
            for (axis, window), b in self.buckets.items()
        ]  # fmt: skip

    @classmethod
    def from_list(cls, saved: Iterable[Mapping[str, Any]]) -> Quota:
        """The inverse of `to_list`. Raises KeyError or ValueError for what it never wrote."""
        quota = cls()
        for row in saved:
            limit, window = float(row["limit"]), float(row["window"])
            if not _sensible(limit, window):
                raise ValueError(f"no such limit: {limit} in {window} s")
            quota.buckets[row["axis"], window] = Bucket(
                limit, window, float(row["level"]), float(row["updated"]),
                fixed=bool(row["fixed"]), source=str(row["source"]),
            )  # fmt: skip
        return quota

    def _set(self, axis: str, limit: float, window: float, remaining: float | None, now: float, *,
             source: str, fixed: bool | None) -> bool:  # fmt: skip
        if not _sensible(limit, window):
            return False
        left = remaining if remaining is None or math.isfinite(remaining) else None
        bucket = self.buckets.get((axis, window))
        news = bucket is None or bucket.capacity != limit or (bucket.source == "configured") != (source == "configured")
        if bucket is None:
            bucket = self.buckets[axis, window] = Bucket(limit, window, limit, now)
        bucket.learn(limit, window, left, now)
        bucket.source = source
        bucket.fixed = bucket.fixed if fixed is None else fixed
        return news

    def _close(self, reservation: Reservation) -> list[tuple[Bucket, str, float]]:
        if reservation.done:
            return []
        reservation.done = True
        closed = [
            (self.buckets[key], key[0], amount) for key, amount in reservation.amounts.items() if key in self.buckets
        ]
        for bucket, _, amount in closed:
            bucket.held = max(0.0, bucket.held - amount)
        return closed


def _sensible(limit: float, window: float) -> bool:
    """Headers with zero or garbage mean that nothing is told; a limit of nothing would bench a scope for ever."""
    return math.isfinite(limit) and limit > 0 and math.isfinite(window) and window > 0
