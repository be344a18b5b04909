"""What is proposed for a pool's order: applied, held or rejected; a change undone. Places by hand: `placements.py`."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from rotation.control.by import By
from rotation.control.fields import ChangedMeanwhile
from rotation.core.confidence import LIKELY
from rotation.models import Pool, Reordering, ReorderingState
from rotation.reorder import orders
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
