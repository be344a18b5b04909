"""The heart: what next?

`Rotation.next(now)` answers `Try(target) | Wait(seconds) | GiveUp(...)` and nothing else happens here: no I/O, no
clock. The caller asks permission, sends, and tells what came of it: `refused` or `failed`. One object, one call.

Rules, in order:
- a failure puts its scope of blame out of reach for the rest of this call, or until it may be tried again;
- another target is tried at once, in the pool's order; then the resting ones, soonest recovery first;
- a wait happens only when nothing can be tried, never past the deadline or the policy's patience
  (a wait one cannot finish is not begun);
- nothing is tried more often than the policy allows, so a call always ends;
- where the client named a deadline, whoever is likely to answer before it goes before whoever is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rotation.core.backoff import delay
from rotation.core.blame import SCOPE_OF, blamed_scope
from rotation.core.deadlines import first_in_time, fits
from rotation.core.expectation import Heard
from rotation.core.failures import Consequence, Failure, FailureKind, Rotate
from rotation.core.policy import Policy
from rotation.core.selection import NEVER, Candidate
from rotation.core.targets import Target, deployment_scope
from rotation.core.turns import GiveUp, Try, Wait

__all__ = ["SCOPE_OF", "GiveUp", "Rotation", "Try", "Wait", "blamed_scope"]

MAX_PASSES = 5  # the five sleeps of the seed design: 1, 2, 4, 8, 16 s
BREATH = 0.01  # a floor for waits, so that a clock's rounding never spins

# What comes back by itself within a call's patience; everything else is out for the rest of the call.
COMES_BACK = {Consequence.COOL, Consequence.COUNT, Consequence.COUNT_PROVIDER}


class Rotation:
    """One call's way through its candidates. Times are seconds on one steady clock of the caller's.

    `heard` tells what was heard of a target lately; it is given where the client named a deadline of its own.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        policy: Policy,
        *,
        now: float,
        deadline: float,
        rand: Callable[[], float],
        heard: Callable[[Target], Heard | None] | None = None,
    ) -> None:
        self.candidates = candidates
        self.policy = policy
        self.failures: list[tuple[Target, Failure]] = []
        self.attempts = 0
        self._deadline = deadline
        self._patience_ends = now + policy.patience
        self._rand = rand
        self._heard = heard
        self._until = {c.target.id: c.standing.until for c in candidates}
        self._visits: dict[tuple[int, int], int] = {}
        self._out: dict[str, float] = {}
        self._back: dict[str, float] = {}  # when a scope is let in again, though perhaps not for this call
        self._passes = 0
        self._final: Failure | None = None
        self._refused: set[tuple[int, int]] = set()
        self._spare: set[tuple[int, int]] = set()
        self._same: Target | None = None
        self._pause = 0.0

    def next(self, now: float) -> Try | Wait | GiveUp:
        """What to do now. Call it again after every `refused`, `failed` and finished wait."""
        if self._final or now >= self._deadline or self.attempts >= self.policy.max_attempts:
            return self.give_up(now)
        if self._pause:
            pause, self._pause = self._pause, 0.0
            return Wait(pause) if now + pause < self._deadline else self.give_up(now)
        found = self._once_more(now) or self._ready(now) or self._last_resort(now)
        return self._try(found, now) if found else self._wait(now)

    def refused(self, target: Target, until: float, now: float, *, soft: bool = False) -> None:
        """Health did not admit the target; it may be asked again at `until`. Costs no attempt.

        `soft`: others are to be preferred, that is all; it is asked again as a last resort.
        """
        self.attempts -= 1
        self._visits[target.id] -= 1
        (self._spare if soft and target.id not in self._spare else self._refused).add(target.id)
        self._until[target.id] = max(until, now + BREATH)

    def failed(self, target: Target, failure: Failure, now: float, until: float | None = None) -> None:
        """The attempt failed; `until` is when health lets the blamed scope in again, if it said so."""
        self.failures.append((target, failure))
        if failure.kind is FailureKind.UNREACHABLE:
            self.attempts -= 1  # nothing was sent: it costs no attempt (but its provider is out of reach)
        if self.policy.sleep_before_retry:
            self._pause = delay(len(self.failures) - 1, self.policy, self._rand())
        match failure.row.rotate:
            case Rotate.NO | Rotate.TOO_LATE:
                self._final = failure
            case Rotate.SAME_ONCE if self._visits[target.id] == 1:
                self._same = target
            case Rotate.LARGER_WINDOW:
                self._out_smaller(target)
            case _:
                self._rotate(target, failure, now, until)

    def _rotate(self, target: Target, failure: Failure, now: float, until: float | None) -> None:
        if self._visits[target.id] < self.policy.rotate_after and failure.row.consequence is Consequence.COUNT:
            self._same = target
            return
        back = NEVER
        if failure.row.consequence in COMES_BACK:
            back = max(until or 0.0, now + self._pause + delay(self._passes, self.policy, self._rand()))
        scope = blamed_scope(failure, target)
        if failure.row.consequence is Consequence.RELEASE:  # out for this call only
            until = now
        self._out[scope] = back
        if until is not None:
            self._back[scope] = until

    def _out_smaller(self, target: Target) -> None:
        """The prompt did not fit: neither will it fit where the known window is no larger."""
        limit = target.deployment.context
        for candidate in self.candidates:
            other = candidate.target.deployment
            if other.id == target.deployment.id or (limit and other.context and other.context <= limit):
                self._out[deployment_scope(candidate.target)] = NEVER

    def _free_at(self, candidate: Candidate) -> float:
        """When this candidate may be tried, whatever its breaker says: the latest of its scopes' times."""
        target = candidate.target
        times = [self._out[s] for s in target.scopes if s in self._out] if self._out else []
        return max(times, default=0.0)

    def _try(self, found: Candidate, now: float) -> Try:
        self.attempts += 1
        visits = self._visits.get(found.target.id, 0)
        self._visits[found.target.id] = visits + 1
        early = self._may_be_last(found) and self._until[found.target.id] > now
        return Try(found.target, again=visits > 0, last_resort=early, another=self._another(found.target, now))

    def _another(self, target: Target, now: float) -> bool:
        """Whether another deployment, free by now, is likely to answer in half of the time that is left."""
        if self._heard is None:
            return False
        half, heard = (self._deadline - now) / 2, self._heard
        others = (c for c in self.candidates if c.target.deployment.id != target.deployment.id)
        return any(self._free(c, now) and fits(heard(c.target), half) for c in others)

    def _once_more(self, now: float) -> Candidate | None:
        """The target that is to be tried a second time at once, if it still may be."""
        same, self._same = self._same, None
        return next((c for c in self.candidates if same and c.target.id == same.id and self._free(c, now)), None)

    def _ready(self, now: float) -> Candidate | None:
        free = (c for c in self.candidates if self._free(c, now))
        if (heard := self._heard) is None:
            return next(free, None)
        return first_in_time(list(free), lambda c: heard(c.target), self._deadline - now)

    def _free(self, candidate: Candidate, now: float) -> bool:
        return self._until[candidate.target.id] <= now and self._free_at(candidate) <= now

    def _last_resort(self, now: float) -> Candidate | None:
        resting = [c for c in self.candidates if self._may_be_last(c) and not self._visits.get(c.target.id)]
        free = [c for c in resting if self._free_at(c) <= now and c.target.id not in self._refused]
        return min(free, key=lambda c: self._until[c.target.id], default=None)

    def _may_be_last(self, candidate: Candidate) -> bool:
        return candidate.last_resort or candidate.target.id in self._spare

    def _soonest(self) -> float:
        return min((self._back_at(c) for c in self.candidates), default=NEVER)

    def _back_at(self, candidate: Candidate) -> float:
        return max(self._until[candidate.target.id], self._free_at(candidate))

    def _wait(self, now: float) -> Wait | GiveUp:
        soonest = self._soonest()
        if soonest > min(self._deadline, self._patience_ends) or self._passes >= MAX_PASSES:
            return self.give_up(now)
        self._passes += 1
        return Wait(max(soonest - now, BREATH))

    def give_up(self, now: float) -> GiveUp:
        """Where it ends, and when each could be asked again."""
        self._out.update(self._back)  # what was out for this call need not be for the next
        back = {c.target.id: max(self._back_at(c), now) for c in self.candidates}
        soonest = min(back.values(), default=NEVER)
        return GiveUp(tuple(self.failures), self._final, soonest if soonest < NEVER else None, back)
