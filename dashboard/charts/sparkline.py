"""A tile's small line: the shape of the range, without numbers (the tile says those)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.safestring import SafeString

from dashboard.charts.svg import element, number

WIDTH, HEIGHT = 62, 18


def sparkline(values: Sequence[float | None]) -> SafeString:
    """The line through `values` (None is a gap that is passed over); nothing for fewer than two."""
    known = [(n, v) for n, v in enumerate(values) if v is not None]
    if len(known) < 2:
        return SafeString("")
    low, high = min(v for _, v in known), max(v for _, v in known)
    last = len(values) - 1
    points = " ".join(f"{number(1 + (WIDTH - 2) * n / last)},{number(height(v, low=low, high=high))}" for n, v in known)
    return element(
        "svg", element("polyline", points=points), class_="spark", width=WIDTH, height=HEIGHT, aria_hidden="true"
    )


def height(value: float, *, low: float, high: float) -> float:
    """Pixels from the top; a flat line runs through the middle."""
    share = (value - low) / (high - low) if high > low else 0.5
    return 2 + (HEIGHT - 4) * (1 - share)
