"""The scheduled reordering: ordered pools, judged by the last 24 hours, at most one change an hour each.

A pure function of what is stored: run twice, the second run finds nothing to do. What an operator undid is left alone
for as long as the measurements that led to it are still in the window.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from rotation.core.ranking import propose
from rotation.models import Placement, Pool, Strategy
from rotation.models.catalog import OUT
from rotation.models.pools import placements_in_order
from rotation.reorder import window
from rotation.reorder.orders import Changed, apply

ACTOR = "rotation"
BETWEEN = timedelta(minutes=59)  # a little less than the hour, for a schedule that is never to the second
RESPECT = timedelta(hours=window.HOURS)


def reorder_all(now: datetime | None = None) -> str:
    """Every pool whose strategy is its order; one line on each that moved."""
    moment = now or timezone.now()
    pools = Pool.objects.filter(strategy=Strategy.ORDERED)
    moved = [f"{pool}: {told}" for pool in pools for told in [reorder(pool, moment)] if told]
    return "; ".join(moved) or "every order stands"


def reorder(pool: Pool, now: datetime) -> str:
    """Reorders one pool if the evidence asks for it; the reason, or why it must wait, or "" when its order stands."""
    if wait := _must_wait(pool, now):
        return wait
    placements = [p for p in placements_in_order(pool) if _takes_part(p)]
    deployments = [placement.deployment for placement in placements]
    evidence = window.evidence(deployments, now)
    pinned = {placement.deployment_id for placement in placements if placement.pinned}
    proposal = propose([deployment.pk for deployment in deployments], evidence, pinned)
    if not proposal.moves:
        return ""
    try:
        return apply(pool, placements, proposal=proposal, evidence=evidence, by=ACTOR, now=now).reason
    except Changed as changed:
        return f"{changed}; next time"


def _takes_part(placement: Placement) -> bool:
    """What no call can reach keeps its place. Simulated and real providers are never enabled together."""
    deployment = placement.deployment
    return placement.enabled and deployment.provider.enabled and deployment.status not in OUT


def _must_wait(pool: Pool, now: datetime) -> str:
    last = pool.reorderings.filter(applied_at__isnull=False).order_by("-applied_at").first()
    if last is None or last.applied_at is None:
        return ""
    if last.undone_at and now - last.undone_at < RESPECT:
        until = last.undone_at + RESPECT
        return f"left alone until {until:%Y-%m-%d %H:%M} UTC, for {last.undone_by} undid the last change"
    return "changed within the hour" if now - last.applied_at < BETWEEN else ""
