"""A strip of days: one upright mark each, its height and colour saying how well it went.

Colour is never alone: the worse, the shorter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from dashboard.charts.svg import element, pct

HEIGHT = 30
TALL = {"ok": 1.0, "warn": 0.7, "bad": 0.45, "none": 0.12}


@dataclass(frozen=True, slots=True)
class Mark:
    """`mood` is a key of TALL; `words` is what the mark says to who points at it."""

    mood: str
    words: str


def mood_of(answered: int, answerable: int) -> str:
    """`ok` from 99 % answered, `warn` from 95 %, `bad` below, `none` when nothing was asked."""
    if answerable <= 0:
        return "none"
    share = answered / answerable
    return "ok" if share >= 0.99 else "warn" if share >= 0.95 else "bad"


def strip(marks: Sequence[Mark], *, summary: str) -> SafeString:
    """Oldest first; as wide as its place."""
    step = 100 / max(1, len(marks))
    drawn = [
        element(
            "rect",
            element("title", mark.words),
            class_=mark.mood,
            x=pct(step * n + step * 0.1),
            width=pct(step * 0.8),
            y=HEIGHT * (1 - TALL[mark.mood]),
            height=HEIGHT * TALL[mark.mood],
            rx=1.5,
        )
        for n, mark in enumerate(marks)
    ]
    return element("svg", element("title", summary), *drawn, class_="strip", height=HEIGHT, role="img")
