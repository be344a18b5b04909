"""What is expected of a deployment: much evidence is believed, little is drawn towards what was known before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.expectation import CONFIDENCE, UNKNOWN, Heard, Known, expected

seconds = st.floats(0.001, 600)
knowledge = st.builds(
    Known,
    st.none() | st.builds(Heard, st.just(0.0), seconds, st.just(0.0), st.floats(0, 64)),
    st.none() | seconds | st.sampled_from([0.0, -1.0, float("nan"), float("inf")]),
)


def heard(p50: float, samples: float) -> Heard:
    return Heard(p50, p50, p50, samples)


def test_much_evidence_is_believed_and_little_is_not() -> None:
    slow, quick = Known(heard(10.0, 64), 1.0), Known(heard(10.0, 1), 1.0)
    found = expected({1: slow, 2: quick})
    assert found[1] > 8.0
    assert found[2] < 2.0


def test_as_many_samples_as_confidence_asks_for_meet_the_seed_half_way() -> None:
    assert expected({1: Known(heard(4.0, CONFIDENCE), 1.0)})[1] == pytest.approx(2.0)


def test_a_stranger_is_taken_to_be_like_the_middle_of_the_others() -> None:
    found = expected({1: Known(seed=1.0), 2: Known(seed=3.0), 3: Known(heard(2.0, 64)), 4: Known()})
    assert found[4] == pytest.approx(2.0)


def test_when_nobody_knows_anything_all_are_alike() -> None:
    assert set(expected({n: Known() for n in range(4)}).values()) == {UNKNOWN}
    assert expected({}) == {}


@given(st.dictionaries(st.integers(0, 20), knowledge))
def test_what_is_expected_is_always_a_time_and_lies_between_what_was_heard_and_known(known: dict[int, Known]) -> None:
    found = expected(known)
    assert found.keys() == known.keys()
    for name, value in found.items():
        assert 0 < value < float("inf")
        one = known[name]
        if one.heard and one.heard.samples > 0 and one.seed and 0 < one.seed < float("inf"):
            low, high = sorted((one.heard.p50, one.seed))
            assert low * 0.999 <= value <= high * 1.001
