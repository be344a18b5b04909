"""The breaker's life, told step by step. What must hold whatever happens is in test_breaker_machine.py."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from rotation.core.breaker import Breaker, BreakerState, Permit, Refused, Transition
from rotation.core.policy import BALANCED, SEED, Policy

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


def leave(breaker: Breaker, now: float, *, rand: float = 0.0, last_resort: bool = False) -> Permit:
    permit = breaker.admit(now, rand, last_resort=last_resort)
    assert isinstance(permit, Permit), permit
    return permit


def refusal(breaker: Breaker, now: float, *, rand: float = 0.0, last_resort: bool = False) -> Refused:
    refused = breaker.admit(now, rand, last_resort=last_resort)
    assert isinstance(refused, Refused), refused
    return refused


def fail(breaker: Breaker, now: float, *, rand: float = 0.0, last_resort: bool = False) -> Transition | None:
    return breaker.record_failure(leave(breaker, now, rand=rand, last_resort=last_resort), now, 0.1)


def succeed(breaker: Breaker, now: float, *, last_resort: bool = False) -> Transition | None:
    return breaker.record_success(leave(breaker, now, last_resort=last_resort), now, 0.1)


def opened(now: float = 0.0, policy: Policy = BALANCED, *, rand: float = 0.0) -> Breaker:
    breaker = Breaker(policy)
    for _ in range(policy.consecutive_failures):
        fail(breaker, now, rand=rand)
    assert breaker.to_dict()["state"] == OPEN
    return breaker


def recovered(now: float = 0.0, policy: Policy = BALANCED) -> tuple[Breaker, float]:
    """A breaker that opened once and has just closed again, and when."""
    breaker = opened(now, policy)
    now += policy.rest
    for _ in range(policy.probes_to_close):
        succeed(breaker, now)
    assert breaker.state(now) is CLOSED
    return breaker, now


# opening


def test_it_opens_at_the_fifth_countable_failure_in_a_row_and_says_why():
    breaker = Breaker(BALANCED)
    steps = [fail(breaker, n / 10) for n in range(5)]
    assert steps == [None] * 4 + [Transition(CLOSED, OPEN, 30.4, 1, "5 failures in a row")]


def test_an_open_breaker_refuses_until_its_rest_is_over():
    breaker = opened(100.0)
    assert refusal(breaker, 129.9) == Refused(130.0, "resting")
    assert breaker.ready_at(100.0) == 130.0
    assert breaker.state(129.999) is OPEN
    assert breaker.state(130.0) is HALF_OPEN
    assert breaker.ready_at(130.0) == 130.0


def test_failures_that_are_not_countable_never_open_it():
    breaker = Breaker(BALANCED)
    for n in range(100):
        assert breaker.record_failure(leave(breaker, n), n, 99.0, countable=False) is None
    assert breaker.state(100.0) is CLOSED


def test_a_failure_that_is_not_countable_does_not_interrupt_a_row_either():
    breaker = Breaker(BALANCED)
    for _ in range(4):
        fail(breaker, 0.0)
    breaker.record_failure(leave(breaker, 0.0), 0.0, 0.1, countable=False)
    breaker.release(leave(breaker, 0.0), 0.0)
    assert fail(breaker, 0.0) is not None


def test_a_success_interrupts_a_row():
    breaker = Breaker(BALANCED)
    for _ in range(3):
        for _ in range(4):
            assert fail(breaker, 0.0) is None
        breaker.record_success(leave(breaker, 0.0), 0.0, 0.1)
        breaker.reset()  # the share would open it otherwise
    assert breaker.state(0.0) is CLOSED


def test_half_of_ten_calls_failing_opens_it():
    breaker = Breaker(BALANCED)
    steps = [(fail if n % 2 else succeed)(breaker, n) for n in range(10)]
    assert steps[:9] == [None] * 9
    assert steps[9] is not None
    assert steps[9].reason == "5 of 10 calls failed within 30 s"


def test_slow_answers_open_it():
    breaker = Breaker(BALANCED)
    steps = [breaker.record_success(leave(breaker, n / 10), n / 10, 31.0) for n in range(10)]
    assert steps[:9] == [None] * 9
    assert steps[9] is not None
    assert (steps[9].after, steps[9].reason) == (OPEN, "10 of 10 calls took 30 s or more within 30 s")


def test_what_was_counted_before_it_opened_is_forgotten_when_it_closes():
    breaker, now = recovered()
    for _ in range(4):
        assert fail(breaker, now) is None
    assert fail(breaker, now) is not None


def test_calls_sent_before_it_opened_report_old_news():
    breaker = Breaker(BALANCED)
    late = [leave(breaker, 0.0) for _ in range(5)]
    for _ in range(5):
        fail(breaker, 1.0)
    assert breaker.record_success(late[0], 2.0, 2.0) is None
    assert breaker.record_failure(late[1], 2.0, 2.0) is None
    succeed(breaker, 31.0)
    assert breaker.record_success(late[2], 31.0, 31.0) is None
    assert breaker.record_failure(late[3], 31.0, 31.0) is None
    assert breaker.state(31.0) is HALF_OPEN
    assert succeed(breaker, 31.0) is not None


# resting and probing


def test_the_first_call_after_the_rest_is_the_probe_and_says_what_it_did():
    breaker = opened()
    probe = leave(breaker, 30.0)
    assert probe.probe
    assert probe.transition == Transition(OPEN, HALF_OPEN, None, 1, "the rest is over")


def test_only_one_probe_is_under_way_at_a_time():
    breaker = opened()
    probe = leave(breaker, 30.0)
    assert refusal(breaker, 30.0) == Refused(31.0, "another call is probing")
    assert breaker.ready_at(30.0) == 31.0
    breaker.record_success(probe, 30.5, 0.5)
    assert leave(breaker, 30.5).probe


def test_a_probe_that_never_reports_back_loses_its_lease():
    breaker = opened()
    lost = leave(breaker, 30.0)
    assert refusal(breaker, 89.5).until == 90.0
    assert leave(breaker, 90.0).probe
    breaker.release(lost, 90.0)
    assert isinstance(breaker.admit(90.0, 0.0), Refused), "the lost one does not free the other's lease"


def test_two_answered_probes_close_it():
    breaker = opened()
    assert succeed(breaker, 30.0) is None
    assert breaker.state(30.0) is HALF_OPEN
    assert succeed(breaker, 30.0) == Transition(HALF_OPEN, CLOSED, None, 1, "2 of 2 probes answered")


def test_a_slow_probe_is_an_answer_all_the_same():
    breaker = opened()
    for _ in range(2):
        breaker.record_success(leave(breaker, 30.0), 65.0, 35.0)
    assert breaker.state(65.0) is CLOSED


def test_a_failed_probe_opens_it_for_longer_each_time_up_to_the_cap():
    breaker, now, rests = opened(), 0.0, []
    for _ in range(12):
        now = breaker.ready_at(now)
        step = fail(breaker, now)
        assert step is not None
        assert (step.before, step.after, step.reason) == (HALF_OPEN, OPEN, "the probe failed")
        assert step.until is not None
        rests.append(step.until - now)
    assert rests == [60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300, 300]
    assert breaker.opens(now) == 10, "counting on would only delay the way back"


def test_one_failed_probe_undoes_an_answered_one():
    breaker = opened()
    succeed(breaker, 30.0)
    assert fail(breaker, 30.0) is not None
    assert succeed(breaker, 90.0) is None
    assert succeed(breaker, 90.0) is not None


def test_a_rest_is_lengthened_by_up_to_a_fifth():
    assert opened(rand=0.5).ready_at(0.0) == pytest.approx(33.0)
    assert opened(rand=0.999).ready_at(0.0) < 36.0


def test_a_probe_that_was_cancelled_or_rate_limited_decides_nothing_and_frees_its_place():
    breaker = opened()
    assert breaker.release(leave(breaker, 30.0), 30.0) is None
    assert breaker.record_failure(leave(breaker, 30.0), 30.0, 0.1, countable=False) is None
    assert leave(breaker, 30.0).probe
    assert breaker.state(30.0) is HALF_OPEN


def test_reporting_twice_counts_once():
    breaker = Breaker(BALANCED)
    permit = leave(breaker, 0.0)
    for _ in range(20):
        assert breaker.record_failure(permit, 0.0, 0.1) is None
    breaker = opened()
    probe = leave(breaker, 30.0)
    assert [breaker.record_success(probe, 30.0, 0.1) for _ in range(5)] == [None] * 5
    assert breaker.state(30.0) is HALF_OPEN


# coming back


def test_slow_start_lets_a_growing_share_through():
    breaker, now = recovered()
    shares = []
    for later in (0.0, 10.0, 20.0, 29.99):
        admitted = [isinstance(breaker.admit(now + later, n / 100 + 0.005), Permit) for n in range(100)]
        assert admitted == sorted(admitted, reverse=True)
        shares.append(sum(admitted))
    assert shares == [10, 40, 70, 100]
    assert refusal(breaker, now + 10.0, rand=0.5) == Refused(
        now + 11.0, "slow start: 40% of the calls are let through", soft=True
    )
    assert leave(breaker, now + 30.0, rand=0.999)


def test_slow_start_never_keeps_anybody_from_the_last_target_there_is():
    breaker, now = recovered()
    assert breaker.ready_at(now) == now
    assert leave(breaker, now, rand=0.0)
    assert leave(breaker, now, rand=0.99, last_resort=True)


def test_a_fresh_breaker_has_no_slow_start():
    assert leave(Breaker(BALANCED), 0.0, rand=0.999)


def test_an_opening_is_forgiven_for_every_minute_spent_closed():
    breaker, now = opened(), 0.0
    for _ in range(2):
        now = breaker.ready_at(now)
        fail(breaker, now)
    now = breaker.ready_at(now)
    for _ in range(2):
        succeed(breaker, now)
    assert [breaker.opens(now + after) for after in (0, 59.9, 60, 119.9, 120, 180, 1e6)] == [3, 3, 2, 2, 1, 0, 0]
    later = now + 125
    for _ in range(4):
        fail(breaker, later)
    step = fail(breaker, later)
    assert step is not None
    assert (step.opens, step.until) == (2, later + 60)


def test_the_seed_rests_a_minute_and_closes_on_one_answer_without_slow_start():
    breaker = opened(policy=SEED, rand=0.9)
    assert breaker.ready_at(0.0) == 60.0
    assert succeed(breaker, 60.0) == Transition(HALF_OPEN, CLOSED, None, 1, "1 of 1 probes answered")
    assert leave(breaker, 60.0, rand=0.999)
    assert opened(policy=SEED).ready_at(0.0) == 60.0


def test_a_policy_without_a_rest_probes_at_once():
    breaker = opened(policy=replace(BALANCED, rest=0.0))
    assert leave(breaker, 0.0).probe


# the last resort


def test_a_last_resort_is_let_through_while_resting_but_is_no_probe():
    breaker = opened()
    permit = leave(breaker, 1.0, last_resort=True)
    assert not permit.probe
    assert breaker.state(1.0) is OPEN


def test_a_last_resort_after_the_rest_is_a_probe():
    assert leave(opened(), 30.0, last_resort=True).probe


def test_a_last_resort_that_fails_does_not_lengthen_the_rest():
    breaker = opened()
    for n in range(50):
        assert fail(breaker, n / 10, last_resort=True) is None
    assert breaker.ready_at(5.0) == 30.0


def test_a_last_resort_that_is_answered_ends_the_rest():
    breaker = opened()
    step = succeed(breaker, 1.0, last_resort=True)
    assert step == Transition(OPEN, HALF_OPEN, None, 1, "a last resort was answered")
    assert succeed(breaker, 1.0) == Transition(HALF_OPEN, CLOSED, None, 1, "2 of 2 probes answered")


def test_a_last_resort_that_fails_beside_a_probe_opens_it_again():
    breaker = opened()
    leave(breaker, 30.0)
    step = fail(breaker, 30.0, last_resort=True)
    assert step is not None
    assert (step.after, step.reason, step.opens) == (OPEN, "a last resort failed", 2)


def test_one_answered_last_resort_closes_a_seed_breaker():
    assert succeed(opened(policy=SEED), 1.0, last_resort=True) == Transition(
        OPEN, CLOSED, None, 1, "1 of 1 probes answered"
    )


# the operator


def test_forced_open_admits_nothing_not_even_in_the_last_resort():
    breaker = Breaker(BALANCED)
    assert breaker.force_open() == Transition(CLOSED, BreakerState.FORCED_OPEN, None, 0, "forced open by an operator")
    assert refusal(breaker, 1e9, last_resort=True) == Refused(math.inf, "forced open by an operator")
    assert breaker.ready_at(1e9) == math.inf
    assert breaker.force_open() is None


def test_results_of_calls_under_way_do_not_undo_an_operator():
    for operate in (Breaker.force_open, Breaker.disable):
        breaker = opened()
        probe = leave(breaker, 30.0)
        operate(breaker)
        before = breaker.to_dict()
        for permit in (probe, leave(opened(), 30.0)):
            assert breaker.record_success(permit, 31.0, 1.0) is None
            assert breaker.record_failure(permit, 31.0, 1.0) is None
        assert breaker.to_dict() == before


def test_a_breaker_switched_off_admits_everything_and_learns_nothing():
    breaker = opened()
    assert breaker.disable() == Transition(OPEN, BreakerState.DISABLED, None, 1, "switched off by an operator")
    for n in range(50):
        assert fail(breaker, n, rand=0.99) is None
    assert breaker.ready_at(50.0) == 50.0
    assert breaker.disable() is None


def test_reset_closes_it_with_nothing_held_against_the_target():
    breaker, now = recovered()
    for _ in range(4):
        fail(breaker, now)
    assert breaker.reset() is None
    assert leave(breaker, now, rand=0.99), "no slow start"
    assert [fail(breaker, now) for _ in range(4)] == [None] * 4
    step = fail(breaker, now)
    assert step is not None
    assert step.opens == 1

    for stuck in (BreakerState.FORCED_OPEN, BreakerState.DISABLED):
        breaker = opened()
        breaker.force_open() if stuck is BreakerState.FORCED_OPEN else breaker.disable()
        assert breaker.reset() == Transition(stuck, CLOSED, None, 0, "reset by an operator")
        assert leave(breaker, now, rand=0.99)


def test_the_success_of_one_target_resets_only_that_target():
    sick, well = opened(), Breaker(BALANCED)
    before = sick.to_dict()
    succeed(well, 1.0)
    assert sick.to_dict() == before


# a restart


def test_a_permit_of_another_breaker_changes_nothing():
    """As when a breaker is made anew for a changed policy while calls are under way."""
    old, new = opened(), opened()
    stray = leave(old, 30.0)
    leave(new, 30.0)
    before = new.to_dict()
    assert new.record_failure(stray, 30.0, 1.0) is None
    assert new.to_dict() == before
    assert isinstance(new.admit(30.0, 0.0), Refused), "its own probe is still under way"


def test_an_open_breaker_is_still_resting_after_a_restart():
    breaker = opened(1000.0, rand=0.5)
    again = Breaker.from_dict(breaker.to_dict(), BALANCED, 1010.0)
    assert again.ready_at(1010.0) == breaker.ready_at(1010.0) == pytest.approx(1033.0)
    assert again.to_dict() == breaker.to_dict()
    assert leave(again, 1033.0).probe


def test_a_half_open_one_is_ready_to_probe_after_a_restart():
    breaker = opened()
    leave(breaker, 30.0)
    again = Breaker.from_dict(breaker.to_dict(), BALANCED, 31.0)
    assert leave(again, 31.0).probe
    step = fail(Breaker.from_dict(breaker.to_dict(), BALANCED, 31.0), 31.0)
    assert step is not None
    assert step.opens == 2


def test_slow_start_and_forgiveness_go_on_after_a_restart():
    breaker, now = recovered(1000.0)
    again = Breaker.from_dict(breaker.to_dict(), BALANCED, now + 10)
    assert isinstance(again.admit(now + 10, 0.5), Refused)
    assert leave(again, now + 30, rand=0.99)
    assert (again.opens(now + 59), again.opens(now + 60)) == (1, 0)


def test_a_closed_breaker_that_never_opened_has_no_slow_start_after_a_restart():
    again = Breaker.from_dict(Breaker(BALANCED).to_dict(), BALANCED, 5.0)
    assert leave(again, 5.0, rand=0.99)


@pytest.mark.parametrize("operate", [Breaker.force_open, Breaker.disable])
def test_what_an_operator_said_holds_after_a_restart(operate):
    breaker = Breaker(BALANCED)
    operate(breaker)
    assert Breaker.from_dict(breaker.to_dict(), BALANCED, 9.0).state(9.0) is breaker.state(9.0)


@pytest.mark.parametrize("until", [1e18, math.inf, math.nan, None, "soon"])
def test_no_rest_from_before_a_restart_is_longer_than_the_longest(until):
    again = Breaker.from_dict({"state": "open", "until": until, "opens": 3, "changed_at": 0}, BALANCED, 50.0)
    assert 50.0 <= again.ready_at(50.0) <= 50.0 + 360.0


@pytest.mark.parametrize(
    "saved",
    [{}, {"state": "ajar"}, {"state": "open", "opens": "many"}, {"state": None}, {"state": "open", "opens": 1e400}],
)
def test_a_state_that_cannot_be_read_starts_closed(saved):
    assert Breaker.from_dict(saved, BALANCED, 50.0).state(50.0) is CLOSED


def test_a_clock_that_was_set_back_over_a_restart_delays_nothing():
    saved = {"state": "closed", "until": None, "opens": 2, "changed_at": 1e12}
    again = Breaker.from_dict(saved, BALANCED, 50.0)
    assert again.opens(50.0 + 120) == 0
    assert leave(again, 80.0, rand=0.99)
