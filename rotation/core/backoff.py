"""How long to wait before trying again: each formula written once.

    before a retry      min(cap, base * factor^attempt * (1 +- jitter)): no wait is ever longer than the cap
    a breaker's rest    min(rest_cap, rest * opens) * (1 + 0..jitter)

Nothing here sleeps or rolls dice: `rand` in [0, 1) is the caller's.
"""

from __future__ import annotations

import sys

from rotation.core.policy import Policy


def delay(attempt: int, policy: Policy, rand: float) -> float:
    """Seconds to wait before retry number `attempt` (from 0; below 0 counts as 0), within [0, policy.backoff_cap]."""
    nominal = grown(attempt, base=policy.backoff_base, factor=policy.backoff_factor)
    return spread(nominal, jitter=policy.backoff_jitter, rand=rand, cap=policy.backoff_cap)


def rest(opens: int, policy: Policy, rand: float) -> float:
    """Seconds a breaker rests at its `opens`-th opening in a row (from 1): rest * opens, at most rest_cap.

    Up to `rest_jitter` of it comes on top, cap or not, so that breakers that opened together do not probe together.
    """
    nominal = min(policy.rest * max(opens, 1) if policy.rest_grows else policy.rest, policy.rest_cap)
    return max(0.0, nominal * (1 + policy.rest_jitter * rand))


def grown(attempt: int, *, base: float, factor: float) -> float:
    """base * factor^attempt, at most the largest finite float."""
    try:
        nominal = base * float(factor) ** max(attempt, 0)
    except OverflowError:
        nominal = sys.float_info.max
    return min(nominal, sys.float_info.max)


def spread(nominal: float, *, jitter: float, rand: float, cap: float) -> float:
    """`nominal` moved by up to +-`jitter` of itself (rand 0 is the lowest, 0.5 the middle), then held to [0, cap]."""
    return max(0.0, min(cap, nominal * (1 + jitter * (2 * rand - 1))))
