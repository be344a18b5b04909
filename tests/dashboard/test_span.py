"""Ranges begin on bucket edges and cover the running bucket."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.span import RANGES, WIDTH, floored, span_of

moments = st.integers(1_700_000_000, 1_900_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))


@given(st.sampled_from(sorted(RANGES)), moments)
def test_a_span_holds_now_and_begins_on_an_edge_of_its_grain(name, now):
    span = span_of(name, now)
    assert span.start < now < span.end or now == span.start
    assert span.end - span.start == span.range.length
    assert floored(span.start, WIDTH[span.range.grain]) == span.start


@given(st.sampled_from(sorted(RANGES)), moments)
def test_the_last_bar_is_the_one_now_lies_in(name, now):
    span = span_of(name, now)
    last = span.start + (span.bars - 1) * span.range.bar
    assert last < now <= last + span.range.bar or (now == last)
    assert span.bars <= 200


@pytest.mark.parametrize("name", [None, "", "24h", "a year", "1h' OR 1=1"])
def test_an_unknown_range_is_the_default_one(name):
    assert span_of(name, datetime(2025, 11, 20, 12, 7, tzinfo=UTC)).range.name == "24h"


def test_bars_of_a_day_are_quarters_of_an_hour():
    span = span_of("24h", datetime(2025, 11, 20, 12, 50, tzinfo=UTC))
    assert span.start == datetime(2025, 11, 19, 13, tzinfo=UTC)
    assert span.range.bar == timedelta(minutes=15)
    assert span.bars == 96


@given(st.sampled_from(sorted(RANGES)), moments)
def test_the_parts_of_a_span_are_the_span_in_whole_buckets(name, now):
    span = span_of(name, now)
    parts = span.parts()
    assert parts[0][1] == span.start
    assert parts[-1][2] == span.end
    for grain, start, end in parts:
        assert floored(start, WIDTH[grain]) == start < end
    for before, after in itertools.pairwise(parts):
        assert before[2] == after[1]
