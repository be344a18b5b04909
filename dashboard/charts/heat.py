"""Hours by weekdays: a table whose cells are shaded by how long answers took, each with its number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

from dashboard import figures

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SHADES = 6


@dataclass(frozen=True, slots=True)
class Hour:
    """Attempts of one hour of one weekday; `ms` is the mean time of those that were answered."""

    attempts: int
    ok: int
    ms: float | None


@dataclass(frozen=True, slots=True)
class Cell:
    """`shade` 0 (quick) to 5 (slow) among this model's own hours; None: nothing was answered."""

    hour: int
    text: str
    words: str
    shade: int | None
    failing: bool


def heat(hours: Mapping[tuple[int, int], Hour]) -> list[tuple[str, list[Cell]]]:
    """A row per weekday (1 is Monday in the keys, beside the hour 0..23), 24 cells each."""
    known = [hour.ms for hour in hours.values() if hour.ms]
    low = min(known, default=1.0)
    high = max([2 * low, *known])  # hours that differ by little look alike
    return [
        (name, [_cell(name, hour, hours.get((day, hour)), low, high) for hour in range(24)])
        for day, name in enumerate(DAYS, 1)
    ]


def _cell(day: str, hour: int, seen: Hour | None, low: float, high: float) -> Cell:
    when = f"{day} {hour:02}:00"
    if seen is None or not seen.attempts:
        return Cell(hour, "", f"{when}: no calls", None, failing=False)
    said = f"{when}: {figures.count(seen.attempts)} attempts, {figures.percent(seen.ok, seen.attempts)} good"
    failing = seen.ok < 0.9 * seen.attempts
    if not seen.ms:
        return Cell(hour, "!", said, None, failing=True)
    share = log(seen.ms / low) / log(high / low)
    shade = min(SHADES - 1, int(share * SHADES))
    return Cell(hour, brief(seen.ms), f"{said}, {figures.seconds(seen.ms)} on average", shade, failing)


def brief(ms: float) -> str:
    """Seconds in three characters at most: `.4`, `1.2`, `14`."""
    s = ms / 1000
    return f"{s:.1f}".removeprefix("0") if s < 9.95 else f"{s:.0f}"
