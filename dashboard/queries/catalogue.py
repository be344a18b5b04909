"""What is known of the catalogue: how many models by status, what the last look at the listings changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q

from rotation.models import CatalogueChange, Deployment, DeploymentStatus, JobRun, RunState


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Counts of deployments of the present mode, and the news."""

    models: int
    free: int
    verified: int
    candidates: int
    gone: int
    looked_at: datetime | None
    changes: tuple[CatalogueChange, ...]


def catalogue(*, simulated: bool, latest: int = 3) -> Catalogue:
    """Three queries."""
    mine = Deployment.objects.filter(provider__simulated=simulated)
    counts = mine.aggregate(
        models=Count("pk", filter=~Q(status=DeploymentStatus.GONE)),
        free=Count("pk", filter=Q(free=True) & ~Q(status=DeploymentStatus.GONE)),
        verified=Count("pk", filter=Q(status=DeploymentStatus.VERIFIED)),
        candidates=Count("pk", filter=Q(status=DeploymentStatus.CANDIDATE)),
        gone=Count("pk", filter=Q(status=DeploymentStatus.GONE)),
    )
    looked = JobRun.objects.filter(job="prices", state=RunState.DONE).aggregate(at=Max("ended_at"))["at"]
    changes = CatalogueChange.objects.filter(provider__simulated=simulated).select_related("provider")
    return Catalogue(**counts, looked_at=looked, changes=tuple(changes.order_by("-at", "-id")[:latest]))
