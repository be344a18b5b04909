"""The rungs of the latency ladder: the rotation order with what was measured of each deployment, then the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from dashboard.charts.ladder import Rung
from dashboard.queries.sums import ATTEMPTS, counters, fetch, histogram
from dashboard.span import Grain, Span
from rotation.core.stats import Tier, quantile, tier
from rotation.models import Deployment, Placement, Provider

MAIN_POOL = "auto"


@dataclass(frozen=True, slots=True)
class Measured:
    """Attempts of one deployment over a span. What the caller gave up or got wrong is not counted in `tries`."""

    deployment: int
    tries: int
    ok: int
    rate_limited: int
    failed: int
    total: list[int]

    @property
    def p50(self) -> float | None:
        return quantile(self.total, 0.5)


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the ladder. `rank` is its place in the rotation, None for what answers in other pools only."""

    rank: int | None
    deployment: Deployment
    rung: Rung
    measured: Measured | None

    @property
    def tier(self) -> Tier | None:
        ms = self.rung.p50 if self.rung.p50 is not None else self.rung.seed
        return None if ms is None else tier(ms)

    @property
    def provider(self) -> Provider:
        return self.deployment.provider


@cache
def measured_sql(grains: tuple[Grain, ...]) -> str:
    columns = "at, simulated, deployment_id, attempts, cancelled, refused, ok, rate_limited, failed, total_hist"
    rows = " UNION ALL ".join(
        f"SELECT {columns} FROM {ATTEMPTS[grain]._meta.db_table} WHERE at >= %s AND at < %s AND simulated = %s"  # noqa: S608 - no input
        for grain in grains
    )
    return (
        f"SELECT deployment_id, {counters('attempts - cancelled - refused', 'ok', 'rate_limited', 'failed')}, "  # noqa: S608 - no input
        f"{histogram('total_hist')} FROM ({rows}) AS rows GROUP BY deployment_id"
    )


def measured(span: Span, *, simulated: bool) -> dict[int, Measured]:
    """One query: by deployment id. Whole days of a longer span are read as days, which is a tenth of the rows."""
    parts = span.parts()
    parameters = [value for _, start, end in parts for value in (start, end, simulated)]
    rows = fetch(measured_sql(tuple(grain for grain, _, _ in parts)), parameters)
    return {row[0]: Measured(*row) for row in rows}


def placements(*, simulated: bool) -> list[Placement]:
    """One query: the main pool's order as it is tried."""
    return list(
        Placement.objects.filter(
            pool__name=MAIN_POOL,
            enabled=True,
            deployment__provider__simulated=simulated,
            deployment__provider__enabled=True,
        )
        .select_related("deployment__provider", "pool")
        .order_by("position", "id")
    )


def deployments(ids: set[int]) -> dict[int, Deployment]:
    """One query (none for no ids): by id, with their providers."""
    return {d.pk: d for d in Deployment.objects.filter(pk__in=ids).select_related("provider")} if ids else {}


def rung_of(deployment: Deployment, seen: Measured | None) -> Rung:
    seed = deployment.seed_latency_s * 1000 if deployment.seed_latency_s else None
    if seen is None:
        return Rung(deployment.model_id, 0, 0, None, None, None, seed)
    p5, p50, p95 = (quantile(seen.total, q) for q in (0.05, 0.5, 0.95))
    return Rung(deployment.model_id, seen.tries, seen.ok, p5, p50, p95, seed)


def ladder(order: list[Placement], seen: dict[int, Measured], others: dict[int, Deployment]) -> list[Step]:
    """The rotation in its order, then what else was tried in the span, quickest first."""
    ranked = [
        Step(rank, p.deployment, rung_of(p.deployment, seen.get(p.deployment_id)), seen.get(p.deployment_id))
        for rank, p in enumerate(order, 1)
    ]
    placed = {p.deployment_id for p in order}
    rest = [Step(None, d, rung_of(d, seen.get(pk)), seen.get(pk)) for pk, d in others.items() if pk not in placed]
    slowest = float("inf")
    return ranked + sorted(rest, key=lambda s: (s.rung.p50 if s.rung.p50 is not None else slowest, s.deployment.pk))
