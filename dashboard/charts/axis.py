"""A logarithmic time axis in percent, its ticks, and the latency tiers that lie on it as bands."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from rotation.core.stats import TIER_EDGES, Tier

LOW, HIGH = 250.0, 40_000.0  # ms; always in view, so that the tiers stay where the eye knows them
FLOOR, CEILING = 10.0, 900_000.0
TICKS = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 120_000, 300_000, 600_000)


@dataclass(frozen=True, slots=True)
class Band:
    """A tier as a stretch of the axis: `low` <= ms < `high`."""

    name: str
    label: str
    range: str
    low: float
    high: float


def tier_bands() -> tuple[Band, ...]:
    """The tiers, which lie edge to edge, and what their edges are in words."""
    edges = [*((edge, tier.value) for edge, tier in TIER_EDGES), (CEILING, Tier.SLOW.value)]
    bands, low = [], 0.0
    for high, name in edges:
        if not low:
            words = f"<{high / 1000:g} s"
        else:
            words = f"≥{low / 1000:g} s" if high == CEILING else f"{low / 1000:g}–{high / 1000:g} s"
        bands.append(Band(name, name.capitalize(), words, low, high))
        low = high
    return tuple(bands)


BANDS = tier_bands()


@dataclass(frozen=True, slots=True)
class LogAxis:
    """From `low` to `high` milliseconds over 0 to 100 percent."""

    low: float = LOW
    high: float = HIGH

    def at(self, ms: float) -> float:
        """Percent from the left, clamped into the axis."""
        inside = min(max(ms, self.low), self.high)
        return 100 * log(inside / self.low) / log(self.high / self.low)

    def ticks(self) -> list[tuple[float, str]]:
        """(percent, label) of the round values that keep clear of both ends; thinned until they fit."""
        inside = [ms for ms in TICKS if 3 < self.at(ms) < 97]
        step = -(-len(inside) // 7)
        return [(self.at(ms), tick_label(ms)) for ms in inside[::step]]

    def bands(self) -> list[tuple[Band, float, float]]:
        """(band, left, width) in percent, for the tiers in view."""
        edges = [(band, self.at(max(band.low, self.low)), self.at(band.high)) for band in BANDS]
        return [(band, left, right - left) for band, left, right in edges if right > left]


def axis_for(values: list[float]) -> LogAxis:
    """An axis in which every value is seen."""
    seen = [v for v in values if v > 0]
    low = min([LOW, *seen])
    high = max([HIGH, *seen])
    return LogAxis(max(FLOOR, low * (0.8 if low < LOW else 1)), min(CEILING, high * (1.2 if high > HIGH else 1)))


def tick_label(ms: float) -> str:
    if ms < 500:
        return f"{ms:g} ms"
    return f"{ms / 1000:g} s" if ms < 60_000 else f"{ms / 60_000:g} min"
