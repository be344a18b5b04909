"""What a breaker counts: totals of a sliding window against the plain list of events, and when it is too much."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rotation.core.policy import BALANCED
from rotation.core.tally import SLICES, Tally, Window

STEPS = st.lists(st.tuples(st.floats(0, 40) | st.floats(0, 0.5), st.booleans(), st.booleans()), max_size=60)
RARE = replace(BALANCED, consecutive_failures=10**9)


@given(STEPS, st.floats(1, 100), st.floats(0, 2e9))
def test_the_running_totals_are_those_of_the_events_in_the_last_ten_slices(steps, length, start):
    window, events, now = Window(length), [], start
    for passed, failed, slow in steps:
        now += passed
        window.add(now, failed=failed, slow=slow)
        events.append((now // (length / SLICES), failed, slow))
        alive = [event for event in events if event[0] > now // (length / SLICES) - SLICES]
        assert window.calls == len(alive)
        assert window.failures == sum(failed for _, failed, _ in alive)
        assert window.slow == sum(slow for _, _, slow in alive)


def test_a_call_is_remembered_for_nine_to_ten_tenths_of_the_window():
    for length in (30.0, 0.5):
        for passed, remembered in ((0.899, 2), (1.001, 1)):
            window = Window(length)
            for now in (1000.0, 1000.0 + length * passed):
                window.add(now, failed=False, slow=False)
            assert window.calls == remembered


def test_a_clock_that_goes_back_loses_no_count():
    window = Window(30.0)
    for now in (100.0, 50.0, 100.0):
        window.add(now, failed=True, slow=False)
    assert (window.calls, window.failures) == (3, 3)
    window.clear()
    assert (window.calls, window.failures, window.slow) == (0, 0, 0)


def add(tally: Tally, outcomes: str, *, every: float = 0.1, start: float = 0.0) -> list[str | None]:
    """f fails, s is a slow answer, t a failure by time-out, anything else a good answer; one after the other."""
    return [
        tally.add(start + every * n, 40.0 if one in "st" else 0.5, failed=one in "ft") for n, one in enumerate(outcomes)
    ]


def test_the_fifth_failure_in_a_row_is_one_too_many():
    assert add(Tally(BALANCED), "fffff") == [None] * 4 + ["5 failures in a row"]


def test_an_answer_between_failures_starts_the_row_anew():
    assert add(Tally(BALANCED), "ffff.ffff") == [None] * 9


def test_half_of_ten_calls_failing_is_too_much_and_nine_calls_are_too_few():
    assert add(Tally(BALANCED), ".f.f.f.f.f") == [None] * 9 + ["5 of 10 calls failed within 30 s"]
    assert add(Tally(RARE), ".fffffff") == [None] * 8


def test_less_than_half_of_the_calls_failing_is_bearable():
    assert add(Tally(RARE), "." * 11 + "f" * 10)[-1] is None
    assert add(Tally(RARE), "." * 10 + "f" * 10)[-1] == "10 of 20 calls failed within 30 s"


def test_a_good_answer_never_opens_even_when_it_is_the_tenth_call():
    assert add(Tally(RARE), "fffffffff.") == [None] * 10


def test_failures_outside_the_window_do_not_count_for_the_share():
    tally = Tally(RARE)
    add(tally, "fffffffff")
    assert tally.add(31.0, 0.5, failed=True) is None


def test_eight_slow_calls_of_ten_are_too_many_though_all_were_answered():
    assert add(Tally(BALANCED), "..ssssssss") == [None] * 9 + [
        "8 of 10 calls took 30 s or more within 30 s",
    ]
    assert add(Tally(BALANCED), "...sssssss")[-1] is None


def test_a_failure_that_took_long_is_slow_too():
    tally = Tally(replace(RARE, failure_share=None))
    assert add(tally, "..tttttttt")[-1] == "8 of 10 calls took 30 s or more within 30 s"


def test_exactly_the_slow_duration_is_slow_and_less_is_not():
    tally = Tally(replace(BALANCED, minimum_calls=1))
    assert tally.add(0.0, 29.999, failed=False) is None
    tally.clear()
    assert tally.add(0.0, 30.0, failed=False) == "1 of 1 calls took 30 s or more within 30 s"


def test_shares_can_be_switched_off():
    tally = Tally(replace(RARE, failure_share=None, slow_share=None))
    assert add(tally, "t" * 50) == [None] * 50


def test_a_cleared_tally_starts_from_nothing():
    tally = Tally(BALANCED)
    add(tally, "ffff")
    tally.clear()
    assert add(tally, "ffff") == [None] * 4
