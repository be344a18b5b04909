"""The five numbers on top of the Overview."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString

from dashboard import figures
from dashboard.charts.sparkline import sparkline
from dashboard.queries.calls import Calls, added
from dashboard.queries.prices import Yardstick
from dashboard.span import Span

FIRST_TRY_GOAL = 0.95


@dataclass(frozen=True, slots=True)
class Tile:
    """`mood` colours the note (ok, warn, bad or nothing); its words carry the meaning."""

    label: str
    value: str
    note: str
    mood: str
    spark: SafeString


def tiles(points: Sequence[Calls], span: Span, yardstick: Yardstick) -> list[Tile]:
    """`points` are the span's calls, oldest first, without empty stretches."""
    whole = added(points)
    line = Line(points, span)
    return [
        first_try(whole, line),
        answered(whole, span, line),
        latency(whole, line),
        failover(whole, span, line),
        spending(whole, yardstick, line),
    ]


class Line:
    """Draws one sparkline over the span from what a function reads off each point; empty stretches stay gaps."""

    def __init__(self, points: Sequence[Calls], span: Span) -> None:
        known = {point.at: point for point in points}
        many = -((span.start - span.now) // span.range.point)
        moments: list[datetime] = [span.start + n * span.range.point for n in range(many)]
        self.points = [known.get(moment) for moment in moments]

    def of(self, read: Callable[[Calls], float | None]) -> SafeString:
        return sparkline([read(point) if point else None for point in self.points])


def first_try(whole: Calls, line: Line) -> Tile:
    share = whole.first_share
    met = share is None or share >= FIRST_TRY_GOAL
    note = "goal 95%" if met else "below the goal of 95%"
    value = figures.percent(whole.first_try, whole.answerable)
    return Tile("Answered first try", value, note, mood(share, met=met), line.of(lambda p: p.first_share))


def answered(whole: Calls, span: Span, line: Line) -> Tile:
    missed = whole.answerable - whole.answered
    note = f"{figures.count(whole.answered)} of {figures.count(whole.answerable)} in {span.range.label}"
    value = figures.percent(whole.answered, whole.answerable)
    return Tile("Answered at all", value, note, "bad" if missed else "", line.of(lambda p: p.answered_share))


def latency(whole: Calls, line: Line) -> Tile:
    middle, slow = whole.latency(0.5), whole.latency(0.95)
    value = figures.NONE if middle is None else f"{figures.seconds(middle)} · {figures.seconds(slow)}"
    note = f"p99 {figures.seconds(whole.latency(0.99))}"
    return Tile("p50 · p95 latency", value, note, "", line.of(lambda p: p.latency(0.5)))


def failover(whole: Calls, span: Span, line: Line) -> Tile:
    many = "1 rotation" if whole.rotated == 1 else f"{figures.count(whole.rotated)} rotations"
    value = figures.seconds(whole.lost_to_failover(0.95))
    return Tile("Failover, p95", value, f"{many} in {span.range.label}", "", line.of(lambda p: float(p.rotated)))


def spending(whole: Calls, yardstick: Yardstick, line: Line) -> Tile:
    def saved(calls: Calls) -> float:
        return float(yardstick.cost(calls.tokens_in, calls.tokens_out) - calls.cost)

    value = f"{figures.money(whole.cost)} · {figures.money(saved(whole))}"
    better = "ok" if saved(whole) > 0 else ""
    return Tile("Spent · saved", value, f"against {yardstick.model}", better, line.of(saved))


def mood(share: float | None, *, met: bool) -> str:
    if share is None:
        return ""
    return "ok" if met else "warn"
