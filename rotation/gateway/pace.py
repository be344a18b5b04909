"""How quick each deployment has been lately, and so how long to wait for it: clamp(3 x p95, floor, cap).

A call that has timed out before waits twice as long at the next target, and so on: an answer that is
simply long must not be cut off by every target in turn.
"""

from __future__ import annotations

from rotation.core.policy import Policy
from rotation.core.stats import Recent
from rotation.core.targets import Deployment

ENOUGH = 10  # answers, before their p95 says anything
LONG_ANSWER = 1024  # tokens: what is asked for beyond this is given time at a slow 20 tokens/s
TOKENS_PER_SECOND = 20.0


class Pace:
    """Recent times in seconds per deployment: to the first content of streams, in all of whole answers."""

    def __init__(self) -> None:
        self._first: dict[int, Recent] = {}
        self._whole: dict[int, Recent] = {}

    def learn(self, deployment: int, first: float | None, elapsed: float) -> None:
        """`first` None means that the answer came in one piece after `elapsed` seconds."""
        kept = self._whole if first is None else self._first
        kept.setdefault(deployment, Recent()).add(elapsed if first is None else first)

    def first_content(self, deployment: Deployment, policy: Policy, timeouts: int) -> float:
        """Seconds to wait for a stream's first content; `timeouts` is how many targets have timed out in this call."""
        return min(self._clamped(self._first.get(deployment.id), policy) * 2.0**timeouts, policy.total)

    def whole(self, deployment: Deployment, policy: Policy, timeouts: int, max_output: int | None) -> float:
        """Seconds to wait for an answer in one piece."""
        extra = max((max_output or 0) - LONG_ANSWER, 0) / TOKENS_PER_SECOND
        return min((self._clamped(self._whole.get(deployment.id), policy) + extra) * 2.0**timeouts, policy.total)

    def _clamped(self, recent: Recent | None, policy: Policy) -> float:
        if recent is None or len(recent) < ENOUGH:
            return policy.first_content_cap
        return min(max(3.0 * (recent.p95 or 0.0), policy.first_content_floor), policy.first_content_cap)
