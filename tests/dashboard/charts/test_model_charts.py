"""The charts of one model and of the catalogue: inside their frames, told in words too."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.heat import SHADES, Hour, heat
from dashboard.charts.lifetime import lifetime
from dashboard.charts.spread import rows, spread
from dashboard.charts.tides import HEIGHT, LABELS, Tide, tides
from rotation.core.stats import BUCKETS, histogram
from rotation.core.survival import Life, curve

days = st.integers(0, 400)
lives = st.lists(st.builds(lambda a, b, died: Life(min(a, b), max(a, b) + 1, died), days, days, st.booleans()))


def percents(svg: str) -> list[float]:
    return [float(value) for value in re.findall(r'"(-?[\d.]+)%"', svg)]


@given(st.lists(st.integers(0, 10**6), max_size=BUCKETS))
def test_a_spread_stays_in_its_frame_and_its_table_counts_the_same(counts):
    drawn = spread(counts, summary="all")
    ET.fromstring(drawn)
    assert all(0 <= value <= 100 for value in percents(drawn))
    assert sum(many for _, _, many in rows(counts)) == sum(counts)


def test_a_spread_says_its_median():
    drawn = spread(histogram([1000.0] * 9), summary="s")
    assert re.search(r">p50 (0\.9\d|1\.0\d) s<", drawn)
    assert ">p95 1.0" in drawn


@given(lives)
def test_a_curve_falls_from_the_upper_left_and_stays_in_its_frame(many):
    drawn = lifetime(curve(many), summary="lives")
    ET.fromstring(drawn)
    points = [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", drawn)]
    assert all(0 <= x <= 1000 and 0 <= y <= 100 for x, y in points)
    line = re.search(r'class="alive" points="([^"]*)"', drawn)
    assert line is not None
    heights = [float(pair.split(",")[1]) for pair in line.group(1).split()]
    assert heights[0] == 0
    assert heights == sorted(heights)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=60))
def test_tides_rise_and_fall_within_their_frame(series):
    drawn = tides([Tide("1 Jan", came, went, "words") for came, went in series], summary="s")
    for rect in ET.fromstring(drawn).iter("rect"):
        assert 0 <= float(rect.get("y", "")) <= HEIGHT - LABELS
        assert float(rect.get("y", "")) + float(rect.get("height", "")) <= HEIGHT - LABELS + 0.1


hour = st.builds(lambda ok, more, ms: Hour(ok + more, ok, ms if ok else None), st.integers(0, 99), st.integers(0, 99),
                 st.floats(1, 900_000))  # fmt: skip


@given(st.dictionaries(st.tuples(st.integers(1, 7), st.integers(0, 23)), hour))
def test_every_hour_of_the_week_has_a_cell_that_says_what_it_is(hours):
    table = heat(hours)
    assert [name for name, _ in table] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert all(len(cells) == 24 for _, cells in table)
    for day, (_, cells) in enumerate(table, 1):
        for cell in cells:
            seen = hours.get((day, cell.hour))
            assert cell.shade is None or 0 <= cell.shade < SHADES
            assert (cell.shade is None) == (seen is None or seen.ms is None)
            assert len(cell.text) <= 3
            assert cell.words.startswith(table[day - 1][0])


@pytest.mark.parametrize(("ms", "text"), [(400, ".4"), (1_240, "1.2"), (14_200, "14"), (900_000, "900")])
def test_a_cell_is_short(ms, text):
    assert heat({(1, 0): Hour(1, 1, ms)})[0][1][0].text == text
