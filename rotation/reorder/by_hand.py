"""An order that a person made, as a record like any other: before, after, who, and no evidence but their word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError

from rotation.models import Placement, Pool, Reordering
from rotation.reorder.calm import BY_HAND
from rotation.reorder.orders import picture, rising


def whole(placements: Sequence[Placement], deployments: Sequence[int]) -> list[int]:
    """The ids as given, if they are the pool's, each once. Raises ValidationError on `order`."""
    wanted = [one for one in deployments if type(one) is int]
    there = {placement.deployment_id: placement.deployment.name for placement in placements}
    unknown = [one for one in wanted if one not in there]
    if unknown or len(wanted) != len(deployments):
        raise ValidationError({"order": "The order names a deployment that has no place in this pool."})
    if len(set(wanted)) != len(wanted):
        raise ValidationError({"order": "The order names a deployment twice."})
    missing = [name for one, name in there.items() if one not in wanted]
    if missing:
        raise ValidationError({"order": f"The order must name every place of the pool; missing: {', '.join(missing)}."})
    return wanted


def arranged(
    pool: Pool, placements: Sequence[Placement], wanted: Sequence[int], *, by: str, now: datetime, reason: str = ""
) -> Reordering:
    """The record of it, not stored yet. Whoever moved says by whom it was put there."""
    before = picture(placements)
    known = {place["deployment"]: place for place in before}
    stood = [place["deployment"] for place in before]
    told = reason or f"placed by {by}"
    moved = set(_moved(stood, list(wanted)))
    after = [
        {**known[one], "position": position,
         "why": f"{now:%Y-%m-%d %H:%M} UTC: {told}" if one in moved else known[one]["why"]}
        for one, position in zip(wanted, rising(place["position"] for place in before), strict=True)
    ]  # fmt: skip
    moves = (
        f"{known[one]['name']} from place {stood.index(one) + 1} to {place}"
        for place, one in enumerate(wanted, 1) if one in moved
    )  # fmt: skip
    words = f"{'; '.join(moves)}: {told}"
    return Reordering(pool=pool, at=now, before=before, after=after, evidence={BY_HAND: True}, reason=words)


def _moved(before: Sequence[int], after: Sequence[int]) -> list[int]:
    """Who was taken from its place: the fewest whose move makes the one order of the other (what is left is a longest
    common subsequence)."""
    places = [before.index(one) for one in after]
    longest: list[list[int]] = []
    for place in places:
        fitting = [run for run in longest if run[-1] < place]
        best = max(fitting, key=len) if fitting else []
        longest.append([*best, place])
    stay = set(max(longest, key=len)) if longest else set()
    return [one for one, place in zip(after, places, strict=True) if place not in stay]
