"""Planning for a deadline: whom first, how long each, and when it is hopeless."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.deadlines import EVIDENCE, FEW, first_in_time, fits, had_its_time, out_of_reach, share
from rotation.core.expectation import Heard

seconds = st.floats(0.001, 600)


@st.composite
def hearsay(draw: st.DrawFn) -> Heard:
    low, middle, high = sorted(draw(st.tuples(seconds, seconds, seconds)))
    return Heard(low, middle, high, draw(st.floats(0, 64)))


maybe = st.none() | hearsay()


def heard(p50: float, *, p5: float | None = None, p95: float | None = None, samples: float = 64) -> Heard:
    return Heard(p5 or p50, p50, p95 or p50, samples)


def test_a_median_with_a_margin_must_fit_what_is_left() -> None:
    assert fits(heard(1.0), 1.25)
    assert not fits(heard(1.0), 1.24)
    assert fits(None, 0.001)
    assert fits(heard(100.0, samples=FEW - 1), 0.001)


def test_the_first_that_fits_goes_first() -> None:
    known = {"slow": heard(5.0), "quick": heard(0.5), "quicker": heard(0.1)}
    names = list(known)
    assert first_in_time(names, known.get, 10.0) == "slow"
    assert first_in_time(names, known.get, 2.0) == "quick"
    assert first_in_time(names, known.get, 0.05) == "quicker"
    assert first_in_time([], known.get, 1.0) is None


def test_alone_a_target_gets_all_that_is_left_of_its_own_time() -> None:
    assert share(5.0, 3.0, None, another=False) == 3.0
    assert share(5.0, 30.0, None, another=False) == 5.0


def test_with_another_behind_it_half_is_left_for_that_one() -> None:
    assert share(60.0, 3.0, None, another=True) == 1.5
    assert share(60.0, 3.0, heard(0.2, p95=0.4), another=True) == 1.5
    assert share(60.0, 3.0, heard(0.8, p95=1.4), another=True) == pytest.approx(2.1)
    assert share(60.0, 3.0, heard(0.8, p95=5.0), another=True) == 3.0
    assert share(1.0, 30.0, heard(0.2), another=True) == 1.0


@given(seconds, seconds, maybe, st.booleans())
def test_a_share_is_never_more_than_its_own_time_or_what_is_left(
    own: float, left: float, known: Heard | None, another: bool
) -> None:
    given_ = share(own, left, known, another=another)
    assert 0 < given_ <= min(own, left)
    if another and not had_its_time(given_, known):
        assert given_ in (own, left) or given_ >= left / 2


@given(st.lists(maybe, max_size=8), seconds)
def test_whoever_goes_first_is_free_and_fits_if_anybody_does(known: list[Heard | None], left: float) -> None:
    found = first_in_time(range(len(known)), known.__getitem__, left)
    assert (found is None) == (not known)
    if found is not None and any(fits(one, left) for one in known):
        assert fits(known[found], left)
        assert not any(fits(one, left) for one in known[:found])


def test_a_deadline_below_everybodys_quickest_is_out_of_reach() -> None:
    slow, slower = heard(2.0, p5=1.0), heard(3.0, p5=2.0)
    assert out_of_reach([slower, slow], 0.9) == slow
    assert out_of_reach([slower, slow], 1.0) is None
    assert out_of_reach([slower, slow], 0.9, caution=0.5) is None
    assert out_of_reach([slower, slow], 0.4, caution=0.5) == slow


def test_without_evidence_of_all_no_deadline_is_refused() -> None:
    assert out_of_reach([heard(2.0), None], 0.1) is None
    assert out_of_reach([heard(2.0), heard(2.0, samples=EVIDENCE - 1)], 0.1) is None
    assert out_of_reach([], 0.1) is None


@given(st.lists(maybe, min_size=1, max_size=8), seconds)
def test_what_is_called_out_of_reach_would_have_been_late_nineteen_times_in_twenty(
    known: list[Heard | None], left: float
) -> None:
    quickest = out_of_reach(known, left)
    if quickest is not None:
        assert all(one is not None and left < one.p5 for one in known)
