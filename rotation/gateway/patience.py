"""How long one attempt is waited for, what it means when that was not enough, and deadlines nobody can meet.

The rules stand in `core/deadlines`; here they meet the call, its candidates and what the gateway has heard of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rotation.core import deadlines
from rotation.core.expectation import Heard
from rotation.core.failures import Failure, FailureKind
from rotation.core.selection import NEVER, Candidate
from rotation.core.targets import Target
from rotation.gateway.call import Call
from rotation.gateway.gate import Gate
from rotation.gateway.relay import deadline_passed

# A whole answer may be much shorter than those that were heard of: only half of their quickest is called hopeless.
CAUTION_WHOLE = 0.5

Ears = Callable[[Target], Heard | None]


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: `own` is the target's usual limit, `left` the call's time. `another` could be in time after it."""

    own: float
    left: float
    heard: Heard | None = None
    another: bool = False

    @property
    def seconds(self) -> float:
        return deadlines.share(self.own, self.left, self.heard, another=self.another)

    def ended(self, what: str) -> Failure:
        """The failure of an attempt that was waited for in vain. A client's short deadline is held against nobody."""
        given = self.seconds
        if given >= self.left < self.own:
            return deadline_passed()
        if given < self.own and not deadlines.had_its_time(given, self.heard):
            words = f"no {what} within {given:.1f} s, its share of the deadline"
            return Failure(FailureKind.OUT_OF_TIME, words)
        return Failure(FailureKind.TIMED_OUT, f"no {what} within {given:.1f} s")


def ears(gate: Gate, call: Call) -> Ears | None:
    """What was heard of a target in calls of this sort; None for a call whose client named no deadline."""
    if call.wishes.seconds is None:
        return None
    now = gate.now()
    return lambda target: gate.health.pace.heard(target.deployment.id, stream=call.stream, now=now)


def out_of_reach(candidates: Iterable[Candidate], call: Call, heard: Ears | None, left: float) -> Heard | None:
    """The quickest of the candidates, when what is left of the call's time is too short even for that one."""
    if heard is None:
        return None
    caution = 1.0 if call.stream else CAUTION_WHOLE
    possible = [heard(c.target) for c in candidates if c.standing.until < NEVER]
    return deadlines.out_of_reach(possible, left, caution=caution)
