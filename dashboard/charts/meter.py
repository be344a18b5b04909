"""How full something is: a share of a limit, as a bar beside its numbers."""

from __future__ import annotations

from django.utils.safestring import SafeString

from dashboard.charts.svg import element, pct

HEIGHT = 6


def level(share: float) -> str:
    """`ok` below three quarters, `warn` above; a full meter is not yet a failure."""
    return "ok" if share < 0.75 else "warn"


def meter(used: float, limit: float | None, *, summary: str) -> SafeString:
    """An empty track when no limit is known."""
    share = min(1.0, used / limit) if limit else 0.0
    fill = [element("rect", class_=level(share), width=pct(100 * share), height=HEIGHT, rx=3)] if share else []
    return element(
        "svg",
        element("title", summary),
        element("rect", class_="track", width="100%", height=HEIGHT, rx=3),
        *fill,
        class_="meter",
        height=HEIGHT,
        role="img",
    )


def part(share: float, *, summary: str) -> SafeString:
    """A part of a whole, where more is neither good nor bad: how far something is, how much of it is this."""
    width = pct(100 * min(1.0, max(0.0, share)))
    return element(
        "svg",
        element("title", summary),
        element("rect", class_="track", width="100%", height=HEIGHT, rx=3),
        element("rect", class_="part", width=width, height=HEIGHT, rx=3),
        class_="meter",
        height=HEIGHT,
        role="img",
    )
