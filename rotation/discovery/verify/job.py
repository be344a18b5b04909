"""The job `verify`: a slice of what is waiting every few minutes, new candidates, and members now and then again.

By itself it asks only what costs nothing. Models that cost money, and simulated ones, are verified when somebody says
so.
"""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from rotation.discovery.verify import queue, runs
from rotation.models import Account, Deployment, DeploymentStatus, Key, Placement

SLICE = timedelta(minutes=4)  # of the five between two runs
AGAIN = timedelta(days=7)  # members are verified again after so long
AT_ONCE = 200  # models a run takes on
BY = "job verify"


def verify() -> str:
    """Starts what is due, then works for its slice."""
    told = [line for line in (_start(candidates(), "new candidates"), _start(members(), "members, once more")) if line]
    if queue.open_tasks(None).exists():
        told.append(runs.work(until=timezone.now() + SLICE))
    return "; ".join(told) or "nothing to verify"


def candidates() -> QuerySet[Deployment]:
    """Never verified, in nobody's hands yet."""
    return _askable().filter(status=DeploymentStatus.CANDIDATE, verified_at=None)


def members() -> QuerySet[Deployment]:
    """In a pool, and verified too long ago."""
    placed = Placement.objects.filter(deployment=OuterRef("pk"), enabled=True)
    return _askable().filter(Exists(placed), verified_at__lt=timezone.now() - AGAIN)


def _askable() -> QuerySet[Deployment]:
    """Of real providers with a usable key, at no cost, and not waiting to be asked already."""
    keyed = Key.objects.usable().filter(account__provider=OuterRef("provider"))
    free_plan = Account.objects.filter(provider=OuterRef("provider"), enabled=True, plan__icontains="free")
    costs_nothing = Q(free=True) | Exists(free_plan) | Q(provider__options__local=True)
    waiting = queue.open_tasks(None).filter(deployment=OuterRef("pk"))
    askable = Deployment.objects.filter(costs_nothing, Exists(keyed), ~Exists(waiting), provider__simulated=False)
    return askable.exclude(status__in=(DeploymentStatus.GONE, DeploymentStatus.ARCHIVED)).select_related("provider")


def _start(deployments: QuerySet[Deployment], about: str) -> str:
    found = list(deployments[:AT_ONCE])
    if not found:
        return ""
    try:
        run = runs.start(BY, found, about=f"{len(found)} {about}")
    except ValidationError:  # none of them is for chats
        return ""
    return f"started to verify {run.about}"
