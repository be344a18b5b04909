"""What is remembered of a failure for the next calls: one function per consequence of the failure table.

Each takes health, the permit of the failed attempt and the failure. A test walks the enum. The reason of a cooldown is
in our own words, for clients are told it; the provider's are in the notes on the key and the deployment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rotation.core import cooldown
from rotation.core.cooldown import Cooldown
from rotation.core.failures import Consequence, Failure
from rotation.core.rotation import blamed_scope

if TYPE_CHECKING:
    from rotation.gateway.health import Health
    from rotation.gateway.leave import Permit

CONFIRM_AFTER = 10.0  # seconds: two refusals closer together may be one hiccup of the provider's
SUSPECT_REST = 15.0
RECHECK = 900.0  # an invalid key is asked again every 15 minutes: no key dies for good by itself
GONE_REST = 3600.0  # the listing decides sooner; without it the model is asked again after an hour

Apply = Callable[["Health", "Permit", Failure], None]


def nothing(health: Health, permit: Permit, failure: Failure) -> None:
    """Nobody is to blame, or the breaker has counted it already."""


def cool(health: Health, permit: Permit, failure: Failure) -> None:
    """Bench the blamed scope: until the hint, else for the kind's own time."""
    existing = health.cooldowns.get(blamed_scope(failure, permit.target))
    health.cool(permit, failure, cooldown.extend(existing, failure, health.now(), health.rand(), permit.policy))


def suspect(health: Health, permit: Permit, failure: Failure) -> None:
    """A key refused once is suspect, a second time at least ten seconds later it is invalid."""
    key, now = permit.target.key.id, health.now()
    first = health.refusals.setdefault(key, now)
    proven = now - first >= CONFIRM_AFTER
    if proven or first == now:
        state = "invalid" if proven else "suspect"
        health.note({"t": "key", "at": now, "key": key, "state": state, "reason": failure.message})
    rest = RECHECK if proven else SUSPECT_REST
    health.cool(permit, failure, Cooldown(now + rest, failure.kind, failure.row.words, 1))


def spent(health: Health, permit: Permit, failure: Failure) -> None:
    """No credit: the key says so until it works again, and whoever is blamed (it or its account) rests."""
    key = permit.target.key.id
    health.spent.add(key)
    health.note({"t": "key", "at": health.now(), "key": key, "state": "exhausted", "reason": failure.message})
    cool(health, permit, failure)


def gone(health: Health, permit: Permit, failure: Failure) -> None:
    """The deployment is out until a listing shows it again, or an hour has passed without one."""
    now, deployment = health.now(), permit.target.deployment.id
    health.note({"t": "deployment", "at": now, "deployment": deployment, "status": "gone", "reason": failure.message})
    health.cool(permit, failure, Cooldown(now + GONE_REST, failure.kind, failure.row.words, 1))


def remember_lack(health: Health, permit: Permit, failure: Failure) -> None:
    """The deployment does without this feature; calls that need it go elsewhere from now on."""
    if failure.feature:
        health.note_lack(permit.target, failure.feature)


CONSEQUENCES: Mapping[Consequence, Apply] = {
    Consequence.NOTHING: nothing,
    Consequence.RELEASE: nothing,
    Consequence.COUNT: nothing,
    Consequence.COUNT_PROVIDER: nothing,
    Consequence.COOL: cool,
    Consequence.COOL_UNTIL_RESET: cool,
    Consequence.COOL_LONG: spent,
    Consequence.BENCH: cool,
    Consequence.SUSPECT: suspect,
    Consequence.GONE: gone,
    Consequence.REMEMBER_LACK: remember_lack,
}
