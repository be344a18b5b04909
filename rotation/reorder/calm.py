"""When a pool is left alone, and which of its pairs: an order that is never at rest is of no use to anybody.

What a person undid, rejected, held or placed by hand is respected for a day: for as long as the measurements that led
to it are in the window. So is what was rolled back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rotation.core.evidence import HOURS
from rotation.core.ranking import Pair, inversions
from rotation.models import Pool, Reordering, ReorderingState
from rotation.reorder.orders import ids

BETWEEN = timedelta(minutes=59)  # a little less than the hour, for a schedule that is never to the second
RESPECT = timedelta(hours=HOURS)
BY_HAND = "by_hand"  # in the evidence of an order that was made by a person


def must_wait(pool: Pool, now: datetime) -> str:
    """Why nothing is changed in this pool now; "" when it may be."""
    held = pool.reorderings.filter(state=ReorderingState.HELD, decided_at__gt=now - RESPECT).first()
    if held is not None and held.decided_at is not None:
        return f"held by {held.decided_by} until {held.decided_at + RESPECT:%Y-%m-%d %H:%M} UTC"
    last = pool.reorderings.filter(applied_at__isnull=False).order_by("-applied_at").first()
    if last is None or last.applied_at is None:
        return ""
    if last.state == ReorderingState.UNDONE and last.undone_at and now - last.undone_at < RESPECT:
        until = last.undone_at + RESPECT
        return f"left alone until {until:%Y-%m-%d %H:%M} UTC, for {last.undone_by} undid the last change"
    if now - max(last.applied_at, last.undone_at or last.applied_at) < BETWEEN:
        return "changed within the hour"
    if last.state == ReorderingState.APPLIED and last.watch_until and last.watch_until > now:
        return f"the last change is watched until {last.watch_until:%Y-%m-%d %H:%M} UTC"
    return ""


def barred(pool: Pool, now: datetime) -> frozenset[Pair]:
    """Pairs (above, below) that stay as they are: the one below has been tried above, or was put below, of late."""
    recent = now - RESPECT
    refused = pool.reorderings.filter(state=ReorderingState.REJECTED, decided_at__gt=recent)
    taken_back = pool.reorderings.filter(state=ReorderingState.ROLLED_BACK, undone_at__gt=recent)
    by_hand = pool.reorderings.filter(applied_at__gt=recent, undone_at__isnull=True, evidence__has_key=BY_HAND)
    found: set[Pair] = set()
    for change in [*refused, *taken_back]:
        found.update(_swapped(change))
    for change in by_hand:
        found.update((below, above) for above, below in _swapped(change))
    return frozenset(found)


def _swapped(change: Reordering) -> tuple[Pair, ...]:
    return inversions(ids(change.before), ids(change.after))
