"""What comes into health from outside its own calls: an earlier life's memory, and what a person ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rotation.core.cooldown import NO_HINT, Cooldown
from rotation.core.failures import FailureKind
from rotation.core.permits import BreakerState
from rotation.core.selection import NEVER
from rotation.gateway import breakers
from rotation.gateway.health import Health
from rotation.gateway.snapshot import Snapshot

ROUNDING = 0.001  # seconds: the database keeps moments to the microsecond


def adopt(health: Health, snapshot: Snapshot) -> None:
    """Take over what the database knows: benches as they are now; from an earlier life, what still runs."""
    health.benched = {b.scope: b for b in snapshot.blocks if b.until == NEVER}
    _end(health, health.told.keys() - {b.scope for b in snapshot.blocks})
    for block in snapshot.blocks:
        new = block.scope not in health.cooldowns and block.scope not in health.told
        if new and health.now() < block.until < NEVER:
            health.cooldowns[block.scope] = Cooldown(block.until, block.kind, block.why, 1, NO_HINT in block.why)
    health.told = {b.scope: b.until for b in snapshot.blocks}
    breakers.adopt(health, snapshot.breakers)
    health.limits.plan((t for targets in snapshot.targets.values() for t in targets), health.now())
    health.limits.adopt(snapshot.learned, health.now())
    health.uploads.adopt(snapshot.learned, snapshot.used)
    refused = {k: t for k, t in health.refusals.items() if k in snapshot.secrets}
    health.refusals = {**dict.fromkeys(_refused_before(snapshot), 0.0), **refused}


def _end(health: Health, scopes: Iterable[str]) -> None:
    """What the database told of and tells of no longer is over, unless it was set anew since."""
    for scope in scopes:
        cooldown = health.cooldowns.get(scope)
        if cooldown is not None and cooldown.until <= health.told[scope] + ROUNDING:
            lift(health, "cooldown", scope)


def _refused_before(snapshot: Snapshot) -> Iterable[int]:
    """Keys that were refused in an earlier life: so long ago that the next refusal confirms it."""
    kind = FailureKind.BAD_CREDENTIAL
    return (key for b in snapshot.blocks if b.kind is kind and b.until < NEVER and (key := _key(b.scope)))


def _key(scope: str) -> int:
    """The id in `key:12`, 0 for any other scope."""
    key = scope.removeprefix("key:")
    return int(key) if key != scope and key.isdecimal() else 0


def lift(health: Health, what: str, scope: str, more: Mapping[str, Any] | None = None) -> None:
    """A person ended a cooldown, forgot a limit or set a breaker: so it is here, from now on.

    `more` is the rest of the notice: `axis` and `window` of a limit, `state` of a breaker and `at`, when it was set.
    """
    more = more or {}
    match what:
        case "cooldown":
            health.cooldowns.pop(scope, None)
            health.refusals.pop(_key(scope), None)
        case "limit":
            health.limits.forget(scope, more.get("axis"), more.get("window"))
            health.uploads.forget(scope)
        case "breaker":
            state = breakers.STATES.get(str(more.get("state")), BreakerState.CLOSED)
            breakers.operate(health, scope, state, float(more.get("at") or 0.0))
