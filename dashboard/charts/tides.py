"""What came and what went, week by week: bars up for the one, down for the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from dashboard.charts.svg import element, pct

HEIGHT, LABELS, EDGE = 250, 18, 12  # px
MARKS = 7  # labels below, at most


@dataclass(frozen=True, slots=True)
class Tide:
    """`label` stands below, `words` are what the bar says to who points at it."""

    label: str
    came: int
    went: int
    words: str


def tides(series: Sequence[Tide], *, summary: str) -> SafeString:
    """Oldest first; both directions on one scale."""
    up = max((one.came for one in series), default=0)
    down = max((one.went for one in series), default=0)
    room, most = HEIGHT - LABELS - 2 * EDGE, max(1, up + down)
    base = EDGE + room * up / most
    step = max(1, -(-len(series) // MARKS))
    wide = 100 / max(1, len(series))
    drawn = [_pair(one, wide * n, wide, base, room / most) for n, one in enumerate(series) if one.came or one.went]
    marks = [
        element("text", one.label, x=pct(wide * n), y=HEIGHT - 4, class_="odd" if n // step % 2 else None)
        for n, one in enumerate(series)
        if n % step == 0
    ]
    ends = [element("text", f"+{up}", y=EDGE - 2)] if up else []
    ends += [element("text", f"−{down}", y=HEIGHT - LABELS)] if down else []
    line = element("line", class_="base", x2="100%", y1=base, y2=base)
    return element(
        "svg", element("title", summary), *drawn, line, *ends, *marks, class_="tides", height=HEIGHT, role="img"
    )


def _pair(one: Tide, left: float, wide: float, base: float, unit: float) -> SafeString:
    place = {"x": pct(left + wide * 0.12), "width": pct(wide * 0.76)}
    parts = [element("title", one.words)]
    if one.came:
        parts.append(element("rect", class_="came", y=base - one.came * unit, height=one.came * unit, **place))
    if one.went:
        parts.append(element("rect", class_="went", y=base, height=one.went * unit, **place))
    return element("g", *parts)
