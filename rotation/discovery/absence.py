"""Models a believable listing does not name: noticed the first time, gone the second, unless a pool would suffer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from rotation.discovery.shrinkage import Shrinkage
from rotation.models import (
    AuditEvent,
    Deployment,
    DeploymentStatus,
    DiscoveryRun,
    Door,
    HourStat,
    RunState,
    Verdict,
    Verification,
)

LOOKS = 2  # believable ones in a row without it
ANSWERED = timedelta(days=7)
NAMED = 3  # names in a note; of more their number is told


class Absences:
    """What follows from the absence of these models: `noticed` ones (a column of the record changed), `gone` ones."""

    def __init__(self, run: DiscoveryRun, missing: Sequence[Deployment], now: datetime, shrinkage: Shrinkage) -> None:
        self.noticed: list[Deployment] = []
        self.gone: list[Deployment] = []
        self.notes: list[str] = []
        kept = _served_unlisted([one for one in missing if one.listed_at is None], now)
        held: dict[str, list[str]] = {}
        first: list[str] = []
        for deployment in (one for one in missing if one.pk not in kept):
            if deployment.missed + 1 < LOOKS:
                self._notice(run, deployment)
                first.append(deployment.model_id)
            elif pools := shrinkage.take(deployment.pk):
                self._count(deployment)
                held.setdefault(", ".join(pools), []).append(deployment.model_id)
            else:
                self._lose(deployment)
        self._explain(first, held)

    def _notice(self, run: DiscoveryRun, deployment: Deployment) -> None:
        """`listed_at` is exact from here on: the last look that named it."""
        deployment.missed += 1
        if deployment.listed_at is not None:
            looks = DiscoveryRun.objects.filter(provider=run.provider, state=RunState.DONE).exclude(pk=run.pk)
            last = looks.values_list("started_at", flat=True).first()
            deployment.listed_at = max(deployment.listed_at, last) if last else deployment.listed_at
        self.noticed.append(deployment)

    def _count(self, deployment: Deployment) -> None:
        if deployment.missed < LOOKS:
            deployment.missed = LOOKS
            self.noticed.append(deployment)

    def _lose(self, deployment: Deployment) -> None:
        deployment.missed = max(deployment.missed + 1, LOOKS)
        seen = f"last seen {deployment.listed_at:%Y-%m-%d %H:%M} UTC" if deployment.listed_at else "never listed"
        deployment.status = DeploymentStatus.GONE
        deployment.status_reason = f"not in {LOOKS} listings in a row, {seen}"
        self.gone.append(deployment)
        self.noticed.append(deployment)

    def _explain(self, first: list[str], held: dict[str, list[str]]) -> None:
        if first:
            self.notes.append(f"{_some(first)} not listed this time; gone if the next listing agrees")
        for pools, names in held.items():
            self.notes.append(
                f"{_some(names)} not listed any more, but kept for now: "
                f"{pools} would lose more than half of its members in one run"
            )


def _some(names: list[str]) -> str:
    named = ", ".join(names[:NAMED])
    return f"{named} and {len(names) - NAMED} more are" if len(names) > NAMED else f"{named} {_be(names)}"


def _be(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _served_unlisted(never: Sequence[Deployment], now: datetime) -> set[int]:
    """Some models are served without standing in any listing: those that answered, and those a person added."""
    ids = [deployment.pk for deployment in never]
    if not ids:
        return set()
    answering = HourStat.objects.filter(deployment_id__in=ids, at__gte=now - ANSWERED, ok__gt=0)
    proved = Verification.objects.filter(deployment_id__in=ids, at__gte=now - ANSWERED, verdict=Verdict.VERIFIED)
    added = AuditEvent.objects.filter(object_type="deployment", action="add", object_id__in=map(str, ids))
    by_people = {int(pk) for pk in added.exclude(door=Door.JOB).values_list("object_id", flat=True)}
    answered = answering.values_list("deployment_id", flat=True).union(proved.values_list("deployment_id", flat=True))
    return by_people | set(answered)
