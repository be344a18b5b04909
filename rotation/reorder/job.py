"""The scheduled reordering: ordered pools, judged by the last 24 hours, at most one change an hour each.

A pure function of what is stored: run twice, the second run finds nothing to do. A change under watch is looked at
first; what a person decided is respected (`calm.py`).
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from rotation.control.by import By
from rotation.core.confidence import LIKELY, SURE
from rotation.models import Door, Pool, Reordering, ReorderingState, Strategy
from rotation.models.pools import Mode
from rotation.reorder.calm import barred, must_wait
from rotation.reorder.finding import Finding, find, percent
from rotation.reorder.orders import OPEN, Changed, apply, draft, ids
from rotation.reorder.watch import ACTOR, look


def reorder_all(now: datetime | None = None) -> str:
    """Every pool whose strategy is its order; one line on each that moved."""
    moment = now or timezone.now()
    pools = Pool.objects.filter(strategy=Strategy.ORDERED).exclude(reordering=Mode.OFF)
    moved = [f"{pool}: {told}" for pool in pools for told in [reorder(pool, moment)] if told]
    return "; ".join(moved) or "every order stands"


def reorder(pool: Pool, now: datetime) -> str:
    """Reorders or proposes if the evidence asks for it; what was done, or why it must wait, or "" when all stands."""
    under_watch = pool.reorderings.filter(state=ReorderingState.APPLIED).order_by("-applied_at", "-id").first()
    looked = look(under_watch, now) if under_watch is not None else ""
    wait = must_wait(pool, now)
    done = wait or decide(find(pool, now, barred=barred(pool, now)), now)
    return "; ".join(filter(None, (looked, done)))


def decide(finding: Finding, now: datetime) -> str:
    """Applies what is sure enough where the pool lets us, proposes what is likely; "" when nothing is to be done."""
    proposal = finding.proposal(SURE)
    if proposal.moves and finding.pool.reordering == Mode.AUTOMATIC:
        try:
            with transaction.atomic():
                change = apply(draft(finding, proposal, now), by=ACTOR, now=now)
                By(ACTOR, Door.JOB).turned("apply", change, {"order": change.before}, {"order": change.after})
            return change.reason
        except Changed as changed:
            return f"{changed}; next time"
    likely = finding.proposal(LIKELY)
    proposed = put_forward(draft(finding, likely, now) if likely.moves else None, finding.pool)
    if proposed is None or proposed.at != now:
        return ""
    return f"proposed ({percent(proposed.confidence or 0.0)} sure), waiting for a person: {proposed.reason}"


@transaction.atomic
def put_forward(change: Reordering | None, pool: Pool) -> Reordering | None:
    """Stores a proposal in place of those before it; the same one again is the one that waits already, or is held.

    None: the numbers ask for nothing any more, and what was proposed is out of date.
    """
    Pool.objects.select_for_update().get(pk=pool.pk)  # one proposal at a time
    waiting = list(pool.reorderings.filter(state__in=OPEN))
    same = [one for one in waiting if change is not None and ids(one.after) == ids(change.after)]
    stale = [one.pk for one in waiting if one not in same]
    Reordering.objects.filter(pk__in=stale).update(state=ReorderingState.SUPERSEDED)
    if same:
        return same[0]
    if change is not None:
        change.state = ReorderingState.PROPOSED
        change.save()
    return change
