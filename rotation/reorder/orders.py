"""A pool's order changed for a reason, and changed back: each in one transaction, with everything that was known.

Nobody else's change is overwritten: the pool's version is compared, and a placement that was moved since stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from rotation.core.ranking import Proposal
from rotation.core.watching import WATCH
from rotation.models import AuditEvent, Placement, Pool, Reordering, ReorderingState
from rotation.reorder.finding import Finding

OPEN = (ReorderingState.PROPOSED, ReorderingState.HELD)
STANDING = (ReorderingState.APPLIED, ReorderingState.KEPT)


class Changed(RuntimeError):
    """Somebody changed the pool in the meantime: look again."""


class NotUndone(ValueError):
    """This reordering cannot be undone; the message says why."""


def draft(finding: Finding, proposal: Proposal, now: datetime) -> Reordering:
    """The change as a record, not stored yet: before and after, evidence, confidence, reasons."""
    whys = finding.whys(proposal)
    before = picture(finding.placements)
    by_deployment = {place["deployment"]: place for place in before}
    after = [
        {
            **by_deployment[one],
            "position": position,
            "why": f"{now:%Y-%m-%d %H:%M} UTC: {whys[one]}" if one in whys else by_deployment[one]["why"],
        }
        for one, position in zip(proposal.order, rising(place["position"] for place in before), strict=True)
    ]
    moves = (f"{finding.names[m.deployment]} from place {m.before + 1} to {m.after + 1}" for m in proposal.moves)
    return Reordering(
        pool=finding.pool,
        at=now,
        before=before,
        after=after,
        evidence=finding.record(proposal),
        confidence=finding.confidence(proposal),
        reason="; ".join(f"{move}: {why}" for move, why in zip(moves, whys.values(), strict=True)),
    )


@transaction.atomic
def apply(change: Reordering, *, by: str, now: datetime, watch: bool = True) -> Reordering:
    """Gives the placements the places of the record, and stores it. Raises Changed when they stand otherwise by now."""
    _claim(change.pool)
    there = {p.deployment_id: p for p in change.pool.placements.select_for_update()}
    stood = {place["deployment"]: place["position"] for place in change.before}
    if any(one not in there or there[one].position != position for one, position in stood.items()):
        raise Changed(f"the order of pool {change.pool} was changed in the meantime")
    passed = zip(ids(change.before), ids(change.after), strict=True)
    if any(was != now and (there[was].pinned or there[now].pinned) for was, now in passed):
        raise Changed(f"a model of pool {change.pool} was pinned in the meantime")
    whys = {place["deployment"]: place["why"] for place in change.before}
    for place in change.after:
        placement = there[place["deployment"]]
        if (place["position"], place["why"]) != (stood[place["deployment"]], whys[place["deployment"]]):
            _put(placement, place["position"], place["why"])
    over(change, now)
    change.state = ReorderingState.APPLIED if watch else ReorderingState.KEPT
    change.applied_by, change.applied_at = by[:150], now
    change.watch_until = now + timedelta(seconds=WATCH) if watch else None
    change.save()
    return change


def over(change: Reordering, now: datetime) -> None:
    """What was proposed before is out of date; what was watched is not watched any more."""
    others = Reordering.objects.filter(pool=change.pool).exclude(pk=change.pk)
    others.filter(state__in=OPEN).update(state=ReorderingState.SUPERSEDED)
    others.filter(state=ReorderingState.APPLIED).update(state=ReorderingState.KEPT, watch_until=now)


def _put(placement: Placement, position: int, why: str) -> None:
    placement.position, placement.why = position, why
    placement.save(update_fields=["position", "why"])


def picture(placements: Iterable[Placement]) -> list[dict[str, Any]]:
    """An order as plain JSON."""
    return [
        {"deployment": p.deployment_id, "name": p.deployment.name, "position": p.position, "why": p.why}
        for p in placements
    ]


def rising(positions: Iterable[int]) -> list[int]:
    """The same positions, none twice: two that stood in the same place would stand in no order."""
    found: list[int] = []
    for position in positions:
        found.append(max(position, found[-1] + 1) if found else position)
    return found


def ids(order: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """The deployments of a stored order, in it."""
    return tuple(place["deployment"] for place in order)


@transaction.atomic
def undo(
    reordering: Reordering,
    by: str,
    *,
    door: str = "",
    state: ReorderingState = ReorderingState.UNDONE,
    now: datetime | None = None,
) -> Reordering:
    """Puts back what the reordering moved, but for what was moved again since. Raises NotUndone."""
    # Locks the pool as well, so that nobody can change it from here on.
    watched = reordering.watched
    reordering = Reordering.objects.select_for_update().select_related("pool").get(pk=reordering.pk)
    _undoable(reordering)
    _claim(reordering.pool)
    there = {p.deployment_id: p for p in reordering.pool.placements.select_for_update()}
    whys = {place["deployment"]: place["why"] for place in reordering.before}
    for one, position in _back(reordering, there).items():
        if there[one].position != position:
            _put(there[one], position, whys[one])
    reordering.undone_by, reordering.undone_at = by[:150], now or timezone.now()
    reordering.state, reordering.watched = state, watched
    reordering.save(update_fields=["undone_by", "undone_at", "state", "watched"])
    AuditEvent.objects.record(
        by[:150],
        "undo" if state == ReorderingState.UNDONE else "roll back",
        reordering,
        before={"order": reordering.after},
        after={"order": reordering.before},
        door=door,
    )
    return reordering


def standing(change: Reordering, positions: Mapping[int, tuple[int, int]]) -> tuple[int, ...] | None:
    """Those of a change's deployments that are still in its pool, in its order; None when they stand in another one.

    `positions` are (position, placement id) by deployment.
    """
    left = tuple(one for one in ids(change.after) if one in positions)
    return left if left == tuple(sorted(left, key=lambda one: positions[one])) else None


def _back(change: Reordering, there: Mapping[int, Placement]) -> dict[int, int]:
    """Positions to go back to. Where all stand as it put them, if in other places because somebody came or went, they
    change places among themselves; else whoever was moved since stays."""
    after = {place["deployment"]: place["position"] for place in change.after}
    before = {place["deployment"]: place["position"] for place in change.before}
    left = standing(change, {one: (p.position, p.pk) for one, p in there.items()})
    if left is not None and any(there[one].position != after[one] for one in left):
        places = rising(there[one].position for one in left)
        return dict(zip((one for one in ids(change.before) if one in there), places, strict=True))
    return {
        one: position for one, position in before.items()
        if one in there and there[one].position == after[one] != position
    }  # fmt: skip


def _undoable(reordering: Reordering) -> None:
    if reordering.undone_at:
        raise NotUndone(f"This reordering was undone already, by {reordering.undone_by or 'somebody'}.")
    if not reordering.applied_at:
        raise NotUndone("This reordering was never applied: there is nothing to undo.")
    newer = reordering.pool.reorderings.filter(applied_at__gt=reordering.applied_at, undone_at__isnull=True)
    if newer.exists():
        raise NotUndone("A newer reordering stands on this one: undo that first.")


def _claim(pool: Pool) -> None:
    """Raises the pool's version, if it still is the one we looked at."""
    if not Pool.objects.filter(pk=pool.pk, version=pool.version).update(version=F("version") + 1):
        raise Changed(f"pool {pool} was changed in the meantime")
    pool.version += 1
