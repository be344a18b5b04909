"""Token buckets: the providers' own arithmetic, nothing lost, nothing invented, learned limits over configured ones."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from rotation.core.quota import NEVER, Bucket, Quota, Reservation

START = 1_800_000_000.0
MINUTE, DAY = 60.0, 86_400.0


def bucket(limit: float, *, window: float = MINUTE, left: float | None = None, fixed: bool = False) -> Bucket:
    return Bucket(limit, window, limit if left is None else left, START, fixed=fixed)


def wait(limits: Quota, **needs: float) -> float:
    """Seconds until there is room. Compared with START itself, a tolerance would be half an hour wide."""
    until = limits.admit(needs, START)
    return 0.0 if until is None else until - START


def quota(**limits: tuple[float, float]) -> Quota:
    made = Quota()
    for axis, (limit, window) in limits.items():
        made.configure(axis, limit, window, START)
    return made


# one bucket


@pytest.mark.parametrize(
    ("limit", "used", "requested", "window", "wait"),
    [
        (12_000, 4_437, 9_854, MINUTE, 11.455),
        (12_000, 2_542, 9_855, MINUTE, 1.985),
        (100_000, 97_050, 3_619, DAY, 578.016),
        (30_000, 14_567, 24_754, MINUTE, 18.642),
        (30_000, 29_937, 385, MINUTE, 0.644),
    ],
)
def test_the_wait_is_the_one_that_providers_tell_to_the_millisecond(limit, used, requested, window, wait):
    full = bucket(limit, window=window, left=limit - used)
    assert full.ready_at(requested, START) - START == pytest.approx(wait, abs=1e-3)
    assert full.ready_at(requested, START) - START == pytest.approx((used + requested - limit) / limit * window)


@pytest.mark.parametrize(
    ("limit", "left", "window", "reset"),
    [(14_400, 14_399, DAY, 6.0), (1_000, 999, DAY, 86.4), (50_000, 49_999, DAY, 1.728), (500, 499, MINUTE, 0.12)],
)
def test_the_time_until_it_is_full_again_is_the_reset_of_the_headers(limit, left, window, reset):
    assert bucket(limit, window=window, left=left).ready_at(limit, START) - START == pytest.approx(reset)


def test_it_refills_all_the_time_and_never_beyond_its_capacity():
    emptied = bucket(60, left=0)
    assert [emptied.available(START + s) for s in (0, 1, 30, 59, 60, 1e6)] == [0, 1, 30, 59, 60, 60]


def test_a_need_larger_than_the_capacity_never_succeeds_by_waiting():
    assert bucket(6_000).ready_at(12_328, START) == NEVER == math.inf
    assert bucket(6_000).ready_at(6_000, START) == START


def test_a_clock_that_goes_back_refills_nothing():
    used = bucket(60, left=10)
    used.take(5, START - 100)
    assert used.available(START) == 5
    assert used.available(START - 1000) == 5


def test_a_fixed_bucket_refills_at_once_at_the_turn_of_its_window():
    day = bucket(50, window=DAY, left=0, fixed=True)
    midnight = (START // DAY + 1) * DAY
    assert day.available(midnight - 0.001) == 0
    assert day.available(midnight) == 50
    assert day.ready_at(1, START) == midnight
    day.take(3, midnight)
    assert day.available(midnight + 1000) == 47


def test_a_fixed_bucket_never_gives_more_than_its_limit_in_one_window():
    minute = bucket(20, left=20, fixed=True)
    first = (START // MINUTE + 1) * MINUTE
    taken = 0
    for step in range(60):
        if minute.ready_at(1, first + step) == first + step:
            minute.take(1, first + step)
            taken += 1
    assert taken == 20


@given(
    limit=st.floats(0.5, 1e6),
    window=st.floats(0.5, DAY),
    share=st.floats(-1, 1),
    need=st.floats(0, 1),
    fixed=st.booleans(),
    start=st.sampled_from([0.0, START]),
    passed=st.floats(0, 1e6),
)
def test_waiting_as_long_as_asked_is_always_enough(limit, window, share, need, fixed, start, passed):
    waiting = Bucket(limit, window, limit * share, start, fixed=fixed)
    at = waiting.ready_at(need * limit, start + passed)
    assert start + passed <= at < NEVER
    assert waiting.ready_at(need * limit, at) == at


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 30)), max_size=50))
def test_what_is_taken_never_exceeds_the_capacity_and_the_refill(steps):
    one, now, taken = bucket(60), START, 0.0
    for passed, need in steps:
        now += passed
        if one.ready_at(need, now) == now:
            one.take(need, now)
            taken += need
        assert taken <= 60 + (now - START) + 1e-3
        assert one.available(now) >= -1e-3


# learning


def test_less_left_than_we_thought_is_believed():
    ours = bucket(1_000)
    ours.learn(1_000, MINUTE, 400, START)
    assert ours.available(START) == 400


def test_more_left_than_we_thought_is_believed_but_for_what_calls_under_way_hold():
    ours = bucket(1_000)
    ours.take(700, START)
    ours.held = 100
    ours.learn(1_000, MINUTE, 900, START)
    assert ours.available(START) == 800
    ours.learn(1_000, MINUTE, 850, START)
    assert ours.available(START) == 800, "850 left, of which 100 may still go, is no reason to think less"


def test_a_remaining_that_was_rounded_down_is_no_disagreement():
    ours = bucket(14_400, window=DAY, left=14_000.9)
    ours.learn(14_400, DAY, 14_000, START)
    assert ours.available(START) == pytest.approx(14_000.9)
    ours.learn(14_400, DAY, 13_999.8, START)
    assert ours.available(START) == 13_999.8


@pytest.mark.parametrize(
    ("limit", "left", "remaining", "believed"),
    [(1_000, 900.0, 899.0, 900.0), (1_000, 900.0, 898.9, 898.9), (20, 20.0, 19.801, 20.0), (20, 20.0, 19.7, 19.7)],
)
def test_rounding_is_one_unit_and_a_hundredth_of_a_small_limit(limit, left, remaining, believed):
    ours = bucket(limit, left=left)
    ours.learn(limit, MINUTE, remaining, START)
    assert ours.available(START) == pytest.approx(believed)


def test_learning_late_news_refills_nothing_twice():
    ours = bucket(60, left=0)
    ours.updated = START + 30
    ours.learn(60, MINUTE, None, START)
    assert ours.available(START + 30) == 0


def test_of_a_limit_of_one_nothing_left_is_believed():
    ours = bucket(1, window=1)
    ours.learn(1, 1, 0, START)
    assert ours.available(START) == 0


def test_a_new_limit_keeps_what_was_used():
    ours = bucket(1_000)
    ours.take(300, START)
    ours.learn(500, MINUTE, None, START)
    assert ours.available(START) == 200
    ours.learn(2_000, MINUTE, None, START)
    assert ours.available(START) == 1_700


def test_nothing_learned_fills_it_beyond_its_capacity():
    ours = bucket(100)
    ours.learn(100, MINUTE, 5_000, START)
    assert ours.available(START) == 100


# the limits of one scope


def test_no_limit_known_means_nothing_is_refused():
    assert Quota().admit({"requests": 1e9}, START) is None


def test_every_window_of_every_axis_must_have_room():
    limits = Quota()
    limits.configure("requests", 30, MINUTE, START)
    limits.configure("requests", 1_000, DAY, START)
    limits.configure("tokens", 6_000, MINUTE, START)
    for _ in range(30):
        limits.reserve({"requests": 1, "tokens": 100}, START)
    assert wait(limits, requests=1, tokens=100) == pytest.approx(2)
    assert wait(limits, requests=1, tokens=6_000) == pytest.approx(30)
    assert wait(limits, requests=1, tokens=6_001) == NEVER
    assert limits.admit({"audio_seconds": 10}, START) is None


def test_a_call_that_needs_nothing_of_an_axis_is_not_held_up_by_its_debt():
    limits = quota(requests=(10, MINUTE), tokens=(100, MINUTE))
    limits.settle(limits.reserve({"tokens": 100}, START), {"tokens": 500}, START)
    assert wait(limits, requests=1, tokens=0) == 0
    limits.reserve({"requests": 1}, START)
    assert [s.left for s in limits.standing(START)] == [9, -400]


def test_a_limit_per_second_is_a_limit():
    limits = Quota()
    assert limits.learn("requests", 1, 1, 0, START, source="header")
    assert wait(limits, requests=1) == pytest.approx(1)


def test_a_limit_of_one_request_has_no_half_to_keep():
    quota = Quota()
    quota.configure("requests", 1, 1.0, 100.0)
    assert quota.ready_at({"requests": 1}, 100.0, keep=0.5) == 100.0
    quota.reserve({"requests": 1}, 100.0)
    assert quota.ready_at({"requests": 1}, 100.0, keep=0.5) == pytest.approx(101.0)


def test_admit_takes_nothing_and_reserve_takes_everywhere():
    limits = quota(requests=(2, MINUTE), tokens=(100, MINUTE))
    for _ in range(10):
        assert limits.admit({"requests": 1, "tokens": 60}, START) is None
    limits.reserve({"requests": 1, "tokens": 60}, START)
    assert [s.left for s in limits.standing(START)] == [1, 40]
    assert wait(limits, requests=1, tokens=60) == pytest.approx(12)


def test_settling_gives_back_what_was_reserved_too_much():
    limits = quota(requests=(10, MINUTE), tokens=(1_000, MINUTE))
    reservation = limits.reserve({"requests": 1, "tokens": 900}, START)
    limits.settle(reservation, {"tokens": 120}, START)
    assert {s.axis: s.left for s in limits.standing(START)} == {"requests": 9, "tokens": 880}


def test_settling_takes_what_was_reserved_too_little():
    limits = quota(tokens=(1_000, MINUTE))
    limits.settle(limits.reserve({"tokens": 100}, START), {"tokens": 1_300}, START)
    assert wait(limits, tokens=1) == pytest.approx(301 / 1_000 * 60)


def test_releasing_gives_all_back():
    limits = quota(requests=(10, MINUTE), tokens=(1_000, MINUTE))
    limits.release(limits.reserve({"requests": 1, "tokens": 900}, START), START)
    assert [s.left for s in limits.standing(START)] == [10, 1_000]


def test_a_reservation_is_settled_or_released_once():
    limits = quota(tokens=(1_000, MINUTE))
    limits.reserve({"tokens": 500}, START)
    reservation = limits.reserve({"tokens": 300}, START)
    for _ in range(3):
        limits.release(reservation, START)
        limits.settle(reservation, {"tokens": 0}, START)
    assert limits.standing(START)[0].left == 500
    assert limits.buckets["tokens", MINUTE].held == 500


def test_a_limit_learned_while_a_call_is_under_way_does_not_disturb_its_reservation():
    limits = Quota()
    reservation = limits.reserve({"tokens": 500}, START)
    limits.learn("tokens", 1_000, MINUTE, 400, START, source="header")
    limits.settle(reservation, {"tokens": 10}, START)
    assert limits.standing(START)[0].left == 400


def test_only_the_providers_word_moves_a_learned_limit():
    limits = quota(requests=(30, MINUTE))
    assert limits.learn("requests", 20, MINUTE, None, START, source="text")
    assert not limits.configure("requests", 500, MINUTE, START)
    limits.settle(limits.reserve({"requests": 25}, START), {"requests": 25}, START)
    assert limits.buckets["requests", MINUTE].capacity == 20
    assert limits.learn("requests", 60, MINUTE, None, START, source="header")
    assert limits.buckets["requests", MINUTE].capacity == 60


def test_a_limit_is_news_once():
    limits = Quota()
    assert limits.configure("tokens", 6_000, MINUTE, START)
    assert not limits.configure("tokens", 6_000, MINUTE, START)
    assert limits.configure("tokens", 7_000, MINUTE, START)
    assert limits.learn("tokens", 7_000, MINUTE, 5, START, source="header"), "now it is known, not believed"
    assert not limits.learn("tokens", 7_000, MINUTE, 4, START, source="text")


@pytest.mark.parametrize("limit", [0, -1, math.nan, math.inf])
@pytest.mark.parametrize("window", [MINUTE, 0, -5, math.nan, math.inf])
def test_a_limit_that_makes_no_sense_is_not_taken_over(limit, window):
    limits = Quota()
    assert not limits.learn("requests", limit, window, 0, START, source="header")
    assert not limits.learn("requests", 10, 0, 0, START, source="header")
    assert limits.admit({"requests": 5}, START) is None


@pytest.mark.parametrize("remaining", [math.nan, math.inf, -math.inf])
def test_a_remaining_that_makes_no_sense_is_not_told(remaining):
    limits = quota(requests=(10, MINUTE))
    limits.learn("requests", 10, MINUTE, remaining, START, source="header")
    assert limits.standing(START)[0].left == 10


def test_an_operator_can_say_that_a_limit_jumps_and_learning_it_keeps_that():
    limits = Quota()
    limits.configure("requests", 50, DAY, START, fixed=True)
    limits.learn("requests", 1_000, DAY, 0, START, source="header")
    assert limits.admit({"requests": 1}, START) == (START // DAY + 1) * DAY
    limits.configure("requests", 50, DAY, START, fixed=False)
    assert wait(limits, requests=1) == pytest.approx(86.4)


def test_a_restart_does_not_fill_a_days_quota_again():
    limits = quota(requests=(50, DAY), tokens=(6_000, MINUTE))
    limits.reserve({"requests": 49, "tokens": 100}, START)
    again = Quota.from_list(json.loads(json.dumps(limits.to_list())))
    assert again.standing(START + 10) == limits.standing(START + 10)
    assert again.buckets["requests", DAY].held == 0


@pytest.mark.parametrize("row", [{}, {"axis": "tokens", "window": 60, "limit": 0, "level": 0, "updated": 0}])
def test_what_was_never_saved_is_not_restored(row):
    with pytest.raises((KeyError, ValueError)):
        Quota.from_list([row])


def test_the_standing_is_sorted_for_people():
    limits = Quota()
    limits.configure("tokens", 1, DAY, START)
    limits.learn("tokens", 2, MINUTE, 1, START, source="text")
    limits.configure("requests", 3, MINUTE, START)
    assert [(s.axis, s.window, s.limit, s.left, s.source) for s in limits.standing(START)] == [
        ("requests", MINUTE, 3, 3, "configured"),
        ("tokens", MINUTE, 2, 1, "text"),
        ("tokens", DAY, 1, 1, "configured"),
    ]


class QuotaMachine(RuleBasedStateMachine):
    """Two windows of one axis against plain bookkeeping: what was used, and what is reserved."""

    under_way: Bundle[Reservation] = Bundle("under_way")

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.quota = Quota()
        self.quota.configure("tokens", 100, MINUTE, START)
        self.quota.configure("tokens", 1_000, DAY, START)
        self.held: dict[Reservation, float] = {}

    @rule(seconds=st.floats(0, 120))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(target=under_way, need=st.floats(0.5, 100))
    def reserve(self, need: float) -> Reservation:
        """As the engine does: wait until there is room, then take it."""
        at = self.quota.admit({"tokens": need}, self.now)
        if at is not None:
            assert self.now < at < NEVER
            self.now = at
        assert self.quota.admit({"tokens": need}, self.now) is None
        reservation = self.quota.reserve({"tokens": need}, self.now)
        self.held[reservation] = need
        return reservation

    @rule(reservation=consumes(under_way), share=st.floats(0, 1))
    def settle(self, reservation: Reservation, share: float) -> None:
        need = self.held.pop(reservation)
        before = self.left()
        self.quota.settle(reservation, {"tokens": need * share}, self.now)
        assert all(now >= then - 1e-6 for now, then in zip(self.left(), before, strict=True))

    @rule(reservation=consumes(under_way))
    def release(self, reservation: Reservation) -> None:
        need = self.held.pop(reservation)
        before = self.left()
        self.quota.release(reservation, self.now)
        for now, then, limit in zip(self.left(), before, (100, 1_000), strict=True):
            assert now == pytest.approx(min(then + need, limit))

    def left(self) -> list[float]:
        return [standing.left for standing in self.quota.standing(self.now)]

    @invariant()
    def what_is_held_is_what_is_under_way(self) -> None:
        for one in self.quota.buckets.values():
            assert one.held == pytest.approx(sum(self.held.values()), abs=1e-6)

    @invariant()
    def nothing_is_overdrawn_or_overfull(self) -> None:
        for left, limit in zip(self.left(), (100, 1_000), strict=True):
            assert -1e-3 <= left <= limit


TestQuotaMachine = QuotaMachine.TestCase
TestQuotaMachine.settings = settings(max_examples=50, deadline=None)


# a provider's number is as old as the call it answers


def under_way(ours: Quota, **needs: float) -> Reservation:
    return ours.reserve(needs, START)


def told(ours: Quota, remaining: float, answers: Reservation | None, later: float, *, counted: bool = True) -> None:
    ours.learn("tokens", 6_000, MINUTE, remaining, START + later, source="header", answers=answers, counted=counted)


def left(ours: Quota, later: float, axis: str = "tokens") -> float:
    return next(s.left for s in ours.standing(START + later) if s.axis == axis)


def test_what_was_refilled_while_a_call_ran_is_not_lost_by_its_answer():
    ours = quota(tokens=(6_000, MINUTE))
    first = under_way(ours, tokens=4_000)
    told(ours, 2_000, first, 10)  # as it stood ten seconds ago; a thousand tokens came back since
    assert left(ours, 10) == pytest.approx(3_000)


def test_a_stranger_on_the_account_is_noticed_once_however_many_answers_tell_of_him():
    ours = quota(tokens=(6_000, MINUTE))
    calls = [under_way(ours, tokens=100) for _ in range(5)]
    for number, call in enumerate(calls, 1):
        told(ours, 6_000 - 100 * number - 2_000, call, 1)
    assert left(ours, 1) == pytest.approx(6_000 - 500 - 2_000 + 100)


def test_a_refused_call_was_not_counted_by_who_tells_what_is_left():
    ours = quota(tokens=(6_000, MINUTE))
    call = under_way(ours, tokens=4_000)
    told(ours, 6_000, call, 1, counted=False)
    assert left(ours, 1) == pytest.approx(2_100)
    told(ours, 1_000, call, 1, counted=False)
    ours.settle(call, {"tokens": 0.0}, START + 1)
    assert left(ours, 1) == pytest.approx(1_100)


def test_what_is_told_of_a_window_that_is_over_says_nothing_of_the_new_one():
    day = Quota()
    day.configure("requests", 50, DAY, START, fixed=True)
    late = (START // DAY + 1) * DAY - 1
    call = day.reserve({"requests": 1.0}, late)
    day.learn("requests", 50, DAY, 3, late + 2, source="text", answers=call)
    assert day.buckets["requests", DAY].available(late + 2) == 50
    day.release(call, late + 2)
    assert day.buckets["requests", DAY].available(late + 2) == 50


@given(
    st.lists(st.tuples(st.floats(0, 20), st.integers(1, 2_000), st.integers(0, 2_000)), min_size=1, max_size=30),
    st.integers(1, 5),
)
def test_truthful_answers_never_move_a_bucket_that_is_right(steps, at_once):
    """The provider counts as we do, rounds down, and answers later: nobody else is there, so nothing is corrected."""
    ours, now = quota(tokens=(6_000, MINUTE)), START
    calls: list[tuple[Reservation, float, int]] = []
    bucket = ours.buckets["tokens", MINUTE]
    for passed, need, used in steps:
        now += passed
        if ours.admit({"tokens": need}, now) is None:
            call = ours.reserve({"tokens": float(need)}, now)
            calls.append((call, math.floor(bucket.available(now)), used))
        if len(calls) >= at_once:
            call, remaining, real = calls.pop(0)
            ours.learn("tokens", 6_000, MINUTE, remaining, now, source="header", answers=call)
            ours.settle(call, {"tokens": float(real)}, now)
    assert abs(bucket.shifted) < 1e-6


# limits to start with


def test_of_two_starts_the_table_gives_way_and_what_was_used_is_kept():
    ours = Quota()
    assert ours.configure("requests", 1_000, DAY, START, source="plan")
    ours.reserve({"requests": 40.0}, START)
    assert ours.configure("requests", 500, DAY, START)
    assert not ours.configure("requests", 1_000, DAY, START, source="plan")
    assert left(ours, 0, "requests") == 460
    assert ours.learn("requests", 500, DAY, None, START, source="header"), "now it is known for certain"
    assert not ours.configure("requests", 1_000, DAY, START)


def test_a_table_the_account_is_no_longer_on_is_forgotten_and_nothing_else():
    ours = quota(tokens=(6_000, MINUTE))
    ours.configure("requests", 30, MINUTE, START, source="plan")
    ours.configure("requests", 1_000, DAY, START, source="plan")
    ours.forget_plans({("requests", DAY)})
    assert set(ours.buckets) == {("tokens", MINUTE), ("requests", DAY)}


def test_a_bucket_with_debt_lets_a_large_request_through_when_it_is_full_and_makes_the_next_wait():
    ours = Quota()
    ours.configure("tokens", 1_000, 1.0, START, debt=True)
    assert wait(ours, tokens=3_500) == 0.0
    ours.reserve({"tokens": 3_500}, START)
    assert wait(ours, tokens=10) == pytest.approx(2.51)
    assert wait(ours, tokens=9_999) == pytest.approx(3.5)


def test_what_was_used_before_a_restart_is_still_used_after_it():
    before = quota(requests=(50, DAY), tokens=(6_000, MINUTE))
    before.buckets["requests", DAY].fixed = True
    before.reserve({"requests": 30.0, "tokens": 6_000.0}, START)
    after = Quota()
    after.configure("requests", 1_000, DAY, START + 10, fixed=True)  # the account was upgraded meanwhile
    after.configure("tokens", 6_000, MINUTE, START + 10)
    after.resume(Quota.from_list(json.loads(json.dumps(before.to_list()))), START + 10)
    assert left(after, 10, "requests") == 970
    assert left(after, 10) == pytest.approx(1_000)
    assert left(after, 2 * DAY, "requests") == 1_000
