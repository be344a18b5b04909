"""Who may still send how much: token buckets per limit, and all the limits of one scope together.

How one limit counts stands in `bucket.py`. Nothing here knows which scope a quota belongs to. `now` is epoch seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rotation.core.bucket import NEVER, Bucket, Picture

__all__ = ["NEVER", "Bucket", "Quota", "Reservation", "Standing"]

#: Where a limit comes from that no provider has told this process: a published table, an operator or an earlier life.
STARTS = ("plan", "configured")


@dataclass(slots=True, eq=False)
class Reservation:
    """What one call has taken beforehand, by (axis, window). Settle or release it once; twice is harmless."""

    pictures: dict[tuple[str, float], Picture]
    done: bool = False

    @property
    def amounts(self) -> dict[tuple[str, float], float]:
        """Units by (axis, window)."""
        return {key: picture.taken for key, picture in self.pictures.items()}


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

    def configure(self, axis: str, limit: float, window: float, now: float, *, fixed: bool = False,
                  debt: bool = False, source: str = "configured") -> bool:  # fmt: skip
        """A limit to start with. False when a better known one stands, or nothing changed.

        What the provider told this process is better than what it told an earlier one or an operator says
        ("configured"), and that better than the provider's published table ("plan").
        """
        known = self.buckets.get((axis, window))
        if known is not None and _rank(known.source) > _rank(source):
            known.fixed, known.debt = fixed, debt
            return False
        return self._set(axis, limit, window, None, now, source=source, fixed=fixed, debt=debt)

    def learn(self, axis: str, limit: float, window: float, remaining: float | None, now: float, *, source: str,
              fixed: bool | None = None, debt: bool | None = None, answers: Reservation | None = None,
              counted: bool = True) -> bool:  # fmt: skip
        """A limit as the provider told it (header, text, key endpoint). True when the limit itself is news.

        Only the provider's word moves a limit, up or down; an answer beyond it proves nothing and never raises it.
        `answers` is what was reserved for the call that was told, `counted` false when that was refused.
        """
        then = answers.pictures.get((axis, window)) if answers is not None and not answers.done else None
        return self._set(axis, limit, window, remaining, now, source=source, fixed=fixed, debt=debt,
                         then=then, counted=counted)  # fmt: skip

    def forget_plans(self, keep: Iterable[tuple[str, float]] = ()) -> None:
        """Drop the limits of a published table, but for these (axis, window): the account is on another plan now."""
        kept = set(keep)
        self.buckets = {k: b for k, b in self.buckets.items() if b.source != "plan" or k in kept}

    def resume(self, earlier: Quota, now: float) -> None:
        """Take over what was used in an earlier life. What is no limit any more stays forgotten."""
        for key, was in earlier.buckets.items():
            if (bucket := self.buckets.get(key)) is not None:
                bucket.level = min(bucket.capacity, bucket.capacity - (was.capacity - was.level))
                bucket.updated = min(was.updated, now)

    def ready_at(self, needs: Mapping[str, float], now: float, *, keep: float = 0.0) -> float:
        """When every bucket has what `needs` asks of its axis; NEVER when one is too small for it, ever.

        `keep`: the share of each of those buckets that has to be left afterwards; of one request, nothing can
        be.
        """
        at = now
        for (axis, _), bucket in self.buckets.items():
            need = needs.get(axis, 0.0)
            if need > 0:
                kept = 0.0 if axis == "requests" and bucket.capacity < 2 else keep * bucket.capacity
                at = max(at, bucket.ready_at(need + kept, now))
        return at

    def admit(self, needs: Mapping[str, float], now: float) -> float | None:
        """None when there is room for `needs` (units by axis), else when there will be. Takes nothing."""
        at = self.ready_at(needs, now)
        return at if at > now else None

    def reserve(self, needs: Mapping[str, float], now: float) -> Reservation:
        """Take `needs` before the call, asked or not."""
        wanted = [(key, bucket, needs.get(key[0], 0.0)) for key, bucket in self.buckets.items()]
        return Reservation({key: bucket.hold(need, now) for key, bucket, need in wanted if need > 0})

    def settle(self, reservation: Reservation, real: Mapping[str, float], now: float,
               late: Mapping[str, float] | None = None) -> None:  # fmt: skip
        """Replace what was reserved by what was `real`ly used; an axis not in `real` keeps its reserve as used.

        `late` is how much of that nobody could know before the end.
        """
        for bucket, axis, then in self._close(reservation):
            unused = then.taken - max(real.get(axis, then.taken), 0.0)
            bucket.give_back(unused, now, then.at, late=(late or {}).get(axis, 0.0))

    def release(self, reservation: Reservation, now: float) -> None:
        """Give all back: the call never reached the provider."""
        for bucket, _, then in self._close(reservation):
            bucket.give_back(then.taken, now, then.at)

    def standing(self, now: float) -> list[Standing]:
        """Every limit with what is left of it, shortest window first."""
        rows = sorted(self.buckets.items(), key=lambda item: (item[0][1], item[0][0]))
        return [Standing(axis, window, b.capacity, b.available(now), b.source) for (axis, window), b in rows]

    def to_list(self) -> list[dict[str, Any]]:
        """What a restart must know, so that a day's quota is not taken for full again. Calls under way end with us."""
        return [
            {"axis": axis, "window": window, "limit": b.capacity, "level": b.level, "updated": b.updated,
             "fixed": b.fixed, "debt": b.debt, "source": b.source}
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
                fixed=bool(row["fixed"]), source=str(row["source"]), debt=bool(row.get("debt")),
            )  # fmt: skip
        return quota

    def _set(self, axis: str, limit: float, window: float, remaining: float | None, now: float, *,
             source: str, fixed: bool | None, debt: bool | None, then: Picture | None = None,
             counted: bool = True) -> bool:  # fmt: skip
        if not _sensible(limit, window):
            return False
        left = remaining if remaining is None or math.isfinite(remaining) else None
        bucket = self.buckets.get((axis, window))
        news = bucket is None or bucket.capacity != limit or _rank(bucket.source) < _rank(source)
        if bucket is None:
            bucket = self.buckets[axis, window] = Bucket(limit, window, limit, now)
        bucket.learn(limit, window, left, now, then, counted=counted)
        bucket.source = source
        bucket.fixed = bucket.fixed if fixed is None else fixed
        bucket.debt = bucket.debt if debt is None else debt
        return news

    def _close(self, reservation: Reservation) -> list[tuple[Bucket, str, Picture]]:
        if reservation.done:
            return []
        reservation.done = True
        pictures = reservation.pictures.items()
        closed = [(self.buckets[key], key[0], then) for key, then in pictures if key in self.buckets]
        for bucket, _, then in closed:
            bucket.held = max(0.0, bucket.held - then.taken)
        return closed


def _rank(source: str) -> int:
    return STARTS.index(source) if source in STARTS else len(STARTS)


def _sensible(limit: float, window: float) -> bool:
    """Headers with zero or garbage mean that nothing is told; a limit of nothing would bench a scope for ever."""
    return math.isfinite(limit) and limit > 0 and math.isfinite(window) and window > 0
