"""What a call's decision rested on, as the journal keeps it: needs, policy, what was left of the quotas.

Numbers, flags and names of models only: with them the same decision can be made again later, without the call's text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from rotation.core.exploration import Turn
from rotation.core.selection import NEVER, Candidate, Standing
from rotation.core.targets import Needs
from rotation.core.transcription import Audio
from rotation.gateway.audio import Listening
from rotation.gateway.call import Call
from rotation.gateway.limits import Reserved
from rotation.gateway.snapshot import Route
from rotation.gateway.task import CHAT, Task

NEEDS = tuple(field.name for field in fields(Needs))
AUDIO = tuple(field.name for field in fields(Audio))


def needs_record(needs: Needs | None, task: Task = CHAT) -> dict[str, Any]:
    """Every need by its name, those of audio as `audio_...`; empty for a call turned down before they were known."""
    if needs is None:
        return {}
    record = {name: getattr(needs, name) for name in NEEDS}
    if isinstance(task, Listening):
        record |= {f"audio_{name}": getattr(task.audio, name) for name in AUDIO}
    return record


def policy_record(
    call: Call, route: Route, candidates: Sequence[Candidate], turn: Turn | None = None
) -> dict[str, Any]:
    """Under which policy it was chosen, and from whom.

    `order` are the deployments in the order they were considered, `keyless` those of them that had no key. `models`
    are the further names the client gave, `pin` and `exclude` its wishes, `why` what the name was taken for;
    `explored` is who was asked first out of turn, and why.
    """
    reached = {c.target.deployment.id for c in candidates}
    record: dict[str, Any] = {
        "version": route.version,
        "strategy": route.strategy,
        "order": list(dict.fromkeys((*(c.target.deployment.id for c in candidates), *route.deployments))),
    }
    if keyless := [one for one in route.deployments if one not in reached]:
        record["keyless"] = keyless
    said = {"models": call.models, "pin": call.wishes.pin, "exclude": call.wishes.exclude}
    record |= {name: list(names) for name, names in said.items() if names}
    if turn is not None:
        record["explored"] = {"deployment": turn.deployment, "cause": turn.cause}
    if call.wishes.reference:
        record["client_request_id"] = call.wishes.reference
    if route.successor is not None:
        record["successor"] = route.successor[1]
    return {**record, "why": route.why} if route.why else record


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
