"""How latencies are spread: a histogram on the logarithmic time axis of the ladder, tiers behind it."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.safestring import SafeString

from dashboard import figures
from dashboard.charts.axis import LogAxis, axis_for
from dashboard.charts.svg import element, pct
from rotation.core.stats import EDGES, quantile

HEIGHT, TOP, LABELS = 120, 16, 18  # px
MARKS = ((0.5, "p50"), (0.95, "p95"))


def spread(counts: Sequence[int], *, summary: str) -> SafeString:
    """Counts per log bucket of `rotation.core.stats`; buckets beyond the axis are drawn at its ends."""
    used = [n for n, count in enumerate(counts) if count]
    axis = axis_for([EDGES[used[0]], EDGES[used[-1] + 1]]) if used else LogAxis()
    floor, most = HEIGHT - LABELS, max(counts, default=0)
    bands = [
        element("rect", class_=f"band {band.name}", x=pct(left), width=pct(width), y=TOP, height=floor - TOP)
        for band, left, width in axis.bands()
    ]
    bars = [_bar(axis, n, counts[n], most) for n in used]
    ticks = [
        element("text", label, x=pct(x), y=HEIGHT - 4, text_anchor="middle", class_="odd" if n % 2 else None)
        for n, (x, label) in enumerate(axis.ticks())
    ]
    base = element("line", class_="base", x2="100%", y1=floor, y2=floor)
    return element(
        "svg",
        element("title", summary),
        *bands,
        *bars,
        base,
        *_marks(axis, counts),
        *ticks,
        class_="spread",
        height=HEIGHT,
        role="img",
    )


def _bar(axis: LogAxis, bucket: int, count: int, most: int) -> SafeString:
    low, high = EDGES[bucket], EDGES[bucket + 1]
    left, right = axis.at(low), axis.at(high)
    tall = max(1.0, (HEIGHT - LABELS - TOP) * count / most)
    said = f"{figures.seconds(low)} to {figures.seconds(high)}: {figures.count(count)}"
    wide = max(0.3, (right - left) * 0.86)
    left = min(left, 100 - wide)
    top = HEIGHT - LABELS - tall
    return element("rect", element("title", said), class_="bar", x=pct(left), width=pct(wide), y=top, height=tall)


def _marks(axis: LogAxis, counts: Sequence[int]) -> list[SafeString]:
    drawn = []
    for q, name in MARKS:
        ms = quantile(counts, q)
        if ms is not None:
            x = axis.at(ms)
            left = x > 82 or (name == "p50" and x > 18)  # of its line: the two never cover each other
            drawn.append(element("line", class_="mark", x1=pct(x), x2=pct(x), y1=TOP, y2=HEIGHT - LABELS))
            words = f"{name} {figures.seconds(ms)}"
            drawn.append(
                element(
                    "text", words, class_=f"strong {name}", x=pct(x), y=TOP - 5, text_anchor="end" if left else "start"
                )
            )
    return drawn


def rows(counts: Sequence[int]) -> list[tuple[str, str, int]]:
    """(from, to, answers) of every bucket that holds some: the chart as a table."""
    return [(figures.seconds(EDGES[n]), figures.seconds(EDGES[n + 1]), c) for n, c in enumerate(counts) if c]
