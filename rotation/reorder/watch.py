"""An applied change is watched: kept when it holds what it promised, rolled back by itself when it does not."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from rotation.core.watching import Verdict, Watched, watched
from rotation.models import Deployment, Reordering, ReorderingState
from rotation.reorder.finding import policy_of
from rotation.reorder.orders import Changed, NotUndone, ids, standing, undo
from rotation.reorder.window import read

ACTOR = "rotation"
AT_LEAST = timedelta(minutes=59)


def look(change: Reordering, now: datetime) -> str:
    """Looks at one applied change; what was decided, in words, or "" while it goes on being watched.

    Nothing is decided here twice: a change that is no longer `applied` is left alone.
    """
    if change.state != ReorderingState.APPLIED or change.applied_at is None:
        return ""
    found = measured_since(change, now)
    if found is None:
        return _keep(change, {**change.watched, "words": "The order was changed since."}, now)
    change.watched = {**asdict(found), "words": found.words, "at": now.isoformat()}
    if found.verdict is Verdict.WORSE:
        return _roll_back(change, found, now)
    over = change.watch_until is None or change.watch_until <= now
    if over or (found.verdict is Verdict.BETTER and now - change.applied_at >= AT_LEAST):
        return _keep(change, change.watched, now)
    change.save(update_fields=["watched"])
    return ""


def measured_since(change: Reordering, now: datetime) -> Watched | None:
    """Both orders by what was measured since, of who is still there; None when the pool has another order by now."""
    rows = change.pool.placements.values_list("deployment_id", "position", "id")
    after = standing(change, {one: (position, pk) for one, position, pk in rows})
    before = tuple(one for one in ids(change.before) if after is not None and one in after)
    if after is None or before == after:
        return None
    deployments = Deployment.objects.filter(pk__in=after).select_related("provider")
    window = read(list(deployments), now, since=change.applied_at)
    known = _known_before(change)
    measured = {
        one: replace(found, prior_ms=known.get(one) or found.prior_ms) for one, found in window.measured.items()
    }
    return watched(before, after, measured, burdens=_charged(change))


def _known_before(change: Reordering) -> dict[int, float]:
    """Mean ms of an answer when the change was decided: what is believed of whoever was not asked since."""
    return {row["deployment"]: row["mean_ms"] for row in _figures(change) if row.get("mean_ms")}


def _charged(change: Reordering) -> dict[int, float]:
    """What was charged then, as long as the policy weighs anything but time."""
    policy = policy_of(change.pool)
    if not policy.cost_weight and not policy.quality_weight:
        return {}
    return {row["deployment"]: row.get("charged_ms") or 0.0 for row in _figures(change)}


def _figures(change: Reordering) -> list[dict[str, Any]]:
    evidence = change.evidence if isinstance(change.evidence, dict) else {}
    return [row for row in evidence.get("deployments", ()) if isinstance(row, dict) and "deployment" in row]


def leave(change: Reordering, now: datetime) -> str:
    """Ends a watch nobody will look at again: the change stands until a person says otherwise."""
    words = "The pool is no longer reordered by itself, so nobody watches it any more."
    return _keep(change, {**change.watched, "words": words}, now)


def _keep(change: Reordering, told: dict[str, Any], now: datetime) -> str:
    """Unless somebody else has decided on it meanwhile."""
    change.state, change.watched, change.watch_until = ReorderingState.KEPT, told, now
    still = Reordering.objects.filter(pk=change.pk, state=ReorderingState.APPLIED)
    if not still.update(state=ReorderingState.KEPT, watched=told, watch_until=now):
        return ""
    return f"the last change is kept: {told.get('words') or 'nothing speaks against it'}"


def _roll_back(change: Reordering, found: Watched, now: datetime) -> str:
    try:
        undo(change, ACTOR, door="job", state=ReorderingState.ROLLED_BACK, now=now)
    except (Changed, NotUndone) as why_not:
        return _keep(change, {**change.watched, "words": str(why_not)}, now)
    return f"rolled back, for it turned out worse: {found.words}"
