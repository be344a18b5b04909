"""Requests as lines of a list: when, what, where its time went, and its story in a few words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.safestring import SafeString

from dashboard import figures, story
from dashboard.charts import waterfall
from dashboard.queries.requests import Logged


@dataclass(frozen=True, slots=True)
class Line:
    """One request in a list."""

    logged: Logged
    drawn: SafeString
    story: str


def lines(logged: Iterable[Logged]) -> list[Line]:
    """Requests as lines of a list, on one common scale."""
    many = list(logged)
    scale = max((one.request.total_ms for one in many), default=1.0)
    return [line_of(one, scale) for one in many]


def line_of(logged: Logged, scale: float) -> Line:
    legs = [story.leg_of(attempt) for attempt in logged.attempts]
    words = story.short(logged.request, logged.attempts)
    total = logged.request.total_ms
    summary = f"{figures.seconds(total)}: {words}"
    drawn = waterfall.waterfall(waterfall.summary_stretches(legs, total), scale=scale, summary=summary)
    return Line(logged, drawn, words)
