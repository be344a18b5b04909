"""Whatever calls, clocks, restarts and operators do to a breaker, these hold (hypothesis plays all of them).

- it opens only by a countable failure or a slow answer; released and uncountable calls change nothing;
- while half-open at most one probe is leased, and a lease ends;
- a rest is at least its base and at most its cap and the jitter;
- forced open admits nothing; switched off admits everything;
- the peek and the answer agree, and no state is a dead end;
- every transition told starts where the last one ended.
"""

from __future__ import annotations

import copy
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from rotation.core.breaker import Breaker, BreakerState, Permit, Refused, Transition
from rotation.core.policy import BALANCED, SEED, Policy

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
FORCED, DISABLED = BreakerState.FORCED_OPEN, BreakerState.DISABLED
ARROWS = {(CLOSED, OPEN), (OPEN, HALF_OPEN), (HALF_OPEN, OPEN), (HALF_OPEN, CLOSED), (OPEN, CLOSED)}

POLICIES = (
    BALANCED,
    SEED,
    replace(BALANCED, consecutive_failures=2, minimum_calls=3, probes_to_close=3, rest=5.0, rest_cap=12.0),
    replace(BALANCED, consecutive_failures=1, probes_to_close=1, slow_start=0.0, probe_lease=2.0, window=5.0),
)
RANDS = st.floats(0.0, 1.0, exclude_max=True)
ELAPSED = st.sampled_from([0.0, 0.5, 29.9, 30.0, 70.0])


class BreakerMachine(RuleBasedStateMachine):
    permits: Bundle[Permit] = Bundle("permits")

    @initialize(policy=st.sampled_from(POLICIES), now=st.sampled_from([0.0, 1.7e9]))
    def start(self, policy: Policy, now: float) -> None:
        self.policy, self.now = policy, now
        self.breaker = Breaker(policy)
        self.last = CLOSED
        self.leases: list[tuple[Permit, float]] = []

    @rule(seconds=st.floats(0.0, 3.0) | st.floats(0.0, 400.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(target=permits, rand=RANDS, last_resort=st.booleans())
    def ask(self, rand: float, last_resort: bool):
        before, ready_at = self.breaker.state(self.now), self.breaker.ready_at(self.now)
        answer = self.breaker.admit(self.now, rand, last_resort=last_resort)
        if isinstance(answer, Refused):
            assert answer.until > self.now
            assert not last_resort or before is FORCED
            assert answer.soft == (before is CLOSED)
            assert answer.soft or answer.until == ready_at
            return multiple()
        assert before is not FORCED
        assert last_resort or ready_at <= self.now
        self.follow(answer.transition)
        if answer.probe:
            assert before is HALF_OPEN
            self.leases.append((answer, self.now + self.policy.probe_lease))
        return answer

    @rule(permit=consumes(permits), elapsed=ELAPSED)
    def answered(self, permit: Permit, elapsed: float) -> None:
        step = self.breaker.record_success(permit, self.now, elapsed)
        if step and step.after is OPEN:
            assert elapsed >= self.policy.slow_call
            assert self.policy.slow_share is not None
        self.follow(step)
        self.repeat(permit)

    @rule(permit=consumes(permits), elapsed=ELAPSED)
    def failed(self, permit: Permit, elapsed: float) -> None:
        step = self.breaker.record_failure(permit, self.now, elapsed)
        assert step is None or step.after is OPEN
        self.follow(step)
        self.repeat(permit)

    @rule(permit=consumes(permits), countable=st.booleans())
    def said_nothing(self, permit: Permit, countable: bool) -> None:
        before = self.breaker.to_dict()
        release = self.breaker.release(permit, self.now) if countable else None
        assert release is None
        assert self.breaker.record_failure(permit, self.now, 99.0, countable=False) is None
        assert self.breaker.to_dict() == before

    @rule()
    def operator_forces_it_open(self) -> None:
        self.follow(self.breaker.force_open(), operator=True)
        assert self.breaker.state(self.now) is FORCED

    @rule()
    def operator_switches_it_off(self) -> None:
        self.follow(self.breaker.disable(), operator=True)
        assert isinstance(self.breaker.admit(self.now, 0.999), Permit)

    @rule()
    def operator_resets_it(self) -> None:
        self.follow(self.breaker.reset(), operator=True)
        assert isinstance(self.breaker.admit(self.now, 0.999), Permit)
        assert self.breaker.opens(self.now) == 0

    @rule(down=st.floats(0.0, 100.0))
    def the_process_restarts(self, down: float) -> None:
        before = self.breaker.state(self.now)
        resting_until = self.breaker.ready_at(self.now)
        saved = self.breaker.to_dict()
        self.now += down
        self.breaker = Breaker.from_dict(saved, self.policy, self.now)
        self.leases = []
        if before is HALF_OPEN:
            assert self.breaker.state(self.now) is HALF_OPEN
            self.last = OPEN
        elif before is OPEN:
            assert abs(self.breaker.ready_at(self.now) - max(resting_until, self.now)) < 1e-6
        else:
            assert self.breaker.state(self.now) is before

    def follow(self, step: Transition | None, *, operator: bool = False) -> None:
        if step is None:
            return
        assert step.before is self.last
        assert step.before is not step.after
        assert operator or (step.before, step.after) in ARROWS
        assert step.reason
        assert (step.until is not None) == (step.after is OPEN)
        if step.until is not None:
            rest = step.until - self.now
            assert min(self.policy.rest, self.policy.rest_cap) - 1e-6 <= rest
            assert rest <= self.policy.rest_cap * (1 + self.policy.rest_jitter) + 1e-6
            assert step.opens >= 1
        if step.after is not HALF_OPEN:
            self.leases = []
        self.last = step.after

    def repeat(self, permit: Permit) -> None:
        """A second report of the same call is harmless."""
        before = self.breaker.to_dict()
        assert self.breaker.record_failure(permit, self.now, 99.0) is None
        assert self.breaker.record_success(permit, self.now, 99.0) is None
        assert self.breaker.to_dict() == before

    @invariant()
    def at_most_one_probe_is_leased(self) -> None:
        assert sum(not permit.spent and self.now < until for permit, until in self.leases) <= 1

    @invariant()
    def the_peek_says_what_an_answer_would_be(self) -> None:
        answer = copy.deepcopy(self.breaker).admit(self.now, 0.0)
        assert isinstance(answer, Permit) == (self.breaker.ready_at(self.now) <= self.now)

    @invariant()
    def the_state_shown_is_the_state_told(self) -> None:
        shown = self.breaker.state(self.now)
        assert shown is self.last or (shown, self.last) == (HALF_OPEN, OPEN)

    @invariant()
    def no_state_is_a_dead_end(self) -> None:
        if self.last is FORCED:
            return
        breaker, now = copy.deepcopy(self.breaker), self.now
        longest = self.policy.rest_cap * (1 + self.policy.rest_jitter) + self.policy.probe_lease
        assert isinstance(breaker.admit(now + longest, 0.0), Permit)
        for _ in range(self.policy.probes_to_close):
            now = max(now + longest, breaker.ready_at(now))
            permit = breaker.admit(now, 0.0, last_resort=True)
            assert isinstance(permit, Permit)
            breaker.record_success(permit, now, 0.1)
        assert breaker.state(now) in (CLOSED, DISABLED)


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
