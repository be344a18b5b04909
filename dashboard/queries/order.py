"""The rotation's order: who is first and since when, what the last reordering moved, and when the next one is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django_celery_beat.models import PeriodicTask

from rotation.models import DeploymentStatus, Placement, Reordering

LOOK_BACK = 20  # reorderings; whoever has been first for longer is shown from the oldest of them
JOB = "rotation.jobs.reorder"


@dataclass(frozen=True, slots=True)
class Primary:
    placement: Placement
    since: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """One deployment's step in a reordering; places count from 1."""

    name: str
    before: int
    after: int
    why: str

    @property
    def up(self) -> bool:
        return self.after < self.before


def history(pool: str) -> list[Reordering]:
    """One query: the latest reorderings of a pool, newest first."""
    return list(Reordering.objects.filter(pool__name=pool).order_by("-at", "-id")[:LOOK_BACK])


def places(order: object) -> list[dict[str, Any]]:
    """The places of a stored order; what is none is passed over."""
    many = order if isinstance(order, list) else []
    return [place for place in many if isinstance(place, dict) and isinstance(place.get("deployment"), int)]


def first_of(order: object) -> int | None:
    stood = places(order)
    return stood[0]["deployment"] if stood else None


def primary(order: Sequence[Placement], past: Sequence[Reordering]) -> Primary | None:
    """The first that can answer, and when it took that place."""
    usable = (p for p in order if p.deployment.status not in {DeploymentStatus.GONE, DeploymentStatus.INCOMPATIBLE})
    first = next(usable, None)
    if first is None:
        return None
    since = first.deployment.created_at
    for change in past:
        if change.applied_at is None:
            continue
        became, was = (change.after, change.before) if change.undone_at is None else (change.before, change.after)
        if first_of(became) != first.deployment_id:
            break
        since = change.undone_at or change.applied_at
        if first_of(was) != first.deployment_id:
            break
    return Primary(first, since)


def moves(change: Reordering) -> list[Move]:
    """What was moved for a reason of its own, the longest way first; the others only made room."""
    before = {place["deployment"]: (n, place) for n, place in enumerate(places(change.before), 1)}
    found = []
    for n, place in enumerate(places(change.after), 1):
        stood = before.get(place["deployment"])
        if stood and stood[0] != n and place.get("why") != stood[1].get("why"):
            why = str(place.get("why", "")).partition(" UTC: ")
            found.append(Move(str(place.get("name", "")), stood[0], n, why[2] or why[0]))
    return sorted(found, key=lambda move: -abs(move.before - move.after))


def judged(change: Reordering) -> int:
    """How many attempts it was judged by."""
    evidence = change.evidence if isinstance(change.evidence, dict) else {}
    rows = evidence.get("deployments")
    counted = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return sum(int(row.get(name) or 0) for row in counted for name in ("ok", "failed", "rate_limited"))


def next_run(now: datetime) -> datetime | None:
    """One query: when the schedule names the reordering next; None when it is switched off or deleted."""
    task = (
        PeriodicTask.objects.filter(task=JOB, enabled=True)
        .select_related("crontab", "interval", "solar", "clocked")
        .first()
    )
    if task is None or (task.crontab is None and task.interval is None):
        return None
    last = now if task.crontab is not None else task.last_run_at or now
    wait: timedelta = task.schedule.remaining_estimate(last)
    return now + max(wait, timedelta(0))
