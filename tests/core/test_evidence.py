"""Hours as one: old ones count for less, and what was believed comes from the nearest source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.evidence import HALF_LIFE, NONE, Believed, Hour, Measured, Spread, decay, priors, together, weighed

NOW = 1000


def test_an_hour_counts_half_as_much_every_half_life():
    assert decay(NOW, NOW) == 1.0
    assert decay(NOW - int(HALF_LIFE), NOW) == 0.5
    assert decay(NOW - 2 * int(HALF_LIFE), NOW) == 0.25
    assert decay(NOW + 1, NOW) == 1.0, "a clock that was set back makes nothing count more"


@given(st.lists(st.floats(1.0, 1e5), min_size=1, max_size=30), st.lists(st.floats(1.0, 1e5), min_size=1, max_size=30))
def test_spreads_add_up_like_their_values(one, other):
    both = together([(float(len(one)), Spread.of(one)), (float(len(other)), Spread.of(other))])
    whole = Spread.of([*one, *other])
    assert both.n == whole.n
    assert both.mean == pytest.approx(whole.mean)
    assert both.variance == pytest.approx(whole.variance, rel=1e-6, abs=1e-3)


def test_nothing_is_nothing():
    assert together([]) == together([(1.0, NONE), (0.0, Spread(3, 1.0, 1.0))]) == NONE == Spread.of([])
    assert weighed(Measured(1), NOW).tries == 0
    assert weighed(Measured(1), NOW).share is None


def test_this_morning_says_more_than_yesterday():
    quick, slow = Spread(60, 1000.0), Spread(60, 3000.0)
    found = weighed(Measured(7, {NOW: Hour(60, 0, slow), NOW - 18: Hour(60, 60, quick, Spread(60, 500.0))},
                             limited=20), NOW)  # fmt: skip
    assert (found.deployment, found.ok, found.failed, found.rate_limited, found.tries) == (7, 120, 40, 20, 180)
    assert found.mean_ms == pytest.approx((3000 + 0.125 * 1000) / 1.125)
    assert found.fail_ms == 500.0
    assert found.weight == pytest.approx(60 + 0.125 * 120)
    assert found.share == pytest.approx((60 + 0.125 * 60) / (60 + 0.125 * 120))


def test_what_is_believed_comes_from_the_nearest_source():
    found = priors({
        1: Believed("llama", verified_ms=900.0, configured_ms=5000.0),
        2: Believed("llama", configured_ms=2000.0),
        3: Believed("llama"),
        4: Believed("qwen"),
    })  # fmt: skip
    assert found == {
        1: (900.0, "its verification"),
        2: (2000.0, "what is configured"),
        3: (1450.0, "the middle of the family llama"),
        4: (1450.0, "the middle of the pool"),
    }
    assert priors({1: Believed()}) == {1: (None, "")}
