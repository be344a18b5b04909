"""The retry budget: second tries and last resorts may be a share of a deployment's requests, plus a trickle.

20 % of its requests + 1/s by default (Finagle's formula, DESIGN numbers in `core/policy.py`); a policy without
`retry_share` has no budget and is never refused.
"""

from __future__ import annotations

from rotation.core.policy import Policy

MOST = 10.0  # tokens: what may be saved up for a bad moment


class RetryBudget:
    """Tokens per deployment id; `now` is seconds on any steady clock."""

    def __init__(self) -> None:
        self._tokens: dict[int, tuple[float, float]] = {}

    def earn(self, deployment: int, policy: Policy, now: float) -> None:
        """A first try was made: it pays for a share of a later second one."""
        if policy.retry_share is not None:
            self._tokens[deployment] = (min(self._left(deployment, policy, now) + policy.retry_share, MOST), now)

    def take(self, deployment: int, policy: Policy, now: float) -> bool:
        """Leave for one try out of turn."""
        if policy.retry_share is None:
            return True
        left = self._left(deployment, policy, now)
        if left < 1.0:
            return False
        self._tokens[deployment] = (left - 1.0, now)
        return True

    def _left(self, deployment: int, policy: Policy, now: float) -> float:
        tokens, at = self._tokens.get(deployment, (MOST, now))
        return min(tokens + (now - at) * policy.retry_per_second, MOST)
