"""How numbers are written: short, and never rounded into a lie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import figures


@pytest.mark.parametrize(
    ("ms", "written"),
    [
        (None, "–"),
        (0, "0 ms"),
        (0.4, "0.4 ms"),
        (38, "38 ms"),
        (140, "0.14 s"),
        (868, "0.87 s"),
        (2310, "2.31 s"),
        (4_200, "4.2 s"),
        (48_000, "48 s"),
        (134_000, "2 min 14 s"),
    ],
)
def test_latencies_are_written_with_what_a_person_reads(ms, written):
    assert figures.seconds(ms) == written


@pytest.mark.parametrize(
    ("part", "whole", "written"),
    [
        (0, 0, "–"),
        (0, 10, "0%"),
        (10, 10, "100%"),
        (978, 1000, "97.8%"),
        (4020, 4021, "99.97%"),
        (99_998, 100_000, "99.998%"),
        (9_999_999, 10_000_000, "99.9999%"),
        (1, 3, "33.3%"),
    ],
)
def test_shares_are_cut(part, whole, written):
    assert figures.percent(part, whole) == written


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_share_says_all_or_nothing_only_when_it_is(part, whole):
    written = figures.percent(part, whole)
    assert (written == "100%") == (part >= whole)
    assert written != "0%"
    if part < whole:
        assert float(written[:-1]) <= 100 * part / whole


@pytest.mark.parametrize(
    ("dollars", "written"),
    [
        (None, "–"),
        (Decimal(0), "$0.00"),
        (Decimal("6.409"), "$6.41"),
        (0.0013, "$0.0013"),
        (0.00000005, "<$0.0001"),
        (-2, "−$2.00"),
        (12345.6, "$12,345.60"),
    ],
)
def test_money_shows_small_costs_too(dollars, written):
    assert figures.money(dollars) == written


@pytest.mark.parametrize(
    ("span", "written"),
    [
        (timedelta(seconds=14), "14 s"),
        (timedelta(minutes=11, seconds=40), "11 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(days=3, hours=4, minutes=9), "3 d 4 h"),
        (timedelta(days=3, minutes=9), "3 d"),
        (timedelta(seconds=-5), "0 s"),
    ],
)
def test_spans_keep_their_two_largest_units(span, written):
    assert figures.lasting(span) == written


def test_ages_are_one_unit_long():
    now = datetime(2025, 11, 20, 12, tzinfo=UTC)
    assert figures.ago(None, now) == "never"
    assert figures.ago(now - timedelta(seconds=2), now) == "just now"
    assert figures.ago(now - timedelta(days=3, hours=4), now) == "3 d ago"


@pytest.mark.parametrize(("n", "written"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd")])
def test_ordinals(n, written):
    assert figures.ordinal(n) == written


@pytest.mark.parametrize(("n", "written"), [(950, "950"), (12_400, "12.4k"), (20_000, "20k"), (3_100_000, "3.1M")])
def test_large_counts_are_shortened_where_room_is_small(n, written):
    assert figures.short_count(n) == written
