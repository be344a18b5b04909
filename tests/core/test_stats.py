"""Histograms that add up, quantiles that stay inside their bucket, intervals, tiers, the ring of recent values."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.stats import (
    BUCKETS,
    EDGES,
    Recent,
    Tier,
    bucket_of,
    histogram,
    merge,
    quantile,
    tier,
    value_of,
    wilson,
)

TIMES = st.floats(1.0, 600_000.0)


@given(TIMES)
def test_a_duration_lies_within_its_bucket(ms):
    bucket = bucket_of(ms)
    assert EDGES[bucket] <= ms < EDGES[bucket + 1]


@given(TIMES)
def test_the_bucket_is_the_formula_up_to_rounding_at_an_edge(ms):
    assert abs(bucket_of(ms) - math.log(ms) / math.log(1.1)) <= 1.0 + 1e-9


@pytest.mark.parametrize("ms", [-1.0, 0.0, 0.999, math.nan, -math.inf])
def test_what_is_no_duration_goes_to_the_first_bucket(ms):
    assert bucket_of(ms) == 0


@pytest.mark.parametrize("ms", [1e6, 1e300, math.inf])
def test_what_is_longer_than_all_goes_to_the_last_bucket(ms):
    assert bucket_of(ms) == BUCKETS - 1 == 139


def test_a_histogram_counts_every_value_once():
    counts = histogram([1.0, 1.05, 500.0])
    assert (len(counts), sum(counts), counts[0], counts[bucket_of(500.0)]) == (140, 3, 2, 1)


def test_an_edge_belongs_to_the_bucket_above_it():
    assert [bucket_of(edge) for edge in EDGES[:-1]] == list(range(BUCKETS))


def test_the_value_of_a_bucket_is_its_geometric_middle():
    for bucket in (0, 1, 70, 139):
        assert value_of(bucket) == pytest.approx(math.sqrt(EDGES[bucket] * EDGES[bucket + 1]))


@given(st.lists(TIMES, min_size=1), st.floats(0, 1))
def test_a_quantile_is_within_a_bucket_of_the_true_one(values, q):
    found = quantile(histogram(values), q)
    rank = max(math.ceil(q * len(values)), 1)
    true = sorted(values)[rank - 1]
    assert found is not None
    assert true / 1.1001 <= found <= true * 1.1001


@given(st.lists(TIMES, min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_quantile_is_never_lower(values, a, b):
    low, high = (quantile(histogram(values), q) for q in sorted((a, b)))
    assert low is not None
    assert high is not None
    assert low <= high


def test_a_quantile_is_linear_inside_its_bucket():
    hist = [0] * BUCKETS
    hist[10] = 4
    low, high = EDGES[10], EDGES[11]
    assert quantile(hist, 0.0) == low
    assert quantile(hist, 0.5) == pytest.approx((low + high) / 2)
    assert quantile(hist, 1.0) == pytest.approx(high)


def test_a_quantile_skips_empty_buckets():
    hist = [0] * BUCKETS
    hist[3] = hist[90] = 1
    assert quantile(hist, 0.5) == pytest.approx(EDGES[4])
    assert quantile(hist, 0.51) == pytest.approx(EDGES[90], rel=0.01)


@pytest.mark.parametrize("hist", [None, [], [0] * BUCKETS])
def test_an_empty_histogram_has_no_quantile(hist):
    assert quantile(hist, 0.5) is None


@pytest.mark.parametrize("q", [-1.0, 2.0])
def test_a_quantile_beyond_the_ends_is_the_end(q):
    assert quantile(histogram([100.0]), q) == quantile(histogram([100.0]), min(max(q, 0.0), 1.0))


@given(st.lists(TIMES), st.lists(TIMES))
def test_merging_histograms_is_counting_both_at_once(a, b):
    assert merge(histogram(a), histogram(b)) == histogram([*a, *b])


def test_merging_takes_none_and_short_histograms_for_zeros():
    assert merge(None, [1, 2]) == [1, 2] + [0] * (BUCKETS - 2)
    assert merge(None, None) == [0] * BUCKETS


def test_wilsons_interval_of_eighty_in_a_hundred():
    assert wilson(80, 100) == pytest.approx((0.7112, 0.8666), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(1, 1) == pytest.approx((0.2065, 1.0), abs=1e-4)
    assert wilson(12, 10) == wilson(10, 10)
    assert wilson(10, 10)[1] == 1.0
    assert wilson(0, 10)[0] == 0.0


@given(st.integers(0, 1000), st.integers(1, 1000), st.floats(0.1, 5))
def test_wilsons_interval_holds_the_share_and_stays_a_share(successes, n, z):
    low, high = wilson(min(successes, n), n, z)
    assert 0 <= low <= min(successes, n) / n + 1e-9
    assert min(successes, n) / n - 1e-9 <= high <= 1


@given(st.integers(1, 100))
def test_more_tries_make_wilsons_interval_narrower(n):
    assert wilson(8 * n, 10 * n)[1] - wilson(8 * n, 10 * n)[0] > wilson(80 * n, 100 * n)[1] - wilson(80 * n, 100 * n)[0]


@pytest.mark.parametrize(
    ("ms", "name"),
    [
        (0, "ultra-fast"),
        (1999.9, "ultra-fast"),
        (2000, "fast"),
        (4999.9, "fast"),
        (5000, "balanced"),
        (14_999.9, "balanced"),
        (15_000, "slow"),
        (math.inf, "slow"),
    ],
)
def test_tiers_by_median(ms, name):
    assert tier(ms) is Tier(name)


def test_an_empty_ring_has_no_quantiles():
    assert (Recent().p50, Recent().p95) == (None, None)


def test_the_ring_holds_sixty_four_unless_told_otherwise():
    recent = Recent()
    for value in range(200):
        recent.add(float(value))
    assert len(recent) == 64
    assert [recent.quantile(q) for q in (-1.0, 0.0, 1.0, 2.0)] == [136.0, 136.0, 199.0, 199.0]


def test_the_ring_forgets_in_the_order_of_arrival():
    recent = Recent(size=3)
    for value in (9.0, 8.0, 7.0, 1.0, 2.0):
        recent.add(value)
    assert [recent.quantile(q) for q in (0.0, 0.5, 1.0)] == [1.0, 2.0, 7.0]


def test_the_ring_forgets_the_oldest():
    recent = Recent(size=3)
    for value in (100.0, 1.0, 2.0, 3.0):
        recent.add(value)
    assert len(recent) == 3
    assert recent.p50 == 2.0
    recent.add(50.0)
    assert recent.p50 == 3.0


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200), st.integers(1, 8))
def test_the_ring_is_the_last_values_whatever_was_asked_between(values, size):
    recent = Recent(size)
    for value in values:
        recent.add(value)
        assert recent.p95 is not None
    last = values[-size:]
    assert recent.quantile(0.0) == min(last)
    assert recent.quantile(1.0) == max(last)
    assert recent.p50 == pytest.approx(sorted(last)[len(last) // 2]) or len(last) % 2 == 0


def test_p95_is_linear_between_neighbours():
    recent = Recent()
    for value in range(1, 22):
        recent.add(float(value))
    assert recent.p95 == 20.0
    recent.add(22.0)
    assert recent.p95 == pytest.approx(20.95)


def test_the_ring_leaves_out_what_is_no_number():
    recent = Recent()
    for value in (math.nan, math.inf, 4.0):
        recent.add(value)
    assert len(recent) == 1
    assert recent.p95 == 4.0


def test_a_ring_without_room_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        Recent(0)
