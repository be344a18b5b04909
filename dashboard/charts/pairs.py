"""Two amounts per day beside each other: a tall quiet bar behind (what it would have been), a full one before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.safestring import SafeString

from dashboard import figures
from dashboard.charts.svg import element, pct

HEIGHT, TOP, LABELS = 150, 14, 18  # px
MARKS = 8  # labels under the bars, at most


@dataclass(frozen=True, slots=True)
class Pair:
    """USD of one day."""

    at: datetime
    spent: Decimal
    instead: Decimal


def pairs(series: Sequence[Pair], *, summary: str) -> SafeString:
    """Oldest first, a day each."""
    most = max((max(pair.spent, pair.instead) for pair in series), default=Decimal(0))
    floor = HEIGHT - LABELS
    step = max(1, -(-len(series) // MARKS))
    marks = [
        element(
            "text",
            f"{pair.at.day} {pair.at:%b}",
            x=pct(100 * n / len(series)),
            y=HEIGHT - 4,
            class_="wide" if n // step % 2 else None,
        )
        for n, pair in enumerate(series)
        if n % step == 0
    ]
    return element(
        "svg",
        element("title", summary),
        element("line", class_="grid", x2="100%", y1=TOP, y2=TOP),
        element("text", figures.money(most) if most else "", class_="peak", y=TOP - 4),
        *(day(pair, n, len(series), most) for n, pair in enumerate(series) if most),
        element("line", class_="base", x2="100%", y1=floor, y2=floor),
        *marks,
        class_="pairs",
        height=HEIGHT,
        role="img",
    )


def day(pair: Pair, n: int, many: int, most: Decimal) -> SafeString:
    said = f"{pair.at.day} {pair.at:%b}: {figures.money(pair.spent)} spent, {figures.money(pair.instead)} instead"
    drawn = [
        element(
            "rect", class_=name, x=pct(100 * (n + inset) / many), width=pct(100 * wide / many), **upright(amount, most)
        )
        for name, amount, inset, wide in (("instead", pair.instead, 0.1, 0.8), ("spent", pair.spent, 0.1, 0.8))
        if amount > 0
    ]
    return element("g", element("title", said), *drawn)


def upright(amount: Decimal, most: Decimal) -> dict[str, float]:
    tall = max(1.0, float(amount / most) * (HEIGHT - LABELS - TOP))
    return {"y": HEIGHT - LABELS - tall, "height": tall}
