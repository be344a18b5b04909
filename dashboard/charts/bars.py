"""Requests over time: stacked bars of what was answered first try, after rotation, and not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.safestring import SafeString

from dashboard import figures
from dashboard.charts.svg import element, pct

HEIGHT, TOP, LABELS = 132, 14, 18  # px: the whole drawing, room above the tallest bar, the line of labels below


@dataclass(frozen=True, slots=True)
class Bar:
    """Calls that began in one bucket. `failed` includes broken off; `other` are the caller's doing."""

    at: datetime
    first_try: int = 0
    rotated: int = 0
    failed: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        return self.first_try + self.rotated + self.failed


def bars(series: Sequence[Bar], *, width: timedelta, now: datetime, zone: ZoneInfo, summary: str) -> SafeString:
    """The chart of `series` (oldest first, one for every bucket, empty ones too)."""
    most = max((bar.total for bar in series), default=0)
    floor = HEIGHT - LABELS
    drawn = [stack(bar, n, len(series), most=most, width=width, zone=zone) for n, bar in enumerate(series) if bar.total]
    peak = f"{figures.count(most)} in {figures.lasting(width)}" if most else ""
    return element(
        "svg",
        element("title", summary),
        element("line", class_="grid", x2="100%", y1=TOP, y2=TOP),
        element("text", peak, class_="peak", y=TOP - 4),
        *drawn,
        element("line", class_="base", x2="100%", y1=floor, y2=floor),
        *labels(series, width=width, now=now, zone=zone),
        class_="bars",
        height=HEIGHT,
        role="img",
    )


def stack(bar: Bar, n: int, many: int, *, most: int, width: timedelta, zone: ZoneInfo) -> SafeString:
    room = HEIGHT - LABELS - TOP
    left, wide = pct(100 * n / many + 12 / many), pct(76 / many)
    parts, y = [], float(HEIGHT - LABELS)
    for name, amount in (("ok", bar.first_try), ("warn", bar.rotated), ("bad", bar.failed)):
        if amount:
            tall = max(1.0, room * amount / most)  # one failure among thousands is still seen
            y -= tall
            parts.append(element("rect", class_=name, x=left, width=wide, y=y, height=tall))
    return element("g", element("title", spoken(bar, width, zone)), *parts)


def spoken(bar: Bar, width: timedelta, zone: ZoneInfo) -> str:
    when = bar.at.astimezone(zone)
    until = (bar.at + width).astimezone(zone)
    day = f"{when:%a} {when.day} " if width >= timedelta(hours=1) else ""
    return (
        f"{day}{when:%H:%M}–{until:%H:%M}: {figures.count(bar.first_try)} first try, "
        f"{figures.count(bar.rotated)} after rotation, {figures.count(bar.failed)} failed"
    )


def labels(series: Sequence[Bar], *, width: timedelta, now: datetime, zone: ZoneInfo) -> list[SafeString]:
    """Round times under the bars, and "now" at the end."""
    if not series:
        return []
    start, length = series[0].at, width * len(series)
    step = next((s for s in STEPS if length / s <= 8), STEPS[-1])
    marks: list[tuple[float, str]] = []
    local = start.astimezone(zone)
    mark = local.replace(hour=0, minute=0, second=0, microsecond=0)
    while mark < local + length:
        x = 100 * ((mark - local) / length)
        if 0 <= x < 91:
            marks.append((x, f"{mark:%H:%M}" if step < timedelta(days=1) else f"{mark.day} {mark:%b}"))
        mark += step
    drawn = [
        element("text", text, x=pct(x), y=HEIGHT - 4, class_="wide" if n % 2 else None)
        for n, (x, text) in enumerate(marks)
    ]
    return [*drawn, element("text", "now", x="100%", y=HEIGHT - 4, text_anchor="end")]


STEPS = (
    timedelta(minutes=15),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=2),
    timedelta(days=5),
)
