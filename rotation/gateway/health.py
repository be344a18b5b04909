"""What the data plane knows of everybody's health, and the one place that changes it.

Ask `standing` when choosing, `admit` before a send, and tell exactly one of `answered`, `failed`, `release` after it;
nothing is locked in between. Every change leaves a note (a journal record), so it reaches the database,
the dashboard and the next start. What a failure leads to stands in `core/failures.TABLE`; how, in `consequences.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from rotation.core.breaker import Breaker
from rotation.core.cooldown import Cooldown, later
from rotation.core.failures import TABLE, Consequence, Failure
from rotation.core.permits import BreakerState, Transition
from rotation.core.permits import Refused as BreakerRefused
from rotation.core.policy import Policy
from rotation.core.rotation import blamed_scope
from rotation.core.selection import NEVER, READY, Standing, State
from rotation.core.targets import Target, deployment_scope, provider_scope
from rotation.gateway import quiet
from rotation.gateway.budget import RetryBudget
from rotation.gateway.consequences import CONSEQUENCES
from rotation.gateway.leave import Permit, Refused, Work
from rotation.gateway.limits import Limits
from rotation.gateway.outage import Outage
from rotation.gateway.pace import TOKENS_PER_SECOND, Pace
from rotation.gateway.snapshot import Block
from rotation.gateway.uploads import Uploads
from rotation.providers.base import Usage
from rotation.providers.transcripts import billed

log = logging.getLogger("rotation.gateway")

LIMITED = 429

Note = Callable[[Mapping[str, Any]], None]


class Health:
    """All of it, in memory, on one event loop. `now` is the gateway's steady clock (epoch seconds that never jump)."""

    def __init__(
        self, *, now: Callable[[], float], rand: Callable[[], float], note: Note, log: logging.Logger = log
    ) -> None:
        self.now, self.rand, self.note, self._log = now, rand, note, log
        self.cooldowns: dict[str, Cooldown] = {}
        self.breakers: dict[str, Breaker] = {}
        self.benched: dict[str, Block] = {}
        self.refusals: dict[int, float] = {}  # key id -> when it was first refused, until it works again
        self.spent: set[int] = set()  # ids of keys without credit, until they work again
        self.lacks: set[tuple[int, str]] = set()
        self.limits = Limits(note)
        self.uploads = Uploads(note, now)
        self.pace = Pace()
        self._budget = RetryBudget()
        self._open: set[str] = set()  # scopes whose breaker is not closed: usually none, so choosing is quick
        self.heard: dict[str, float] = {}  # scopes of breakers the database told of, and how they stood since when
        self.outage = Outage(self._open)
        self.told: dict[str, float] = {}  # scopes the database tells of, and until when: told once is enough

    # choosing

    @property
    def all_well(self) -> bool:
        """Whether nothing at all is in anybody's way, quotas aside."""
        return not (self.cooldowns or self._open or self.benched)

    @property
    def _troubles(self) -> tuple[AbstractSet[str], ...]:
        return self.cooldowns.keys(), self._open, self.benched.keys()

    def standing(self, target: Target) -> Standing:
        """How a target stands now; what is in its way longest is the reason given."""
        if self.all_well or all(known.isdisjoint(target.scopes) for known in self._troubles):
            return READY
        found = [s for scope in target.scopes for s in self._in_the_way(scope)]
        told = [s for s in found if not s.guessed]
        return max(told or found, key=lambda s: s.until, default=READY)

    def _in_the_way(self, scope: str) -> Iterable[Standing]:
        if scope in self.benched:
            yield Standing(State.BENCHED, NEVER, self.benched[scope].why)
        if (cooldown := self.cooldowns.get(scope)) and cooldown.until > self.now():
            limited = TABLE[cooldown.kind].status == LIMITED
            yield Standing(State.COOLING, cooldown.until, cooldown.reason, cooldown.guessed, limited)
        if scope in self._open and (until := self.breakers[scope].ready_at(self.now())) > self.now():
            forced = self.breakers[scope].state(self.now()) is BreakerState.FORCED_OPEN
            why = "forced open by an operator" if forced else "breaker open"
            yield Standing(State.BENCHED if forced else State.RESTING, until, why, not forced)

    # asking leave

    def admit(self, target: Target, work: Work, *, again: bool = False, last_resort: bool = False) -> Permit | Refused:
        """Leave for one attempt, or why not and until when."""
        if work.quiet:
            return quiet.admit(self, target, work, again=again or last_resort)
        return self._admit(target, work, again=again, last_resort=last_resort)

    def _admit(self, target: Target, work: Work, *, again: bool, last_resort: bool) -> Permit | Refused:
        now = self.now()
        standing = self.standing(target)  # it may have changed since the call came in
        if standing.until > now and not standing.guessed:
            return Refused(standing.until, standing.why, state=standing.state, limited=standing.limited)
        if (turn := self.outage.turn_at(target, work.peers, work.policy.rest, now)) > now:
            return Refused(turn, "nobody answers; one is asked at a time")
        early = last_resort and standing.until > now
        if (again or early) and not self._budget.take(target.deployment.id, work.policy, now):
            return Refused(now + 1.0, "its retry budget is used up")
        permit = Permit(target, now, work.policy, [], request=work.request)
        for scope in (self.breaker_scope(target, work), provider_scope(target)):
            leave = self._breaker(scope, work.policy).admit(now, self.rand(), last_resort=last_resort)
            if isinstance(leave, BreakerRefused):
                self.release(permit)
                return Refused(leave.until, leave.reason, leave.soft or (work.policy.panic and leave.until < NEVER))
            permit.breakers.append((scope, leave))
            self.moved(scope, leave.transition, work.request)
        reserved = self.limits.reserve(target, work.tokens, now, output=work.output,
                                       audio=billed(target.provider.kind, work.audio_seconds))  # fmt: skip
        if isinstance(reserved, float):
            self.release(permit)
            return Refused(reserved, "its quota is used up", state=State.COOLING, limited=True)
        permit.reserved = reserved
        self.outage.asked(target, now)
        if not again:
            self._budget.earn(target.deployment.id, work.policy, now)
        return permit

    def breaker_scope(self, target: Target, work: Work) -> str:
        """The deployment's own breaker, or, as the seed design has it, one for the whole pool."""
        return f"pool:{work.pool}" if work.policy.breaker_scope == "pool" else deployment_scope(target)

    # telling what came of it

    def answered(self, permit: Permit, *, first: float | None, usage: Usage | None) -> None:
        """The attempt succeeded; `first` is seconds to the first content, None for an answer in one piece."""
        now = self.now()
        elapsed = now - permit.started
        for index, (scope, leave) in enumerate(permit.breakers):
            took = 0.0 if index else slowness(first, elapsed, usage)  # no fault of its provider's other models
            self.moved(scope, self.breakers[scope].record_success(leave, now, took), permit.request)
        self.limits.settle(permit.reserved, usage, now)
        if not permit.quiet:  # what a job asks for is like nothing that clients ask for
            self.limits.answered(permit.target, usage)
            self.pace.learn(permit.target.deployment.id, first, elapsed, now=now)
            self.outage.answered(permit.target, now)
        self._recovered(permit.target, permit.started)

    def failed(self, permit: Permit, failure: Failure) -> float | None:
        """The attempt failed: the consequence of its kind. Returns until when the target is out, if that is known."""
        now = self.now()
        counted = {Consequence.COUNT: 0, Consequence.COUNT_PROVIDER: 1}.get(failure.row.consequence)
        for index, (scope, leave) in enumerate(permit.breakers):
            breaker = self.breakers[scope]
            if index == counted:
                self.moved(scope, breaker.record_failure(leave, now, now - permit.started), permit.request)
            elif index and failure.status is not None:  # whatever it said, it can be reached
                self.moved(scope, breaker.record_success(leave, now, 0.0), permit.request)
            else:
                breaker.release(leave, now)
        permit.breakers = []
        if failure.row.consequence is Consequence.COUNT_PROVIDER:  # nothing was sent
            self.limits.release(permit.reserved, now)
        else:
            self.limits.settle(permit.reserved, None, now)
        CONSEQUENCES[failure.row.consequence](self, permit, failure)
        return self.standing(permit.target).until or None

    def release(self, permit: Permit, *, sent: bool = False, usage: Usage | None = None) -> None:
        """The attempt was never made, or the client hung up: nobody is the better or the worse for it.

        What was `sent` the provider has counted all the same.
        """
        now = self.now()
        for scope, leave in permit.breakers:
            self.breakers[scope].release(leave, now)
        if sent:
            self.limits.settle(permit.reserved, usage, now)
        else:
            self.limits.release(permit.reserved, now)
        permit.breakers, permit.reserved = [], []

    # changes

    def cool(self, permit: Permit, failure: Failure, cooldown: Cooldown) -> None:
        """Bench the blamed scope until the cooldown ends, and say so."""
        scope = blamed_scope(failure, permit.target)
        before = self.cooldowns.get(scope)
        cooldown = self.cooldowns[scope] = later(before, cooldown, self.now())
        if before is None or cooldown.until > before.until:
            self.note({"t": "cooldown", "at": self.now(), "scope": scope, "until": cooldown.until,
                       "kind": failure.kind, "reason": cooldown.reason})  # fmt: skip

    def note_lack(self, target: Target, feature: str) -> None:
        """A deployment does without a feature: said once."""
        if (target.deployment.id, feature) not in self.lacks:
            self.lacks.add((target.deployment.id, feature))
            self.note({"t": "lack", "at": self.now(), "deployment": target.deployment.id, "feature": feature})

    def _recovered(self, target: Target, started: float) -> None:
        for scope in target.scopes & self.cooldowns.keys():
            if self.cooldowns[scope].until <= self.now():
                del self.cooldowns[scope]
        # An answer to what was sent before the key was refused proves nothing.
        key = target.key.id
        if key in self.spent or self.refusals.get(key, started) < started:
            self.refusals.pop(key, None)
            self.spent.discard(key)
            why = "it works again"
            self.note({"t": "key", "at": self.now(), "key": key, "state": "ready", "reason": why})

    def _breaker(self, scope: str, policy: Policy) -> Breaker:
        breaker = self.breakers.get(scope)
        if breaker is None:
            breaker = self.breakers[scope] = Breaker(policy)
        elif breaker.policy is not policy:
            breaker.follow(policy)
        return breaker

    def mind(self, scope: str) -> None:
        """Ask this scope's breaker from now on, unless it lets everybody through."""
        through = self.breakers[scope].state(self.now()) in (BreakerState.CLOSED, BreakerState.DISABLED)
        (self._open.discard if through else self._open.add)(scope)

    def moved(self, scope: str, transition: Transition | None, request: str) -> None:
        if transition is None:
            return
        self.mind(scope)
        if transition.after is BreakerState.OPEN:
            self._log.error("breaker of %s opened: %s", scope, transition.reason, extra={"request_id": request})
        self.note({"t": "breaker", "at": self.now(), "scope": scope, "before": transition.before,
                   "after": transition.after, "until": transition.until, "opens": transition.opens,
                   "reason": transition.reason, "request": request or None})  # fmt: skip


def slowness(first: float | None, elapsed: float, usage: Usage | None) -> float:
    """Seconds that count as slow: to the first content; of an answer in one piece, what its length does not explain."""
    if first is not None:
        return first
    return max(elapsed - (usage.tokens_out if usage else 0) / TOKENS_PER_SECOND, 0.0)
