"""A pool's order: what is proposed applied, held or rejected, a change undone, places given by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from rotation.control.by import By
from rotation.control.fields import ChangedMeanwhile
from rotation.core.confidence import LIKELY
from rotation.models import Deployment, Placement, Pool, Reordering, ReorderingState
from rotation.models.pools import placements_in_order
from rotation.reorder import orders
from rotation.reorder.by_hand import arranged, whole
from rotation.reorder.calm import barred
from rotation.reorder.finding import find
from rotation.reorder.job import put_forward

DECIDABLE = (ReorderingState.PROPOSED, ReorderingState.HELD)


def apply(by: By, reordering: Reordering) -> Reordering:
    """Make a proposed order the pool's; it is watched, and rolled back when it turns out worse.

    Raises ValidationError (on `state`) when it is not open any more or the pool has another order by now.
    """
    with transaction.atomic():
        change = _open(reordering)
        with by.changing(change, "apply"):
            change.decided_by, change.decided_at = by.actor[:150], timezone.now()
            try:
                orders.apply(change, by=by.actor, now=timezone.now())
            except orders.Changed:
                raise ValidationError(
                    {"state": "The pool's order was changed since this was proposed. Ask for a new proposal."}
                ) from None
    return change


def hold(by: By, reordering: Reordering) -> Reordering:
    """Wait with it: for a day nothing else is changed in its pool either. Raises ValidationError on `state`."""
    return _decide(by, reordering, ReorderingState.HELD, "hold")


def reject(by: By, reordering: Reordering) -> Reordering:
    """Do not make this change, nor propose its swaps again within a day. Raises ValidationError on `state`."""
    return _decide(by, reordering, ReorderingState.REJECTED, "reject")


def undo(by: By, reordering: Reordering) -> Reordering:
    """Put back what it moved, but for what was moved since; the pool is left alone for a day.

    Raises ValidationError on `state`, with the reason.
    """
    try:
        return orders.undo(reordering, by.actor, door=by.door)
    except orders.NotUndone as why_not:
        raise ValidationError({"state": str(why_not)}) from None
    except orders.Changed:
        raise ChangedMeanwhile("state") from None


def propose_now(by: By, pool: Pool) -> Reordering | None:
    """Look at the evidence now and put what is likely before a person, in whatever mode; None: the order stands.

    What is proposed already stays the same record. Nothing is applied.
    """
    pool.refresh_from_db()
    now = timezone.now()
    finding = find(pool, now, barred=barred(pool, now))
    proposal = finding.proposal(LIKELY)
    change = put_forward(orders.draft(finding, proposal, now) if proposal.moves else None, pool)
    by.noted("propose", pool, found=change.reason if change else "the order stands")
    return change


def arrange(
    by: By, pool: Pool, deployments: Sequence[int], *, version: int | None = None, reason: str = ""
) -> Reordering | None:
    """Put a pool in this order of deployment ids: all of its places, each once. None when it is that already.

    `version` is the pool's as whoever arranges it saw it. Recorded as a change that can be undone; what it swapped is
    left so for a day. Raises ValidationError on `order`, `ChangedMeanwhile` on `version`.
    """
    with transaction.atomic():
        locked = Pool.objects.select_for_update().get(pk=pool.pk)
        if version is not None and version != locked.version:
            raise ChangedMeanwhile
        placements = list(placements_in_order(locked))
        wanted = whole(placements, deployments)
        if [p.deployment_id for p in placements] == wanted:
            return None
        change = arranged(locked, placements, wanted, by=by.actor, now=timezone.now(), reason=reason)
        orders.apply(change, by=by.actor, now=change.at, watch=False)
        by.added(change, "arrange")
    pool.refresh_from_db()
    return change


def move(by: By, placement: Placement, place: int, *, version: int | None = None) -> Reordering | None:
    """Put one deployment at a place (from 1) of its pool. Raises as `arrange` does, and on `place`."""
    ids = [p.deployment_id for p in placements_in_order(placement.pool)]
    if type(place) is not int or not 1 <= place <= len(ids):
        raise ValidationError({"place": f"Write a whole number from 1 to {len(ids)}."})
    ids.remove(placement.deployment_id)
    ids.insert(place - 1, placement.deployment_id)
    return arrange(by, placement.pool, ids, version=version)


def pin(by: By, placement: Placement, pinned: bool) -> Placement:
    """Whether reordering leaves it where it stands."""
    return _set(by, placement, "pin" if pinned else "unpin", pinned=pinned)


def enable(by: By, placement: Placement, enabled: bool) -> Placement:
    """Whether calls of this pool go there."""
    return _set(by, placement, "enable" if enabled else "disable", enabled=enabled)


def place(by: By, pool: Pool, deployment: Deployment, *, position: int | None = None, why: str = "") -> Placement:
    """Give a deployment a place in a pool: by default the end of the line. Raises ValidationError on `deployment`
    when it has one, and on `position`."""
    if position is not None and (type(position) is not int or not 0 <= position < 2**31):
        raise ValidationError({"position": "Write a whole number from 0."})
    with transaction.atomic():
        Pool.objects.select_for_update().get(pk=pool.pk)
        if pool.placements.filter(deployment=deployment).exists():
            raise ValidationError({"deployment": "This deployment already has a place in the pool."})
        placement = pool.place(deployment, position=position, why=why or f"Placed by {by.actor}.")
        by.added(placement, "place")
    return placement


def remove(by: By, placement: Placement) -> None:
    """Take a deployment out of a pool."""
    with transaction.atomic():
        by.removed(placement, "remove from pool")
        pool = placement.pool
        placement.delete()
        pool.touch()


def _set(by: By, placement: Placement, action: str, **values: Any) -> Placement:
    with by.changing(placement, action):
        for name, value in values.items():
            setattr(placement, name, bool(value))
        placement.save(update_fields=list(values))
        placement.pool.touch()
    return placement


def _decide(by: By, reordering: Reordering, state: ReorderingState, action: str) -> Reordering:
    with transaction.atomic():
        change = _open(reordering)
        with by.changing(change, action):
            change.state, change.decided_by, change.decided_at = state, by.actor[:150], timezone.now()
            change.save(update_fields=["state", "decided_by", "decided_at"])
    return change


def _open(reordering: Reordering) -> Reordering:
    """The record, locked, if it still waits for a word. Raises ValidationError on `state`."""
    change = Reordering.objects.select_for_update(of=("self",)).select_related("pool").get(pk=reordering.pk)
    if change.state not in DECIDABLE:
        raise ValidationError({"state": f"This change is not open any more: it is {change.standing}."})
    return change
