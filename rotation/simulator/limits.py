"""Token buckets with continuous refill, and the counters that start anew with every minute or day.

A bucket of `limit` per `window` is full at `limit` and refills at limit / window. The wait a refusal names is
(used + requested - limit) / limit * window, exact for the whole numbers shown beside it. A request's output is
held while it runs (so that parallel ones count each other) and charged with what it really was at the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Cap:
    """One limit of a plan. `axis`: requests, tokens, audio (seconds). `label` as the texts name it (RPM, TPD ...).

    `fixed`: a count per minute or day of the UTC clock, no bucket. `account`: counted over all free models of one.
    `debt`: one request may be larger than the whole limit; it then leaves the bucket below zero.
    """

    label: str
    axis: str
    limit: float
    window: float
    fixed: bool = False
    account: bool = False
    debt: bool = False


class Bucket:
    """The state of one cap for one (account, model). `now` is simulated epoch seconds.

    A moment before the last one seen counts as that one: a request may have arrived just before its bucket was made.
    """

    __slots__ = ("_at", "_dust", "_level", "cap", "held")

    def __init__(self, cap: Cap, now: float) -> None:
        self.cap = cap
        self.held = 0.0
        self._dust = 1e-3 + cap.limit / cap.window * 1e-6  # what a microsecond brings: epoch floats are no finer
        self._level = cap.limit
        self._at = now

    def level(self, now: float) -> float:
        """What is left, fractions included, what is only held not counted."""
        cap = self.cap
        if cap.fixed:
            if now // cap.window > self._at // cap.window:
                self._level = cap.limit
        else:
            self._level = min(cap.limit, self._level + max(now - self._at, 0.0) * cap.limit / cap.window)
        self._at = max(now, self._at)
        return self._level

    def used(self, now: float) -> int:
        return math.ceil(self.cap.limit - self.level(now) + self.held - self._dust)

    def wait(self, need: float, now: float) -> float:
        """Seconds until `need` fits, 0.0 when it fits now."""
        free = self.level(now) - self.held
        if self.cap.debt:
            need = min(need, self.cap.limit)
        if free + self._dust >= need:
            return 0.0
        if self.cap.fixed:
            return self.cap.window - now % self.cap.window
        return (self.used(now) + need - self.cap.limit) / self.cap.limit * self.cap.window

    def full_in(self, now: float) -> float:
        """Seconds until the bucket is completely full again: what `reset` headers tell."""
        if self.cap.fixed:
            return self.cap.window - now % self.cap.window
        return max(0.0, self.cap.limit - self.level(now)) / self.cap.limit * self.cap.window

    def take(self, amount: float, now: float) -> None:
        self._level = self.level(now) - amount


@dataclass(frozen=True, slots=True)
class Need:
    """What a request asks of the limits: `prompt` tokens, `output` tokens at most, `audio` seconds."""

    prompt: int = 0
    output: int = 0
    audio: float = 0.0

    def of(self, axis: str) -> float:
        return {"requests": 1, "tokens": self.prompt + self.output, "audio": self.audio}[axis]

    def now_of(self, axis: str) -> float:
        """The part that is charged at admission."""
        return {"requests": 1, "tokens": self.prompt, "audio": self.audio}[axis]


@dataclass(frozen=True, slots=True)
class Refused:
    """`never`: larger than the whole limit, waiting does not help. `wait` in simulated seconds."""

    cap: Cap
    used: int
    requested: int
    wait: float
    never: bool = False


@dataclass(slots=True)
class Hold:
    """An admitted request. Settle it once, with what it really put out."""

    buckets: tuple[Bucket, ...]
    need: Need
    settled: bool = False

    def settle(self, tokens_out: int, now: float) -> None:
        if self.settled:
            return
        self.settled = True
        for bucket in self.buckets:
            if bucket.cap.axis == "tokens":
                bucket.held -= self.need.output
                bucket.take(tokens_out, now)

    def bucket(self, *labels: str) -> Bucket | None:
        """The first bucket of these labels."""
        return next((bucket for label in labels for bucket in self.buckets if bucket.cap.label == label), None)


def admit(buckets: Iterable[Bucket], need: Need, now: float) -> Hold | Refused:
    """All buckets or none. Refused by the one that takes longest, so that its wait is enough for all."""
    buckets = tuple(buckets)
    worst: Refused | None = None
    for bucket in buckets:
        cap, wanted = bucket.cap, need.of(bucket.cap.axis)
        wait = bucket.wait(wanted, now)
        if wait <= 0:
            continue
        refused = Refused(cap, bucket.used(now), math.ceil(wanted), wait, never=wanted > cap.limit)
        if worst is None or (refused.never, refused.wait) > (worst.never, worst.wait):
            worst = refused
    if worst is not None:
        return worst
    for bucket in buckets:
        bucket.take(need.now_of(bucket.cap.axis), now)
        if bucket.cap.axis == "tokens":
            bucket.held += need.output
    return Hold(buckets, need)
