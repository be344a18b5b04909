"""How quick each deployment has been lately, and so how long to wait for it: clamp(3 x p95, floor, cap).

The floor for whole answers is higher: one in five may be five times as long as the rest and still come.

A call that has timed out before waits twice as long at the next target, and so on: an answer that is
simply long must not be cut off by every target in turn.

The same times are what the order by speed and the planning of deadlines go by (`heard`); what is long ago counts less.
"""

from __future__ import annotations

from rotation.core.expectation import Heard
from rotation.core.policy import Policy
from rotation.core.stats import Recent
from rotation.core.targets import Deployment

ENOUGH = 10  # answers, before their p95 says anything
LONG_ANSWER = 1024  # tokens: what is asked for beyond this is given time at a slow 20 tokens/s
TOKENS_PER_SECOND = 20.0
HALF_LIFE = 600.0  # seconds after which what was heard is worth half as much
NEVER = float("-inf")
FORGET = 3600.0  # seconds of silence after which it is worth nothing


class Pace:
    """Recent times in seconds per deployment: to the first content of streams, in all of whole answers."""

    def __init__(self) -> None:
        self._first: dict[int, Recent] = {}
        self._whole: dict[int, Recent] = {}
        self._at: dict[tuple[int, bool], float] = {}  # (deployment, streamed) -> when it was heard of last

    def learn(self, deployment: int, first: float | None, elapsed: float, *, now: float = 0.0) -> None:
        """`first` None means that the answer came in one piece after `elapsed` seconds."""
        kept, place = (self._whole if first is None else self._first), (deployment, first is not None)
        if now - self._at.get(place, now) > FORGET:
            del kept[deployment]
        self._at[place] = now
        kept.setdefault(deployment, Recent()).add(elapsed if first is None else first)

    def heard(self, deployment: int, *, stream: bool, now: float) -> Heard | None:
        """Times to the first content of streams, or of whole answers; None when there are none of late."""
        recent = (self._first if stream else self._whole).get(deployment)
        silent = max(now - self._at.get((deployment, stream), now), 0.0)
        if not recent or silent > FORGET:
            return None
        low, middle, high = (recent.quantile(q) or 0.0 for q in (0.05, 0.5, 0.95))
        return Heard(low, middle, high, len(recent) * 0.5 ** (silent / HALF_LIFE))

    def last(self, deployment: int) -> float:
        """When it was heard of last, in engine seconds; minus infinity for never."""
        return max(self._at.get((deployment, True), NEVER), self._at.get((deployment, False), NEVER))

    def first_content(self, deployment: Deployment, policy: Policy, timeouts: int) -> float:
        """Seconds to wait for a stream's first content; `timeouts` is how many targets have timed out in this call."""
        patience = _clamped(self._first.get(deployment.id), policy.first_content_floor, policy)
        return min(patience * 2.0**timeouts, policy.total)

    def whole(self, deployment: Deployment, policy: Policy, timeouts: int, max_output: int | None, *,
              extra: float = 0.0) -> float:  # fmt: skip
        """Seconds to wait for an answer in one piece; `extra` on top for what is known to take longer."""
        extra += max((max_output or 0) - LONG_ANSWER, 0) / TOKENS_PER_SECOND
        patience = _clamped(self._whole.get(deployment.id), policy.whole_floor, policy)
        return min((patience + extra) * 2.0**timeouts, policy.total)


def _clamped(recent: Recent | None, floor: float, policy: Policy) -> float:
    if recent is None or len(recent) < ENOUGH:
        return policy.first_content_cap
    return min(max(3.0 * (recent.p95 or 0.0), floor), policy.first_content_cap)
