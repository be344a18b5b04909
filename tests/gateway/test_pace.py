"""How long a deployment is waited for: by what it took lately, within bounds, longer after every time-out."""

from __future__ import annotations

import pytest

from rotation.core.policy import BALANCED
from rotation.gateway.pace import ENOUGH, FORGET, HALF_LIFE, Pace
from tests.gateway.parts import target

ONE, OTHER = target(1).deployment, target(2).deployment
CAP, FLOOR, WHOLE = BALANCED.first_content_cap, BALANCED.first_content_floor, BALANCED.whole_floor


def learned(first: float | None, elapsed: float = 0.0, count: int = ENOUGH) -> Pace:
    pace = Pace()
    for _ in range(count):
        pace.learn(ONE.id, first, elapsed)
    return pace


def test_an_unknown_deployment_is_given_the_longest_time() -> None:
    assert Pace().first_content(ONE, BALANCED, 0) == CAP
    assert learned(0.1, count=ENOUGH - 1).first_content(ONE, BALANCED, 0) == CAP


@pytest.mark.parametrize(("took", "given"), [(0.01, FLOOR), (4.0, 12.0), (19.0, 57.0), (30.0, CAP)])
def test_a_known_one_is_given_three_times_its_p95_within_the_bounds(took: float, given: float) -> None:
    assert learned(took).first_content(ONE, BALANCED, 0) == pytest.approx(given)
    assert learned(None, took).whole(ONE, BALANCED, 0, None) == pytest.approx(max(given, WHOLE))


def test_streams_and_whole_answers_and_deployments_are_kept_apart() -> None:
    pace = learned(0.1)
    assert pace.whole(ONE, BALANCED, 0, None) == CAP
    assert pace.first_content(OTHER, BALANCED, 0) == CAP


def test_every_time_out_of_a_call_doubles_the_next_wait_up_to_the_total() -> None:
    pace = learned(0.1)
    waits = [pace.first_content(ONE, BALANCED, n) for n in range(12)]
    assert waits[:4] == [FLOOR, 2 * FLOOR, 4 * FLOOR, 8 * FLOOR]
    assert waits[-1] == BALANCED.total == pace.whole(ONE, BALANCED, 12, 10**9)


def test_a_long_answer_is_given_the_time_it_needs() -> None:
    pace = learned(None, 0.1)
    assert pace.whole(ONE, BALANCED, 0, 1024) == WHOLE
    assert pace.whole(ONE, BALANCED, 0, 1024 + 2000) == WHOLE + 100


def test_what_is_heard_are_the_recent_times_worth_less_as_they_age() -> None:
    pace = learned(0.5, count=20)
    heard = pace.heard(ONE.id, stream=True, now=0.0)
    assert heard is not None
    assert (heard.p5, heard.p50, heard.p95, heard.samples) == (0.5, 0.5, 0.5, 20)
    later = pace.heard(ONE.id, stream=True, now=HALF_LIFE)
    assert later is not None
    assert later.samples == pytest.approx(10)


def test_nothing_is_heard_of_others_of_the_other_kind_or_of_long_ago() -> None:
    pace = learned(0.5)
    assert pace.heard(ONE.id, stream=False, now=0.0) is None
    assert pace.heard(OTHER.id, stream=True, now=0.0) is None
    assert pace.heard(ONE.id, stream=True, now=FORGET + 1) is None


def test_after_a_long_silence_old_times_do_not_speak_for_the_new_one() -> None:
    pace = learned(9.0, count=40)
    pace.learn(ONE.id, 0.1, 0.0, now=FORGET + 1)
    heard = pace.heard(ONE.id, stream=True, now=FORGET + 1)
    assert heard is not None
    assert (heard.p50, heard.samples) == (0.1, 1)
