"""What the charts draw: nothing outside its frame, everything said in words too."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts import ladder
from dashboard.charts.axis import BANDS, LogAxis, axis_for
from dashboard.charts.bars import Bar, bars
from dashboard.charts.ladder import Rung, health_of
from dashboard.charts.meter import meter
from dashboard.charts.sparkline import sparkline
from dashboard.charts.waterfall import Leg, Phase, leg_stretches, summary_stretches, waterfall
from rotation.core.stats import TIER_EDGES

ms = st.floats(0.1, 900_000)
UTC_ZONE = ZoneInfo("UTC")


def percents(svg: str) -> list[float]:
    return [float(value) for value in re.findall(r'"(-?[\d.]+)%"', svg)]


def test_the_bands_of_the_axis_are_the_tiers_edge_to_edge():
    assert [band.high for band in BANDS[:-1]] == [edge for edge, _ in TIER_EDGES]
    assert all(left.high == right.low for left, right in itertools.pairwise(BANDS))
    assert [band.range for band in BANDS] == ["<2 s", "2–5 s", "5–15 s", "≥15 s"]


@given(ms, ms)
def test_the_axis_keeps_the_order_of_latencies(a, b):
    axis = axis_for([a, b])
    assert (axis.at(a) <= axis.at(b)) == (a <= b) or axis.at(a) == axis.at(b)
    assert 0 <= axis.at(a) <= 100


@given(st.lists(ms))
def test_bands_fill_the_axis_and_ticks_stay_apart(values):
    axis = axis_for(values)
    assert sum(width for _, _, width in axis.bands()) == pytest.approx(100)
    places = [place for place, _ in axis.ticks()]
    assert places == sorted(places)
    assert 2 <= len(places) <= 7


@pytest.mark.parametrize(("ok", "of", "health"), [(0, 0, "none"), (98, 100, "ok"), (97, 100, "warn"), (80, 100, "bad")])
def test_colour_follows_success(ok, of, health):
    assert health_of(ok, of) == health


@given(st.integers(0, 10**6), ms, ms, ms)
def test_a_rung_stays_in_its_frame_and_says_its_numbers(attempts, a, b, c):
    p5, p50, p95 = sorted((a, b, c))
    rung = Rung("m", attempts, attempts, p5, p50, p95)
    drawn = ladder.row(rung, LogAxis(), most=10**6)
    assert all(0 <= value <= 100 for value in percents(drawn))
    assert "median" in drawn
    assert 'role="img"' in drawn


def test_an_unmeasured_rung_is_hollow_where_the_starter_data_puts_it():
    drawn = ladder.row(Rung("m", 0, 0, None, None, None, seed=880), LogAxis(), most=10)
    assert "dot seed" in drawn
    assert "whisker" not in drawn
    assert "not measured" in drawn
    assert "circle" not in ladder.row(Rung("m", 0, 0, None, None, None), LogAxis(), most=10)


counts = st.integers(0, 10**6)


@given(st.lists(st.tuples(counts, counts, counts), min_size=1, max_size=120))
def test_stacks_never_leave_the_chart(rows):
    start = datetime(2025, 11, 20, tzinfo=UTC)
    width = timedelta(minutes=15)
    series = [Bar(start + n * width, *row) for n, row in enumerate(rows)]
    drawn = bars(series, width=width, now=start, zone=UTC_ZONE, summary="all")
    root = ET.fromstring(drawn)
    for rect in root.iter("rect"):
        assert float(rect.get("y", "")) >= 10
        assert float(rect.get("y", "")) + float(rect.get("height", "")) <= 114.1
    assert sum(1 for g in root.iter("g")) == sum(1 for row in rows if any(row))


def test_bars_are_labelled_in_the_reader_s_zone():
    start = datetime(2025, 11, 20, 0, tzinfo=UTC)
    series = [Bar(start + n * timedelta(minutes=15), 1) for n in range(96)]
    drawn = bars(series, width=timedelta(minutes=15), now=start, zone=ZoneInfo("America/New_York"), summary="s")
    assert ">00:00<" in drawn
    assert "19:00–19:15" in drawn
    assert ">now<" in drawn


def test_no_bars_is_no_error():
    assert "now" not in bars([], width=timedelta(hours=1), now=datetime.now(UTC), zone=UTC_ZONE, summary="none")


@given(st.lists(st.none() | st.floats(-1e6, 1e6)))
def test_a_sparkline_fits_its_box(values):
    drawn = sparkline(values)
    points = re.findall(r"([\d.]+),([\d.]+)", drawn)
    assert bool(points) == (sum(v is not None for v in values) >= 2)
    assert all(0 <= float(x) <= 62 and 0 <= float(y) <= 18 for x, y in points)


def test_a_line_tells_failed_waited_and_answered_apart():
    legs = [Leg(ok=False, start=0, total=100), Leg(ok=True, start=600, total=400, connect=10, first=200)]
    assert [s.phase for s in summary_stretches(legs, 1000)] == [Phase.FAILED, Phase.WAITING, Phase.STREAMING]
    assert [s.phase for s in leg_stretches(legs[1])] == [Phase.CONNECTING, Phase.FIRST, Phase.STREAMING]
    assert [s.phase for s in leg_stretches(legs[0])] == [Phase.FAILED]


times = st.none() | st.floats(0, 1e6)


@given(st.booleans(), st.floats(0, 1e6), st.floats(0, 1e6), times, times)
def test_an_attempt_s_stretches_cover_it_exactly_whatever_the_numbers(ok, start, total, connect, first):
    leg = Leg(ok=ok, start=start, total=total, connect=connect, first=first)
    stretches = leg_stretches(leg)
    assert stretches[0].start == pytest.approx(start)
    assert stretches[-1].end == pytest.approx(leg.end)
    for before, after in itertools.pairwise(stretches):
        assert before.end == pytest.approx(after.start)
        assert before.start <= before.end + 1e-6
    drawn = waterfall(stretches, scale=leg.end, summary="s", tall=True)
    assert all(0 <= value <= 100.5 for value in percents(drawn))


@given(st.floats(0, 1e9), st.none() | st.floats(0, 1e9))
def test_a_meter_is_never_more_than_full(used, limit):
    assert all(0 <= value <= 100 for value in percents(meter(used, limit, summary="s")))
