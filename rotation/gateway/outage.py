"""When nobody answers any more: who is still asked, and how seldom.

As long as somebody answers now and then, last resorts are worth their cost and a retry budget bounds them. Once every
target of a call has an open breaker and none has answered for a while, asking all of them again and again would only
prolong the outage. Then one of them is asked at a time, in turn: each once per rest, the turns spread evenly over it.
So a pool of twelve notices within a twelfth of the rest that it is over, and everybody else is told at once to come
back. The first answer ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from rotation.core.targets import Target

HOPE = 5.0  # seconds since an answer for which more are expected
LONG_AGO = float("-inf")


class Outage:
    """`tripped` are the scopes whose breaker is not closed: health's own set. Times are engine seconds."""

    def __init__(self, tripped: AbstractSet[str]) -> None:
        self._tripped = tripped
        self._answered: dict[int, float] = {}  # deployment id -> when it answered last
        self._asked: dict[int, float] = {}  # deployment id -> when it was last asked with its breaker open

    def answered(self, target: Target, now: float) -> None:
        """It works."""
        self._answered[target.deployment.id] = now

    def asked(self, target: Target, now: float) -> None:
        """It is being asked; noted where that is a probe."""
        if self._is_open(target):
            self._asked[target.deployment.id] = now

    def over(self, peers: Sequence[Target], now: float) -> bool:
        """Whether one of a call's targets may be expected to answer."""
        if not (self._tripped and peers and all(self._is_open(peer) for peer in peers)):
            return True
        return now - max(self._answered.get(peer.deployment.id, LONG_AGO) for peer in peers) < HOPE

    def turn_at(self, target: Target, peers: Sequence[Target], rest: float, now: float) -> float:
        """When this target may be asked on behalf of a call that could go to any of its peers: `now` if at once."""
        if not self._tripped or not self._is_open(target) or self.over(peers, now):
            return now
        asked = [self._asked.get(i, LONG_AGO) for i in {peer.deployment.id for peer in peers}]
        own = self._asked.get(target.deployment.id, LONG_AGO)
        return max(own + rest, max(asked) + rest / len(asked), now)

    def _is_open(self, target: Target) -> bool:
        return not self._tripped.isdisjoint(target.scopes)
