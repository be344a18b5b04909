"""Where each deployment stands: wanted or merely listed, verified or incompatible, gone, archived.

Where a person put it it stays; only a candidate is for finding out, and moved by what was proved since.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from rotation.core.lifecycle import Next, archived, standing
from rotation.discovery.measured import verdicts
from rotation.discovery.shrinkage import Shrinkage
from rotation.discovery.steps import Doings, days, last_of, row, words_on
from rotation.discovery.verify.suite import BASE
from rotation.discovery.wishes import choosing, wanted_by, why_not
from rotation.models import Deployment, DeploymentStatus, LifeStep, Placement, Step, Verification

COLUMNS = ("status", "status_reason")
OPEN = (DeploymentStatus.LISTED, DeploymentStatus.CANDIDATE, DeploymentStatus.VERIFIED, DeploymentStatus.INCOMPATIBLE)


def settle(now: datetime, shrinkage: Shrinkage) -> Doings:
    """Brings every status up to date with what is known; only what changes is written."""
    doings = Doings()
    moved: list[tuple[Deployment, Next]] = [*_gone(now), *_wanted(), *_proved(now, shrinkage, doings)]
    changed = [deployment for deployment, following in moved if deployment.status != _before(deployment, following)]
    if changed:
        Deployment.objects.bulk_update(changed, COLUMNS, batch_size=500)
    doings.taken = LifeStep.objects.bulk_create(row(deployment, following, now) for deployment, following in moved)
    return doings


def _before(deployment: Deployment, following: Next) -> str | None:
    return following.evidence.get("was")


def _set(deployment: Deployment, following: Next) -> tuple[Deployment, Next]:
    was = str(deployment.status)
    deployment.status, deployment.status_reason = DeploymentStatus(following.step), following.reason
    return deployment, Next(following.step, following.reason, {**following.evidence, "was": was}, following.basis)


def _gone(now: datetime) -> list[tuple[Deployment, Next]]:
    """Those a provider refused in a call have no step of it yet; those gone for a month are archived."""
    rows = list(Deployment.objects.filter(status=DeploymentStatus.GONE).select_for_update(no_key=True).order_by("pk"))
    gone, back = last_of(rows, Step.GONE), last_of(rows, Step.BACK)
    found = []
    for deployment in rows:
        since = gone.get(deployment.pk)
        if since is None or since < back.get(deployment.pk, since):
            reason = deployment.status_reason or "its provider refused it"
            found.append(_set(deployment, Next(Step.GONE, reason, {"told_by": "a call"})))
        elif over := archived(days(since, now)):
            found.append(_set(deployment, over))
    return found


def _locked(rows: QuerySet[Deployment]) -> QuerySet[Deployment]:
    """Nobody changes them until this is decided; what changed just before is seen."""
    return rows.select_related("provider").select_for_update(of=("self",), no_key=True).order_by("pk")


def _wanted() -> list[tuple[Deployment, Next]]:
    """Listed ones a pool wants by now become candidates; candidates nobody wants any more, and who stand in no pool,
    are merely listed."""
    pools = choosing()
    undecided = Deployment.objects.filter(status__in=[DeploymentStatus.LISTED, DeploymentStatus.CANDIDATE])
    placed = set(Placement.objects.values_list("deployment_id", flat=True))
    rows = list(_locked(undecided.filter(provider__enabled=True)))
    said = words_on(rows)
    found = []
    for deployment in (one for one in rows if one.pk not in said):
        names = wanted_by(deployment, pools)
        wanted = bool(names) or deployment.pk in placed
        if wanted and deployment.status == DeploymentStatus.LISTED:
            told = f"wanted by {', '.join(names)}" if names else "it stands in a pool"
            found.append(_set(deployment, Next(Step.CANDIDATE, told)))
        elif not wanted and deployment.status == DeploymentStatus.CANDIDATE and deployment.listed_at is not None:
            found.append(_set(deployment, Next(Step.LISTED, why_not(deployment, pools))))
    return found


def _proved(now: datetime, shrinkage: Shrinkage, doings: Doings) -> list[tuple[Deployment, Next]]:
    """What the last verdicts make of those who were tried."""
    tried = Deployment.objects.filter(Exists(Verification.objects.filter(deployment=OuterRef("pk"))), status__in=OPEN)
    rows = list(_locked(tried))
    said = words_on(rows)
    rows = [one for one in rows if one.pk not in said or one.status == DeploymentStatus.CANDIDATE]
    seen = verdicts([deployment.pk for deployment in rows], said)
    found = []
    for deployment in rows:
        following = standing(seen.get(deployment.pk, {}), BASE)
        if following is None or following.step == deployment.status:
            continue
        if following.step == Step.INCOMPATIBLE and (pools := shrinkage.take(deployment.pk)):
            doings.notes.append(
                f"{deployment} did not pass but is kept for now: {', '.join(pools)} would lose too many"
            )
            continue
        found.append(_set(deployment, following))
    return found
