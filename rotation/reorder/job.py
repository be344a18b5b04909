"""The scheduled reordering: ordered pools, judged by the last 24 hours, at most one change an hour each.

A pure function of what is stored: run twice, the second run finds nothing to do. A change under watch is looked at
first; what a person decided is respected (`calm.py`).
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from rotation.control.by import By
from rotation.core.confidence import LIKELY, SURE
from rotation.models import Door, Pool, Reordering, ReorderingState, Strategy
from rotation.models.pools import Mode
from rotation.reorder.calm import barred, must_wait
from rotation.reorder.finding import Finding, find, percent
from rotation.reorder.orders import OPEN, Changed, apply, draft, ids
from rotation.reorder.watch import ACTOR, leave, look

log = logging.getLogger("rotation.jobs")


def reorder_all(now: datetime | None = None) -> str:
    """Every pool whose strategy is its order; one line on each that moved.

    Trouble with one pool keeps nobody from the next; raises RuntimeError with all of it at the end.
    """
    moment = now or timezone.now()
    told, troubles = close_watches(moment), []
    for pool in Pool.objects.filter(strategy=Strategy.ORDERED).exclude(reordering=Mode.OFF):
        try:
            told += [f"{pool}: {words}" for words in [reorder(pool, moment)] if words]
        except Exception as error:  # whatever it is, it is this pool's
            log.exception("pool %s could not be looked at", pool)
            troubles.append(f"{pool}: {type(error).__name__}: {error}")
    if troubles:
        raise RuntimeError("; ".join([*troubles, *told]))
    return "; ".join(told) or "every order stands"


def close_watches(now: datetime) -> list[str]:
    """Ends the watch of pools that are no longer reordered by themselves: nobody would look at it again."""
    unwatched = ~Q(pool__strategy=Strategy.ORDERED) | Q(pool__reordering=Mode.OFF)
    left = Reordering.objects.filter(unwatched, state=ReorderingState.APPLIED).select_related("pool")
    return [f"{change.pool}: {words}" for change in left for words in [leave(change, now)] if words]


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
