"""A pool's order changed for a reason, and changed back: each in one transaction, with everything that was known.

Nobody else's change is overwritten: the pool's version is compared, and a placement that was moved since stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from rotation.core.ranking import Evidence, Proposal, expected_ms
from rotation.models import AuditEvent, Placement, Pool, Reordering, ReorderingState
from rotation.reorder.window import HOURS


class Changed(RuntimeError):
    """Somebody changed the pool in the meantime: look again."""


class NotUndone(ValueError):
    """This reordering cannot be undone; the message says why."""


@transaction.atomic
def apply(
    pool: Pool,
    placements: Sequence[Placement],
    *,
    proposal: Proposal,
    evidence: Mapping[int, Evidence],
    by: str,
    now: datetime,
) -> Reordering:
    """Gives the placements (in their present order) the places of the proposal. Raises Changed."""
    _claim(pool)
    by_deployment = {placement.deployment_id: placement for placement in placements}
    names = {deployment: placement.deployment.name for deployment, placement in by_deployment.items()}
    whys = {move.deployment: _named(move.why, names) for move in proposal.moves}
    before = picture(placements)
    for deployment, place in zip(proposal.order, before, strict=True):
        if deployment in whys:
            _put(by_deployment[deployment], place["position"], f"{now:%Y-%m-%d %H:%M} UTC: {whys[deployment]}")
    moves = (f"{names[m.deployment]} from place {m.before + 1} to {m.after + 1}" for m in proposal.moves)
    return Reordering.objects.create(
        pool=pool,
        at=now,
        before=before,
        after=picture(by_deployment[deployment] for deployment in proposal.order),
        evidence={"hours": HOURS, "deployments": [_figures(e, names) for e in evidence.values()]},
        reason="; ".join(f"{move}: {why}" for move, why in zip(moves, whys.values(), strict=True)),
        state=ReorderingState.APPLIED,
        applied_by=by,
        applied_at=now,
    )


def _put(placement: Placement, position: int, why: str) -> None:
    placement.position, placement.why = position, why
    placement.save(update_fields=["position", "why"])


def picture(placements: Iterable[Placement]) -> list[dict[str, Any]]:
    """An order as plain JSON."""
    return [
        {"deployment": p.deployment_id, "name": p.deployment.name, "position": p.position, "why": p.why}
        for p in placements
    ]


@transaction.atomic
def undo(reordering: Reordering, by: str) -> Reordering:
    """Puts back what the reordering moved, but for what was moved again since. Raises NotUndone."""
    # Locks the pool as well, so that nobody can change it from here on.
    reordering = Reordering.objects.select_for_update().select_related("pool").get(pk=reordering.pk)
    _undoable(reordering)
    _claim(reordering.pool)
    after = {place["deployment"]: place["position"] for place in reordering.after}
    there = {p.deployment_id: p for p in reordering.pool.placements.select_for_update()}
    for place in reordering.before:
        placement = there.get(place["deployment"])
        moved = after.get(place["deployment"]) != place["position"]
        if moved and placement is not None and placement.position == after[place["deployment"]]:
            _put(placement, place["position"], place["why"])
    reordering.undone_by, reordering.undone_at = by[:150], timezone.now()
    reordering.state = ReorderingState.UNDONE
    reordering.save(update_fields=["undone_by", "undone_at", "state"])
    AuditEvent.objects.record(
        by[:150], "undo", reordering, before={"order": reordering.after}, after={"order": reordering.before}
    )
    return reordering


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


def _named(why: str, names: Mapping[int, str]) -> str:
    """The ranking knows numbers; people know names."""
    return re.sub(r"\bdeployment (\d+)", lambda found: names.get(int(found[1]), found[0]), why)


def _figures(evidence: Evidence, names: Mapping[int, str]) -> dict[str, Any]:
    return {**asdict(evidence), "name": names.get(evidence.deployment, ""), "expected_ms": expected_ms(evidence)}
