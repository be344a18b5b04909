"""The registry as the Models page shows it: counts, and what is known of the models on one page of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, prefetch_related_objects

from dashboard.queries.sums import counters, fetch, histogram
from rotation.core.risk import Risk
from rotation.core.stats import quantile
from rotation.discovery import lives
from rotation.discovery.matrix import Cell, Row, matrix
from rotation.discovery.verify.suite import SUITE
from rotation.models import CatalogueChange, Change, DayStat, Deployment, DeploymentStatus, Provider, Verification

LATELY = timedelta(days=7)
GONE = (DeploymentStatus.GONE, DeploymentStatus.ARCHIVED)
MEASURED = (
    f"SELECT deployment_id, {counters('attempts - cancelled - refused', 'ok')}, {histogram('total_hist')} "  # noqa: S608 - no input
    f"FROM {DayStat._meta.db_table} WHERE deployment_id = ANY(%s) AND at >= %s GROUP BY deployment_id"
)


@dataclass(frozen=True, slots=True)
class Counts:
    listed: int
    free: int
    verified: int
    gone: int  # this week


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model with what was seen of it; `tries`, `ok` and `p50` (ms) are of the last seven days."""

    deployment: Deployment
    cells: Row
    risk: Risk | None
    tries: int = 0
    ok: int = 0
    p50: float | None = None

    @property
    def proved(self) -> list[Cell]:
        return [cell for cell in self.cells.values() if cell.proved]

    @property
    def verifying(self) -> bool:
        return any(cell.verdict == "queued" for cell in self.cells.values())

    @property
    def canary(self) -> float | None:
        """The largest share it gets in any pool as a canary."""
        shares = [place.canary for place in self.deployment.placements.all() if place.canary and place.enabled]
        return max(shares, default=None)


def every(*, simulated: bool) -> QuerySet[Deployment]:
    return Deployment.objects.filter(provider__simulated=simulated).select_related("provider")


def counts(now: datetime, *, simulated: bool) -> Counts:
    """Two queries."""
    known = every(simulated=simulated).aggregate(
        listed=Count("pk", filter=~Q(status__in=GONE)),
        free=Count("pk", filter=Q(free=True) & ~Q(status__in=GONE)),
        verified=Count("pk", filter=Q(status=DeploymentStatus.VERIFIED)),
    )
    went = CatalogueChange.objects.filter(provider__simulated=simulated, change=Change.VANISHED, at__gte=now - LATELY)
    return Counts(**known, gone=went.count())


def rows(deployments: Sequence[Deployment], now: datetime, known: lives.Lives) -> list[ModelRow]:
    """Three queries for any number of models."""
    prefetch_related_objects(list(deployments), "placements")
    ids = [one.pk for one in deployments]
    cells = matrix(ids)
    seen = {pk: (tries, ok, quantile(hist, 0.5)) for pk, tries, ok, hist in fetch(MEASURED, [ids, now - LATELY])}
    risks = lives.risks(known, deployments)
    return [
        ModelRow(one, cells.get(one.pk, {}), risks.get(one.pk), *seen.get(one.pk, (0, 0, None))) for one in deployments
    ]


def providers(*, simulated: bool) -> list[tuple[str, str]]:
    """(name, label) of those that have models."""
    found = Provider.objects.filter(simulated=simulated, deployments__isnull=False).distinct().order_by("label")
    return [(one.name, str(one)) for one in found]


def families(*, simulated: bool) -> list[tuple[str, str]]:
    names = every(simulated=simulated).exclude(family="").order_by("family").values_list("family", flat=True).distinct()
    return [(name, name) for name in names[:300]]


def capabilities() -> list[tuple[str, str]]:
    return [(name, one.label) for name, one in SUITE.items()]


def can(capability: str) -> Q:
    """Whose last telling verdict on a capability is good."""
    told = Verification.objects.filter(capability=capability, verdict__in=["verified", "incompatible"])
    newer = told.filter(deployment=OuterRef("deployment"), at__gt=OuterRef("at"))
    return Q(Exists(told.filter(deployment=OuterRef("pk"), verdict="verified").filter(~Exists(newer))))
