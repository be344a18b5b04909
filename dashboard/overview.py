"""Everything the Overview shows of one moment, read and drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from time import monotonic
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.safestring import SafeString

from dashboard import figures
from dashboard.charts.bars import Bar, bars
from dashboard.charts.meter import meter
from dashboard.lines import Line, lines
from dashboard.queries import calls, catalogue, health, keys, ladder, mode, prices
from dashboard.queries.health import Benched
from dashboard.queries.keys import KeyRow
from dashboard.queries.order import Move, Primary, history, judged, moves, next_run, primary
from dashboard.queries.search import Sought, search
from dashboard.rungs import Ladder, drawn_ladder
from dashboard.span import Span
from dashboard.tiles import Tile, tiles
from rotation.models import Deployment, Placement, Reordering

LATEST = 8


@dataclass(frozen=True, slots=True)
class KeyLine:
    row: KeyRow
    drawn: SafeString


@dataclass(frozen=True, slots=True)
class Pulse:
    """The breakers in one pill: `mood` colours it, `words` say it."""

    mood: str
    words: str


class Overview:
    """Reads what it is asked for once; the template asks for every part."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.now = span.now
        self.simulated = mode.simulated()
        self.health = health.health(span.now)

    @cached_property
    def points(self) -> list[calls.Calls]:
        return calls.points(self.span, simulated=self.simulated)

    @cached_property
    def tiles(self) -> list[Tile]:
        return tiles(self.points, self.span, prices.yardstick())

    @cached_property
    def order(self) -> list[Placement]:
        return ladder.placements(simulated=self.simulated)

    @cached_property
    def measured(self) -> dict[int, ladder.Measured]:
        return ladder.measured(self.span, simulated=self.simulated)

    @cached_property
    def deployments(self) -> dict[int, Deployment]:
        """Every deployment the page may name, by id."""
        known = {placement.deployment_id: placement.deployment for placement in self.order}
        named = {b.scope.deployment for b in self.health.breakers if b.scope.deployment is not None}
        return known | ladder.deployments((set(self.measured) | named) - set(known))

    @cached_property
    def keys(self) -> list[KeyLine]:
        every = keys.keys(simulated=self.simulated)
        rows = keys.rows(every, keys.limits(), keys.used(self.now, simulated=self.simulated), self.health)
        return [KeyLine(row, meter_of(row)) for row in rows]

    @cached_property
    def accounts(self) -> dict[int, set[int]]:
        """Account ids by provider, of the keys that are switched on."""
        found: dict[int, set[int]] = {}
        for line in self.keys:
            if not line.row.off:
                found.setdefault(line.row.key.account.provider_id, set()).add(line.row.key.account_id)
        return found

    @cached_property
    def ladder(self) -> Ladder:
        measured = {pk: seen for pk, seen in self.measured.items() if pk in self.deployments}
        others = {pk: d for pk, d in self.deployments.items() if pk in measured}
        return drawn_ladder(ladder.ladder(self.order, measured, others), self.health, self.accounts)

    @cached_property
    def bars(self) -> list[Bar]:
        return calls.bars(self.span, simulated=self.simulated)

    @cached_property
    def chart(self) -> SafeString:
        zone = timezone.get_current_timezone()
        assert isinstance(zone, ZoneInfo)
        summary = f"Requests in {self.span.range.words}: {spoken(self.bars)}. Also as a table."
        return bars(self.bars, width=self.span.range.bar, now=self.now, zone=zone, summary=summary)

    @cached_property
    def quiet(self) -> bool:
        """Nothing was asked in this range."""
        return not any(bar.total + bar.other for bar in self.bars)

    @cached_property
    def past(self) -> list[Reordering]:
        return history(ladder.MAIN_POOL)

    @cached_property
    def primary(self) -> Primary | None:
        reachable = [place for place in self.order if place.deployment.provider_id in self.accounts]
        return primary(reachable, self.past)

    @property
    def last_change(self) -> Reordering | None:
        return self.past[0] if self.past else None

    @cached_property
    def moves(self) -> list[Move]:
        return moves(self.last_change) if self.last_change else []

    @cached_property
    def judged(self) -> int:
        return judged(self.last_change) if self.last_change else 0

    @cached_property
    def next_reorder(self) -> datetime | None:
        return next_run(self.now)

    @cached_property
    def catalogue(self) -> catalogue.Catalogue:
        return catalogue.catalogue(simulated=self.simulated)

    @cached_property
    def latest(self) -> list[Line]:
        found = search(Sought(self.simulated), size=LATEST, after=None, now=self.now, clock=monotonic)
        return lines(found.logged)

    @cached_property
    def pulse(self) -> Pulse:
        return pulse_of([b for b in self.health.breakers if self.ours(b)])

    def ours(self, benched: Benched) -> bool:
        """Whether a breaker concerns the providers that answer in this mode."""
        deployment = self.deployments.get(benched.scope.deployment or 0)
        return deployment is None or deployment.provider.simulated == self.simulated


def meter_of(row: KeyRow) -> SafeString:
    if row.fill is None:
        return meter(0, None, summary="no limit learned yet")
    return meter(row.fill.used, row.fill.limit, summary=f"{row.fill.words} used")


def spoken(series: Iterable[Bar]) -> str:
    many = list(series)
    return (
        f"{figures.count(sum(b.first_try for b in many))} answered first try, "
        f"{figures.count(sum(b.rotated for b in many))} after rotation, "
        f"{figures.count(sum(b.failed for b in many))} failed"
    )


def pulse_of(breakers: Sequence[Benched]) -> Pulse:
    opened = [b for b in breakers if b.state == "open"]
    if opened:
        return Pulse("bad", "1 breaker open" if len(opened) == 1 else f"{len(opened)} breakers open")
    if breakers:
        return Pulse("warn", "1 breaker half-open" if len(breakers) == 1 else f"{len(breakers)} breakers half-open")
    return Pulse("ok", "breakers closed")
