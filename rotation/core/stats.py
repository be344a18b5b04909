"""Numbers about latencies and successes: log histograms, quantiles, intervals, tiers, a small ring of recent values.

Histograms are plain lists of counts, so that they add up in Python and in SQL alike. Nothing is stored here.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from enum import StrEnum

BUCKETS = 140
GROWTH = 1.1

#: Lower edges in ms: bucket i holds [EDGES[i], EDGES[i + 1]); the last one also everything above.
EDGES = tuple(GROWTH**i for i in range(BUCKETS + 1))


def bucket_of(ms: float) -> int:
    """The bucket of a duration in ms: floor(ln(ms) / ln(1.1)) held to 0..139; what is no number goes to 0."""
    if not ms >= 1.0:
        return 0
    return min(bisect_right(EDGES, ms) - 1, BUCKETS - 1)


def value_of(bucket: int) -> float:
    """The geometric middle of a bucket, in ms."""
    return float(GROWTH ** (bucket + 0.5))


def histogram(values: Sequence[float] = ()) -> list[int]:
    """Counts per bucket of durations in ms."""
    counts = [0] * BUCKETS
    for ms in values:
        counts[bucket_of(ms)] += 1
    return counts


def merge(a: Sequence[int] | None, b: Sequence[int] | None) -> list[int]:
    """The sum of two histograms; None and short ones count as zeros."""
    total = [0] * BUCKETS
    for counts in (a or (), b or ()):
        for bucket, count in enumerate(counts[:BUCKETS]):
            total[bucket] += count
    return total


def quantile(hist: Sequence[int] | None, q: float) -> float | None:
    """The q-quantile (0..1) in ms, linear inside its bucket; None for an empty histogram."""
    total = sum(hist or ())
    if not hist or total <= 0:
        return None
    rank = min(max(q, 0.0), 1.0) * total
    before = 0
    for bucket, count in enumerate(hist[:BUCKETS]):
        if count and before + count >= rank:
            low, high = EDGES[bucket], EDGES[bucket + 1]
            return low + (high - low) * max(rank - before, 0.0) / count
        before += count
    return EDGES[BUCKETS]


def wilson(successes: float, n: float, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of a share: (0, 1) when nothing was tried."""
    if n <= 0:
        return 0.0, 1.0
    share = min(max(successes / n, 0.0), 1.0)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    middle, scale = share + z * z / (2 * n), 1 + z * z / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


class Tier(StrEnum):
    """How quickly a model usually answers, by the median of its total time."""

    ULTRA_FAST = "ultra-fast"
    FAST = "fast"
    BALANCED = "balanced"
    SLOW = "slow"


#: Upper edges in ms, exclusive; what is slower than the last is SLOW.
TIER_EDGES = ((2_000.0, Tier.ULTRA_FAST), (5_000.0, Tier.FAST), (15_000.0, Tier.BALANCED))


def tier(p50_ms: float) -> Tier:
    """Ultra-fast below 2 s, fast below 5 s, balanced below 15 s, slow from there."""
    for edge, name in TIER_EDGES:
        if p50_ms < edge:
            return name
    return Tier.SLOW


class Recent:
    """The last `size` values of one target, in whatever unit they are given: what adaptive timeouts look at."""

    __slots__ = ("_next", "_sorted", "_values", "size")

    def __init__(self, size: int = 64) -> None:
        if size < 1:
            raise ValueError(f"a ring needs room for at least one value, not {size}")
        self.size = size
        self._values: list[float] = []
        self._next = 0
        self._sorted: list[float] | None = None

    def __len__(self) -> int:
        return len(self._values)

    def add(self, value: float) -> None:
        """Remember a value; the oldest one goes when the ring is full. What is not finite is left out."""
        if not math.isfinite(value):
            return
        if len(self._values) < self.size:
            self._values.append(value)
        else:
            if self._sorted is not None:
                del self._sorted[bisect_left(self._sorted, self._values[self._next])]
            self._values[self._next] = value
            self._next = (self._next + 1) % self.size
        if self._sorted is not None:
            insort(self._sorted, value)

    def quantile(self, q: float) -> float | None:
        """The q-quantile, linear between neighbours; None while empty."""
        if not self._values:
            return None
        if self._sorted is None:
            self._sorted = sorted(self._values)
        place = min(max(q, 0.0), 1.0) * (len(self._sorted) - 1)
        low = math.floor(place)
        high = min(low + 1, len(self._sorted) - 1)
        return self._sorted[low] + (self._sorted[high] - self._sorted[low]) * (place - low)

    @property
    def p50(self) -> float | None:
        return self.quantile(0.5)

    @property
    def p95(self) -> float | None:
        return self.quantile(0.95)
