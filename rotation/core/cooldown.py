"""Until when a scope of blame is left alone after a refusal (429, no credit, no permission).

A later, shorter hint never shortens a cooldown. Nothing here knows where cooldowns are kept, and failures that
count for a breaker do not come here. `now` and `until` are wall-clock epoch seconds: they are stored and shared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rotation.core import backoff
from rotation.core.failures import Consequence, Failure, FailureKind
from rotation.core.policy import Policy

DAY = 86_400.0
LONG = 3_600.0
#: A refusal this long after the last cooldown ended starts a new series instead of doubling the old wait.
FORGET = 600.0

#: How a reason says that nobody named the end; a reason is all that is stored of it.
NO_HINT = "no hint"

COOLING = frozenset({Consequence.COOL, Consequence.COOL_UNTIL_RESET, Consequence.COOL_LONG, Consequence.BENCH})


@dataclass(frozen=True, slots=True)
class Cooldown:
    """`count` is the number of refusals in a row; failures while the cooldown runs belong to the same refusal.

    `guessed`: nobody named the moment, it is our own formula's; as a last resort it may be tried before.
    """

    until: float
    kind: FailureKind
    reason: str
    count: int
    guessed: bool = False


def cools(failure: Failure) -> bool:
    """Whether the table asks for a cooldown of the blamed scope."""
    return failure.row.consequence in COOLING


def extend(existing: Cooldown | None, failure: Failure, now: float, rand: float, policy: Policy) -> Cooldown:
    """The cooldown after `failure`: never earlier than `existing`, never more than 24 h from now.

    The provider's hint wins; without one it is an hour, the next midnight UTC or base * factor^n seconds (+- jitter,
    at most an hour), as the failure's consequence says. A consequence that asks for no cooldown is treated as COOL.
    """
    count = _count(existing, now)
    wait, why, guessed = _wait(failure, now, count, rand, policy)
    until = now + min(max(wait, 0.0), DAY)
    fresh = Cooldown(until, failure.kind, f"{failure.row.words}; {why}", count, guessed)
    return later(existing, fresh, now)


def later(existing: Cooldown | None, fresh: Cooldown, now: float) -> Cooldown:
    """The one that ends later, with the newer count."""
    if existing is None or existing.until < fresh.until:
        return fresh
    # A clock that was set back must not freeze a scope, hence the day also here.
    return Cooldown(min(existing.until, now + DAY), existing.kind, existing.reason, fresh.count, existing.guessed)


def _count(existing: Cooldown | None, now: float) -> int:
    if existing is None or now - existing.until > FORGET:
        return 1
    # Twenty calls in flight that come back with 429 together are one refusal, not twenty doublings.
    return existing.count if now < existing.until else existing.count + 1


def _wait(failure: Failure, now: float, count: int, rand: float, policy: Policy) -> tuple[float, str, bool]:
    hint = failure.retry_after
    if hint is not None and not math.isnan(hint) and hint > 0:
        return hint, f"the provider asked for {min(hint, DAY):.3g} s", False
    match failure.row.consequence:
        case Consequence.COOL_UNTIL_RESET:
            return DAY - now % DAY, "until midnight UTC", False
        case Consequence.COOL_LONG | Consequence.BENCH:
            return LONG, "for an hour", False
    nominal = backoff.grown(count - 1, base=policy.backoff_base, factor=policy.backoff_factor)
    wait = backoff.spread(nominal, jitter=policy.backoff_jitter, rand=rand, cap=LONG)
    return wait, f"{NO_HINT}, {count} in a row", True
