"""What comes into health from outside its own calls: an earlier life's memory, and what a person ended."""

from __future__ import annotations

from rotation.core.cooldown import Cooldown
from rotation.core.selection import NEVER
from rotation.gateway.health import Health
from rotation.gateway.snapshot import Snapshot


def adopt(health: Health, snapshot: Snapshot) -> None:
    """Take over what the database knows: benches as they are now; from an earlier life, what still runs."""
    health.benched = {b.scope: b for b in snapshot.blocks if b.until == NEVER}
    for block in snapshot.blocks:
        new = block.scope not in health.cooldowns and block.scope not in health.told
        if new and health.now() < block.until < NEVER:
            health.cooldowns[block.scope] = Cooldown(block.until, block.kind, block.why, 1)
    health.told = {b.scope for b in snapshot.blocks}
    health.limits.adopt(snapshot.learned, health.now())
    health.refusals = {k: t for k, t in health.refusals.items() if k in snapshot.secrets}


def lift(health: Health, what: str, scope: str) -> None:
    """A person ended a cooldown, forgot a limit or closed a breaker: so it is here, from now on."""
    match what:
        case "cooldown":
            health.cooldowns.pop(scope, None)
            health.refusals.pop(int(scope.removeprefix("key:")) if scope.startswith("key:") else 0, None)
        case "limit":
            health.limits.quotas.pop(scope, None)
        case "breaker":
            health.benched.pop(scope, None)
            health.cooldowns.pop(scope, None)
            if scope in health.breakers:
                health.moved(scope, health.breakers[scope].reset(), "")
