"""What comes into health from outside its own calls: an earlier life's memory, and what a person ended."""

from __future__ import annotations

from collections.abc import Iterable

from rotation.core.cooldown import NO_HINT, Cooldown
from rotation.core.failures import FailureKind
from rotation.core.selection import NEVER
from rotation.gateway.health import Health
from rotation.gateway.snapshot import Block, Snapshot

ROUNDING = 0.001  # seconds: the database keeps moments to the microsecond


def adopt(health: Health, snapshot: Snapshot) -> None:
    """Take over what the database knows: benches as they are now; from an earlier life, what still runs."""
    health.benched = {b.scope: b for b in snapshot.blocks if b.until == NEVER}
    _end(health, health.told.keys() - {b.scope for b in snapshot.blocks})
    for block in snapshot.blocks:
        new = block.scope not in health.cooldowns and block.scope not in health.told
        ours = block.kind is FailureKind.OVERLOADED and block.scope in health.breakers  # it knows better than its row
        if new and not ours and health.now() < block.until < NEVER:
            health.cooldowns[block.scope] = Cooldown(block.until, block.kind, block.why, 1, _guessed(block))
    health.told = {b.scope: b.until for b in snapshot.blocks}
    health.limits.plan((t for targets in snapshot.targets.values() for t in targets), health.now())
    health.limits.adopt(snapshot.learned, health.now())
    health.uploads.adopt(snapshot.learned, snapshot.used)
    refused = {k: t for k, t in health.refusals.items() if k in snapshot.secrets}
    health.refusals = {**dict.fromkeys(_refused_before(snapshot), 0.0), **refused}


def _guessed(block: Block) -> bool:
    """Whether only our own judgement stood behind it: a breaker's rest, a cooldown nobody named the end of."""
    return block.kind is FailureKind.OVERLOADED or NO_HINT in block.why


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


def lift(health: Health, what: str, scope: str) -> None:
    """A person ended a cooldown, forgot a limit or closed a breaker: so it is here, from now on."""
    match what:
        case "cooldown":
            health.cooldowns.pop(scope, None)
            health.refusals.pop(_key(scope), None)
        case "limit":
            health.limits.quotas.pop(scope, None)
            health.uploads.forget(scope)
        case "breaker":
            health.benched.pop(scope, None)
            health.cooldowns.pop(scope, None)
            if scope in health.breakers:
                health.moved(scope, health.breakers[scope].reset(), "")
