"""Present and candidate beside each other: how soon calls were answered, over time, and a difference as a whisker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.safestring import SafeString

from dashboard.charts.axis import LogAxis, axis_for
from dashboard.charts.svg import element, number, pct
from rotation.core.stats import EDGES

WAYS = ("present", "candidate")
HEIGHT, TOP, LABELS = 168, 8, 18  # px
FLOOR = HEIGHT - LABELS
WIDE = 1000  # units of the inner drawing, which is as wide as the page lets it
SHARES = (0.5, 0.95)
TAIL = 0.001  # of the answers that the axis may leave out at either end
Points = Sequence[tuple[float, float]]  # (units from the left, share of the height from the floor)


def curves(histograms: Sequence[Sequence[int]], *, summary: str) -> SafeString:
    """The share of the answers that had come by each moment, on a log axis; a line for each way."""
    axis = axis_for([EDGES[i] for counts in histograms for i in _ends(counts)])
    lines = [[(10 * axis.at(EDGES[i + 1]), share) for i, share in _shares(counts)] for counts in histograms]
    marks = [
        part
        for share in SHARES
        for part in (
            element("line", class_="grid", x2="100%", y1=_y(share), y2=_y(share)),
            element("text", f"{share:.0%}", y=_y(share) - 3),
        )
    ]
    return _drawn(lines, [*marks, *_ticks(axis)], summary)


def _ends(counts: Sequence[int]) -> list[int]:
    """The buckets between which nearly all of it lies."""
    known = [i for i, share in _shares(counts) if share >= TAIL]
    late = [i for i, share in _shares(counts) if share >= 1 - TAIL]
    return [known[0], late[0] + 1] if known and late else []


def _shares(counts: Sequence[int]) -> list[tuple[int, float]]:
    """(bucket, share up to its end) of a histogram; nothing for an empty one."""
    whole = sum(counts)
    return [(i, n / whole) for i, n in enumerate(accumulate(counts))] if whole else []


def _ticks(axis: LogAxis) -> list[SafeString]:
    return [element("text", words, x=pct(at), y=HEIGHT - 4, text_anchor="middle") for at, words in axis.ticks()]


def timeline(stretches: Sequence[Mapping[str, Any]], *, zone: ZoneInfo, summary: str) -> SafeString:
    """Mean seconds to the answer over the window; a line for each way, gaps passed over."""
    values = [v for one in stretches for v in one["mean"] if v is not None]
    most = 1.2 * max(values, default=0.0)  # room for the label above the lines
    if len(stretches) < 2 or most <= 0:
        return SafeString("")
    last = len(stretches) - 1
    lines = [
        [(WIDE * n / last, one["mean"][way] / most) for n, one in enumerate(stretches) if one["mean"][way] is not None]
        for way in range(len(WAYS))
    ]
    grid = element("line", class_="grid", x2="100%", y1=TOP, y2=TOP)
    peak = element("text", f"{most:.1f} s" if most >= 1 else f"{most * 1000:.0f} ms", y=TOP + 11)
    return _drawn(lines, [grid, peak, *_times(stretches, zone)], summary)


def _times(stretches: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> list[SafeString]:
    last, step = len(stretches) - 1, max(1, -(-len(stretches) // 4))
    found = []
    for n in range(0, len(stretches), step):
        at = datetime.fromtimestamp(stretches[n]["at"], UTC).astimezone(zone)
        anchor = "start" if n == 0 else "end" if n == last else "middle"
        found.append(element("text", f"{at:%a %H:%M}", x=pct(100 * n / last), y=HEIGHT - 4, text_anchor=anchor,
                             class_="wide" if n // step % 2 else None))  # fmt: skip
    return found


def _y(share: float) -> float:
    return TOP + (FLOOR - TOP) * (1 - share)


def _drawn(lines: Sequence[Points], around: Sequence[SafeString], summary: str) -> SafeString:
    drawn = [
        element("polyline", class_=way, points=" ".join(f"{number(x)},{number(_y(share))}" for x, share in points))
        for way, points in zip(WAYS, lines, strict=True)
        if points
    ]
    inner = element("svg", *drawn, viewBox=f"0 0 {WIDE} {HEIGHT}", preserveAspectRatio="none", width="100%",
                    height=HEIGHT)  # fmt: skip
    base = element("line", class_="base", x2="100%", y1=FLOOR, y2=FLOOR)
    return element("svg", element("title", summary), *around, base, inner, class_="compare", height=HEIGHT, role="img")


def whisker(figure: Mapping[str, Any]) -> SafeString:
    """The interval of a difference around nothing: left is less, right is more."""
    interval, difference = figure["interval"], figure["difference"]
    if not interval or difference is None:
        return SafeString("")
    reach = max(abs(interval[0]), abs(interval[1]), 1e-9)
    at = [50 + 46 * value / reach for value in (*interval, difference)]
    return element(
        "svg",
        element("line", class_="grid", x1="50%", x2="50%", y1=1, y2=15),
        element("rect", x=pct(at[0]), width=pct(max(at[1] - at[0], 1.5)), y=6, height=4, rx=2),
        element("circle", cx=pct(at[2]), cy=8, r=3.5),
        class_=f"whisker {figure['verdict'] or 'open'}",
        height=16,
        aria_hidden="true",
    )
