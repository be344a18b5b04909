"""The ranges a page can show, and where each begins.

A range begins on a bucket's edge, so that tiles, bars and ladder of one page count the same calls.
It deliberately knows no table: `grain` says which roll-up holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class Grain(StrEnum):
    """A roll-up's bucket."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


WIDTH = {Grain.MINUTE: timedelta(minutes=1), Grain.HOUR: timedelta(hours=1), Grain.DAY: timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Range:
    """A choice of the range switch: how much, from which roll-up, in bars and sparkline points how wide."""

    name: str
    label: str
    words: str
    length: timedelta
    grain: Grain
    bar: timedelta
    bar_grain: Grain
    point: timedelta


RANGES: dict[str, Range] = {
    r.name: r
    for r in (
        Range("1h", "1 h", "the last hour", timedelta(hours=1), Grain.MINUTE, timedelta(minutes=1), Grain.MINUTE,
              timedelta(minutes=2)),
        Range("24h", "24 h", "the last 24 hours", timedelta(hours=24), Grain.HOUR, timedelta(minutes=15),
              Grain.MINUTE, timedelta(hours=1)),
        Range("7d", "7 d", "the last 7 days", timedelta(days=7), Grain.HOUR, timedelta(hours=2), Grain.HOUR,
              timedelta(hours=6)),
        Range("30d", "30 d", "the last 30 days", timedelta(days=30), Grain.DAY, timedelta(hours=6), Grain.HOUR,
              timedelta(days=1)),
    )
}  # fmt: skip
DEFAULT = "24h"


@dataclass(frozen=True, slots=True)
class Span:
    """A range pinned to a moment: `start` inclusive, `end` exclusive (the end of the bucket `now` lies in)."""

    range: Range
    now: datetime
    start: datetime
    end: datetime

    def parts(self) -> list[tuple[Grain, datetime, datetime]]:
        """The span in as few buckets as hold it: hours up to the first midnight (UTC), days from there."""
        day = WIDTH[Grain.DAY]
        midnight = floored(self.start + day - timedelta(microseconds=1), day)
        if self.range.grain is not Grain.HOUR or self.range.length < 2 * day:
            return [(self.range.grain, self.start, self.end)]
        first = [(Grain.HOUR, self.start, midnight)] if midnight > self.start else []
        return [*first, (Grain.DAY, midnight, self.end)]

    @property
    def bars(self) -> int:
        """How many bars fit, the running one included."""
        return -((self.start - self.now) // self.range.bar)


def floored(moment: datetime, width: timedelta) -> datetime:
    """The beginning of the bucket of `width` (a divisor of a day) in which `moment` lies, in UTC."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return moment - (moment - epoch) % width


def span_of(name: str | None, now: datetime) -> Span:
    """The span of a range's name; an unknown name is the default one, so that no link breaks."""
    chosen = RANGES.get(name or DEFAULT, RANGES[DEFAULT])
    width = WIDTH[chosen.grain]
    end = floored(now, width) + width
    return Span(range=chosen, now=now, start=end - chosen.length, end=end)
