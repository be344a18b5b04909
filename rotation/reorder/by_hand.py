"""An order that a person made, as a record like any other: before, after, who, and no evidence but their word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rotation.models import Pool, Reordering, ReorderingState
from rotation.models.pools import placements_in_order
from rotation.reorder.calm import BY_HAND
from rotation.reorder.orders import ids, over, picture


def note(pool: Pool, before: Sequence[dict[str, Any]], *, by: str, why: str, now: datetime) -> Reordering | None:
    """Record what a person has just made of an order (`before` is its `picture`); None when nobody passed anybody.

    It can be undone like any other and is not watched. What was proposed for the order before is out of date.
    """
    after = picture(placements_in_order(pool))
    stood = [place for place in before if place["deployment"] in ids(after)]
    stands = [place for place in after if place["deployment"] in ids(before)]
    if ids(stood) == ids(stands):
        return None
    moved = _moved(ids(stood), ids(stands))
    names = {place["deployment"]: place["name"] for place in after}
    moves = (
        f"{names[one]} from place {ids(stood).index(one) + 1} to {ids(stands).index(one) + 1}" for one in moved
    )  # fmt: skip
    change = Reordering(
        pool=pool, at=now, before=stood, after=stands, evidence={BY_HAND: True}, state=ReorderingState.KEPT,
        reason=f"{'; '.join(moves)}: {why}", applied_by=by[:150], applied_at=now,
    )  # fmt: skip
    over(change, now)
    change.save()
    return change


def _moved(before: Sequence[int], after: Sequence[int]) -> list[int]:
    """Who was taken from its place: the fewest whose move makes the one order of the other (the others are a longest
    common subsequence)."""
    places = [before.index(one) for one in after]
    runs: list[list[int]] = []
    for place in places:
        fitting = [run for run in runs if run[-1] < place]
        runs.append([*(max(fitting, key=len) if fitting else ()), place])
    stay = frozenset(max(runs, key=len) if runs else ())
    return [one for one, place in zip(after, places, strict=True) if place not in stay]
