"""The rotation's order: who is first and since when, and the last time it was changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rotation.models import DeploymentStatus, Placement, Reordering

LOOK_BACK = 20  # reorderings; whoever has been first for longer is shown from the oldest of them


@dataclass(frozen=True, slots=True)
class Primary:
    placement: Placement
    since: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """One deployment's step in a reordering; places count from 1, None is "not in the order"."""

    name: str
    before: int | None
    after: int | None
    why: str

    @property
    def up(self) -> bool:
        return (self.after or 10**6) < (self.before or 10**6)


def history(pool: str) -> list[Reordering]:
    """One query: the latest reorderings of a pool, newest first."""
    return list(Reordering.objects.filter(pool__name=pool).order_by("-at", "-id")[:LOOK_BACK])


def ids(order: object) -> list[int]:
    """The deployments of a stored order; what is none is passed over."""
    many = order if isinstance(order, list) else []
    found = (item.get("deployment") if isinstance(item, dict) else item for item in many)
    return [item for item in found if isinstance(item, int)]


def primary(order: Sequence[Placement], past: Sequence[Reordering]) -> Primary | None:
    """The first that can answer, and when it took that place."""
    usable = (p for p in order if p.deployment.status not in {DeploymentStatus.GONE, DeploymentStatus.INCOMPATIBLE})
    first = next(usable, None)
    if first is None:
        return None
    since = first.deployment.created_at
    for change in past:
        if change.applied_at is None or change.undone_at is not None:
            continue
        if ids(change.after)[:1] != [first.deployment_id]:
            break
        since = change.applied_at
        if ids(change.before)[:1] != [first.deployment_id]:
            break
    return Primary(first, since)
