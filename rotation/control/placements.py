"""Places in a pool's order: given, moved, pinned, switched off, taken away.

`version` everywhere is the pool's as the editor saw it, so that two editors notice each other; None does not ask.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from rotation.control.by import By
from rotation.control.fields import again, put
from rotation.control.pools import held
from rotation.models import Deployment, Placement, Pool
from rotation.models.pools import LAST, placements_in_order
from rotation.reorder import by_hand
from rotation.reorder.orders import picture

FIELDS = ("pinned", "enabled", "canary", "why")
HIGHEST = 10_000


def place(
    by: By,
    pool: Pool,
    deployment: Deployment,
    *,
    position: int | None = None,
    version: int | None = None,
    **fields: Any,
) -> Placement:
    """Give a deployment a place: at a position (1 is first, the rest moves down), else at the end of the line.

    Raises ValidationError by field, ChangedMeanwhile.
    """
    with transaction.atomic():
        pool = held(pool, version)
        if pool.placements.filter(deployment=deployment).exists():
            raise ValidationError({"deployment": f"{deployment} already has a place in {pool}."})
        _check(position)
        placement = pool.place(deployment, why=str(fields.pop("why", "") or f"placed by {by.actor}"))
        _put(placement, fields)
        placement.save()
        if position is not None:
            _renumber(_moved(pool, placement, position), {placement.pk})
            placement.refresh_from_db()
        by.added(placement, "place")
    return placement


def move(by: By, placement: Placement, position: int, *, why: str = "", version: int | None = None) -> Placement:
    """Stand at a position (1 is first);
    whoever stands between moves by one. Raises ValidationError, ChangedMeanwhile."""
    _check(position)
    with by.changing(placement, "move"):
        pool = held(placement.pool, version)
        before = picture(placements_in_order(pool))
        _renumber(_moved(pool, placement, position), {placement.pk})
        put(placement, {"why": why or f"moved by {by.actor}"}, FIELDS)
        placement.save(update_fields=["why"])
        placement.refresh_from_db()
        pool.touch()
        by_hand.note(pool, before, by=by.actor, why=placement.why, now=timezone.now())
    return placement


def arrange(by: By, pool: Pool, deployments: Sequence[int], *, version: int | None = None, why: str = "") -> Pool:
    """The whole order at once: the ids of every deployment of the pool, the first one first.

    Raises ValidationError on `order`, ChangedMeanwhile.
    """
    with transaction.atomic():
        pool = held(pool, version)
        standing = {placement.deployment_id: placement for placement in placements_in_order(pool)}
        if sorted(deployments) != sorted(standing):
            raise ValidationError({"order": "Name every model of this pool once; somebody may have added one."})
        stood = picture(standing.values())
        before = [placement.deployment.name for placement in standing.values()]
        ordered = [standing[pk] for pk in deployments]
        after = [placement.deployment.name for placement in ordered]
        if before != after:
            moved = {p.pk for p, was in zip(ordered, standing.values(), strict=True) if p.pk != was.pk}
            _renumber(ordered, moved)
            Placement.objects.filter(pk__in=moved).update(why=why or f"put in order by {by.actor}")
            pool.touch()
            by_hand.note(pool, stood, by=by.actor, why=why or f"put in order by {by.actor}", now=timezone.now())
            by.turned("arrange", pool, {"order": before}, {"order": after, "why": why})
    return pool


def change(by: By, placement: Placement, *, version: int | None = None, **fields: Any) -> Placement:
    """Pinned, enabled, canary (a share 0.01 to 0.05, None for a full member), why. Raises ValidationError,
    ChangedMeanwhile."""
    with by.changing(placement):
        pool = held(placement.pool, version)
        again(placement)
        _put(placement, fields)
        placement.save()
        pool.touch()
    return placement


def pin(by: By, placement: Placement, *, pinned: bool = True) -> Placement:
    """Reordering leaves it where it stands, or may move it again."""
    return change(by, placement, pinned=pinned)


def enable(by: By, placement: Placement, *, enabled: bool = True) -> Placement:
    return change(by, placement, enabled=enabled)


def remove(by: By, placement: Placement, *, version: int | None = None) -> None:
    """The place, not the deployment. Raises ChangedMeanwhile."""
    with transaction.atomic():
        pool = held(placement.pool, version)
        by.removed(placement, "take away")
        placement.delete()
        pool.touch()


def _put(placement: Placement, fields: dict[str, Any]) -> None:
    canary = fields.get("canary")
    if canary is not None and not (isinstance(canary, int | float) and 0.01 <= canary <= 0.05):
        raise ValidationError({"canary": "A canary gets 1 to 5 % of the calls: write 0.01 to 0.05, or nothing."})
    put(placement, fields, FIELDS)


def _check(position: int | None) -> None:
    if position is not None and not 1 <= position <= HIGHEST:
        raise ValidationError({"position": f"Positions are 1 (first) to {HIGHEST}."})


def _moved(pool: Pool, placement: Placement, position: int) -> list[Placement]:
    """The pool's placements in order, with this one at its new position. Who waits at the very end stays there."""
    others = [other for other in placements_in_order(pool) if other.pk != placement.pk]
    others.insert(min(position, len(others) + 1) - 1, placement)
    return others


def _renumber(ordered: Sequence[Placement], moved: Collection[int]) -> None:
    """Positions 1, 2, 3, ...; those who wait at the end of the line (generic servers) and were not moved stay there."""
    last = len(ordered)
    while last and ordered[last - 1].position >= LAST and ordered[last - 1].pk not in moved:
        last -= 1
    for number, placement in enumerate(ordered[:last], 1):
        if placement.position != number:
            placement.position = number
            placement.save(update_fields=["position"])
