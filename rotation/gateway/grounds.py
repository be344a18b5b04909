"""What a call's decision rested on, as the journal keeps it: needs, policy, what was left of the quotas.

Numbers, flags and names of models only: with them the same decision can be made again later, without the call's text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from rotation.core.selection import NEVER, Candidate, Standing
from rotation.core.targets import Needs
from rotation.gateway.call import Call
from rotation.gateway.limits import Reserved
from rotation.gateway.snapshot import Route

NEEDS = tuple(field.name for field in fields(Needs))


def needs_record(needs: Needs | None) -> dict[str, Any]:
    """Every need by its name; empty for a call that was turned down before they were known."""
    return {} if needs is None else {name: getattr(needs, name) for name in NEEDS}


def policy_record(call: Call, route: Route, candidates: Sequence[Candidate]) -> dict[str, Any]:
    """Under which policy it was chosen, and from whom.

    `order` are the deployments in the order they were considered, `keyless` those of them that had no key, `models`
    the further names the client gave.
    """
    reached = {c.target.deployment.id for c in candidates}
    record: dict[str, Any] = {
        "version": route.version,
        "strategy": route.strategy,
        "order": list(dict.fromkeys((*(c.target.deployment.id for c in candidates), *route.deployments))),
    }
    if keyless := [one for one in route.deployments if one not in reached]:
        record["keyless"] = keyless
    if call.models:
        record["models"] = list(call.models)
    return record


def until_record(standing: Standing) -> dict[str, float]:
    """Until when it is out of reach, in epoch seconds, if anybody knows."""
    return {"until": standing.until} if 0 < standing.until < NEVER else {}


def quota_record(reserved: Reserved, now: float) -> list[dict[str, Any]]:
    """What was left of each limit just before this attempt took its share, in the limit's own unit."""
    return [
        {
            "axis": known.axis,
            "window": known.window,
            "limit": known.limit,
            "left": round(known.left + reservation.amounts.get((known.axis, known.window), 0.0), 3),
        }
        for quota, reservation in reserved
        for known in quota.standing(now)
    ]
