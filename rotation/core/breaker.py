"""The circuit breaker of one target: when to stop asking it, and how to start again.

Ask `admit` before a call and report exactly one of `record_success`, `record_failure`, `release` after it; nothing
is held in between. A permit that is never reported wedges nothing: a probe is only leased, and the lease runs out.

        consecutive failures, failure share, slow share          rest is over, a probe is leased
    CLOSED -------------------------------------------> OPEN ------------------------------------> HALF_OPEN
       ^                                                 ^------------- a probe failed --------------|
       |------------------------------- probes_to_close successes -----------------------------------|

FORCED_OPEN and DISABLED are the operator's: the first admits nothing, not even in the last resort; the second is a
breaker switched off, which admits everything and learns nothing. Both hold until `reset`.

All times are seconds of one clock that the caller chooses and that never goes back; when it is anchored to the
epoch, the state survives a restart. Results of calls admitted before the last transition are old news and change
nothing. This file knows no kinds of failure: what is countable is the caller's table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rotation.core import backoff
from rotation.core.permits import BreakerState, Permit, Refused, Transition
from rotation.core.policy import Policy
from rotation.core.tally import Tally

__all__ = ["Breaker", "BreakerState", "Permit", "Refused", "Transition"]

MINUTE = 60.0
NEVER = math.inf
#: When to look again while another call probes or slow start said no: soon, for neither lasts.
PAUSE = 1.0
#: The share of calls that slow start admits at first.
FIRST_SHARE = 0.1


#: The operator's states: no outcome moves them.
OPERATORS = (BreakerState.FORCED_OPEN, BreakerState.DISABLED)


class Breaker:
    """One target's breaker under one policy. Single-threaded; the cost of a call does not depend on the traffic."""

    __slots__ = ("_changed_at", "_epoch", "_lease", "_lease_until", "_opens", "_ramp_until", "_state", "_successes",
                 "_tally", "_until", "policy")  # fmt: skip

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._state = BreakerState.CLOSED
        self._epoch = object()  # new after every transition; by identity, so that no other breaker's permit fits
        self._changed_at = 0.0
        self._until = 0.0  # end of the rest, while open
        self._opens = 0
        self._ramp_until = -NEVER  # end of slow start, while closed
        self._successes = 0
        self._lease: Permit | None = None
        self._lease_until = 0.0
        self._tally = Tally(policy)

    def follow(self, policy: Policy) -> None:
        """Judge by another policy from now on. What was counted stays, and so does a rest that has begun."""
        self.policy = policy
        self._tally.follow(policy)

    def state(self, now: float) -> BreakerState:
        """The state as it acts at `now`: an open one whose rest is over is half-open."""
        resting = self._state is BreakerState.OPEN and now < self._until
        return BreakerState.HALF_OPEN if self._state is BreakerState.OPEN and not resting else self._state

    def opens(self, now: float) -> int:
        """Openings in a row, one forgiven for every minute spent closed since."""
        if self._state is not BreakerState.CLOSED or not self._opens:
            return self._opens
        return max(0, self._opens - int(max(now - self._changed_at, 0.0) // MINUTE))

    def ready_at(self, now: float) -> float:
        """When `admit` may next say yes: `now` when it may at once (slow start aside), infinite when forced open."""
        match self._state:
            case BreakerState.CLOSED | BreakerState.DISABLED:
                return now
            case BreakerState.FORCED_OPEN:
                return NEVER
            case BreakerState.OPEN:
                return max(now, self._until)
        leased = self._lease is not None and now < self._lease_until
        return min(self._lease_until, now + PAUSE) if leased else now

    def admit(self, now: float, rand: float, *, last_resort: bool = False) -> Permit | Refused:
        """Leave for one call.

        `rand` in [0, 1) decides in slow start (0 is always admitted) and spreads the rest, should this call open the
        breaker. `last_resort` overrules everything but an operator's forced-open: such a permit is no probe, but its
        outcome counts like one.
        """
        if self._state is BreakerState.CLOSED and now >= self._ramp_until:  # the usual case, at once
            return Permit(False, self._epoch, rand)
        refused = self._refusal(now, rand)
        if refused is not None and (not last_resort or self._state is BreakerState.FORCED_OPEN):
            return refused
        if refused is None and self._state in (BreakerState.OPEN, BreakerState.HALF_OPEN):
            return self._probe(now, rand)
        return Permit(False, self._epoch, rand)

    def record_success(self, permit: Permit, now: float, elapsed: float) -> Transition | None:
        """The call was answered after `elapsed` seconds. A slow answer may open the breaker by the slow share."""
        if not self._accept(permit):
            return None
        if self._state is not BreakerState.CLOSED:
            return self._recover(now)
        reason = self._tally.add(now, elapsed, failed=False)
        return self._open(now, permit.rand, reason) if reason else None

    def record_failure(self, permit: Permit, now: float, elapsed: float, countable: bool = True) -> Transition | None:
        """The call failed. One that is not countable (a rate limit, a caller's mistake) is as if it had not been."""
        if not countable:
            return self.release(permit, now)
        if not self._accept(permit):
            return None
        if self._state is BreakerState.OPEN:
            return None  # a last resort that failed, as was to be expected, does not lengthen the rest
        if self._state is BreakerState.HALF_OPEN:
            return self._open(now, permit.rand, "the probe failed" if permit.probe else "a last resort failed")
        reason = self._tally.add(now, elapsed, failed=True)
        return self._open(now, permit.rand, reason) if reason else None

    def release(self, permit: Permit, now: float) -> Transition | None:
        """The call says nothing about the target (cancelled, never sent): hand the permit back."""
        self._accept(permit)
        return None

    def force_open(self) -> Transition | None:
        """Admit nothing until `reset`. None when it was so already."""
        return self._operate(BreakerState.FORCED_OPEN, "forced open by an operator")

    def disable(self) -> Transition | None:
        """Switch the breaker off: admit everything until `reset`. None when it was so already."""
        return self._operate(BreakerState.DISABLED, "switched off by an operator")

    def reset(self) -> Transition | None:
        """Closed, with nothing held against the target; None when it was closed already."""
        self._opens = 0
        return self._operate(BreakerState.CLOSED, "reset by an operator")

    def to_dict(self) -> dict[str, Any]:
        """What a restart must know. The tally is not kept: it is seconds old."""
        until = self._until if self._state is BreakerState.OPEN else None
        return {"state": str(self._state), "until": until, "opens": self._opens, "changed_at": self._changed_at}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any], policy: Policy, now: float) -> Breaker:
        """The breaker as it was. What cannot be read starts closed: a lost state costs a probe, never a target.

        A half-open one starts ready to probe, for its lease died with its call. No rest is longer than the policy's
        longest, whatever was saved.
        """
        breaker = cls(policy)
        try:
            state, opens = BreakerState(saved["state"]), max(0, int(saved.get("opens") or 0))
            until, changed_at = (_finite(saved.get(name), now) for name in ("until", "changed_at"))
        except (KeyError, TypeError, ValueError, OverflowError):
            return breaker
        breaker._opens = opens
        breaker._changed_at = min(changed_at, now)
        if state is BreakerState.HALF_OPEN:
            state, until = BreakerState.OPEN, now
        breaker._state = state
        breaker._until = min(until, now + policy.rest_cap * (1 + policy.rest_jitter))
        if state is BreakerState.CLOSED and opens:
            breaker._ramp_until = breaker._changed_at + policy.slow_start
        return breaker

    def _refusal(self, now: float, rand: float) -> Refused | None:
        match self._state:
            case BreakerState.FORCED_OPEN:
                return Refused(NEVER, "forced open by an operator")
            case BreakerState.CLOSED if now < self._ramp_until and rand >= self._share(now):
                reason = f"slow start: {self._share(now):.0%} of the calls are let through"
                return Refused(now + PAUSE, reason, soft=True)
            case BreakerState.OPEN | BreakerState.HALF_OPEN as state if (ready_at := self.ready_at(now)) > now:
                return Refused(ready_at, "resting" if state is BreakerState.OPEN else "another call is probing")
        return None

    def _share(self, now: float) -> float:
        """The share that slow start admits: from a tenth to all, growing evenly."""
        left = (self._ramp_until - now) / (self.policy.slow_start or NEVER)
        return FIRST_SHARE + (1 - FIRST_SHARE) * min(max(1 - left, 0.0), 1.0)

    def _probe(self, now: float, rand: float) -> Permit:
        transition = None
        if self._state is BreakerState.OPEN:
            transition = self._become(BreakerState.HALF_OPEN, now, "the rest is over")
        self._lease = permit = Permit(True, self._epoch, rand, transition)
        self._lease_until = now + self.policy.probe_lease
        return permit

    def _accept(self, permit: Permit) -> bool:
        """Whether the permit's outcome is news; frees its lease."""
        if permit is self._lease:
            self._lease = None
        fresh = not permit.spent and permit.epoch is self._epoch and self._state is not BreakerState.DISABLED
        permit.spent = True
        return fresh

    def _recover(self, now: float) -> Transition | None:
        """One success while not closed: a probe's, or a last resort's, which shows as much."""
        successes = self._successes + 1
        if successes >= self.policy.probes_to_close:
            self._ramp_until = now + self.policy.slow_start
            return self._become(BreakerState.CLOSED, now, f"{successes} of {successes} probes answered")
        transition = None
        if self._state is BreakerState.OPEN:
            transition = self._become(BreakerState.HALF_OPEN, now, "a last resort was answered")
        self._successes = successes
        return transition

    def _open(self, now: float, rand: float, reason: str) -> Transition:
        policy = self.policy
        # Openings beyond the cap would only lengthen the way back to short rests.
        most = max(1, math.ceil(policy.rest_cap / policy.rest)) if policy.rest > 0 else 1
        self._opens = min(self.opens(now) + 1, most)
        self._until = now + backoff.rest(self._opens, policy, rand)
        return self._become(BreakerState.OPEN, now, reason)

    def _operate(self, after: BreakerState, reason: str) -> Transition | None:
        self._ramp_until = -NEVER
        if self._state is after:
            self._tally.clear()
            return None
        return self._become(after, self._changed_at, reason)

    def _become(self, after: BreakerState, now: float, reason: str) -> Transition:
        before, self._state = self._state, after
        self._epoch = object()
        self._changed_at = now
        self._lease = None
        self._successes = 0
        self._tally.clear()
        return Transition(before, after, self._until if after is BreakerState.OPEN else None, self._opens, reason)


def _finite(value: Any, otherwise: float) -> float:
    """`value` as a number, `otherwise` when it is none given or not a finite one."""
    number = otherwise if value is None else float(value)
    return number if math.isfinite(number) else otherwise
