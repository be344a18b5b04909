"""Calls over a span: the points behind the tiles and their sparklines, and the bars of "requests over time"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache

from dashboard.charts.bars import Bar
from dashboard.queries.sums import CALLS, counters, fetch, histogram
from dashboard.span import Grain, Span
from rotation.core.stats import merge, quantile

COLUMNS = ("calls", "first_try", "rotated", "failed", "refused", "cancelled", "interrupted", "tokens_in", "tokens_out")


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of one stretch of time, added up. `lost` is of rotated calls, `total` of answered ones; cost is USD."""

    at: datetime | None = None
    calls: int = 0
    first_try: int = 0
    rotated: int = 0
    failed: int = 0
    refused: int = 0
    cancelled: int = 0
    interrupted: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: Decimal = Decimal(0)
    total: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)

    @property
    def answerable(self) -> int:
        """Calls that could have been answered: not those the caller got wrong or gave up."""
        return self.answered + self.failed + self.interrupted

    @property
    def answered(self) -> int:
        return self.first_try + self.rotated

    @property
    def first_share(self) -> float | None:
        return self.first_try / self.answerable if self.answerable else None

    @property
    def answered_share(self) -> float | None:
        return self.answered / self.answerable if self.answerable else None

    def latency(self, q: float) -> float | None:
        return quantile(self.total, q)

    def lost_to_failover(self, q: float) -> float | None:
        return quantile(self.lost, q)


def added(points: Iterable[Calls]) -> Calls:
    """All points as one."""
    many = list(points)
    numbers = {column: sum(getattr(point, column) for point in many) for column in COLUMNS}
    total: list[int] = []
    lost: list[int] = []
    for point in many:
        total, lost = merge(total, point.total), merge(lost, point.lost)
    return Calls(**numbers, cost=sum((point.cost for point in many), Decimal(0)), total=total, lost=lost)


@cache
def points_sql(grain: Grain) -> str:
    return (
        f"SELECT date_bin(%s, at, %s) AS point, {counters(*COLUMNS)}, {counters('cost')}, "  # noqa: S608 - no input
        f"{histogram('total_hist')}, {histogram('lost_hist')} "
        f"FROM {CALLS[grain]._meta.db_table} WHERE at >= %s AND at < %s AND simulated = %s "
        "GROUP BY point ORDER BY point"
    )


def points(span: Span, *, simulated: bool) -> list[Calls]:
    """One query: the span in sparkline points; stretches without a call are left out."""
    rows = fetch(points_sql(span.range.grain), [span.range.point, span.start, span.start, span.end, simulated])
    return [Calls(*row) for row in rows]


@cache
def bars_sql(grain: Grain) -> str:
    return (
        f"SELECT date_bin(%s, at, %s) AS bar, {counters('first_try', 'rotated')}, "  # noqa: S608 - no input
        f"{counters('failed + interrupted', 'refused + cancelled')} "
        f"FROM {CALLS[grain]._meta.db_table} WHERE at >= %s AND at < %s AND simulated = %s GROUP BY bar ORDER BY bar"
    )


def bars(span: Span, *, simulated: bool) -> list[Bar]:
    """One query: every bar of the span from the first to the running one, empty ones too."""
    rows = fetch(bars_sql(span.range.bar_grain), [span.range.bar, span.start, span.start, span.end, simulated])
    known = {row[0]: Bar(*row) for row in rows}
    moments = [span.start + n * span.range.bar for n in range(span.bars)]
    return [known.get(moment, Bar(moment)) for moment in moments]
