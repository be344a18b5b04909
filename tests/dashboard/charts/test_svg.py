"""Everything that is drawn goes through one function, and that escapes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils.html import format_html
from hypothesis import given
from hypothesis import strategies as st

import dashboard
from dashboard.charts.svg import element, number, pct

HOSTILE = '"><script>alert(1)</script>\x00\u202e' + "x" * 10_000


def test_text_and_attributes_are_escaped():
    drawn = element("g", HOSTILE, data_name=HOSTILE)
    assert "<script" not in drawn
    assert drawn.count("<") == 2


def test_elements_inside_are_kept():
    assert element("g", element("rect", x=1.50, class_="ok")) == '<g><rect x="1.5" class="ok"></rect></g>'


def test_an_attribute_that_is_none_is_left_out():
    assert element("g", a=None, aria_label="b") == '<g aria-label="b"></g>'


@pytest.mark.parametrize(
    ("value", "written"), [(0, "0"), (12.5, "12.5"), (33.333333, "33.33"), (100, "100"), (-1e-9, "0")]
)
def test_numbers_are_short(value, written):
    assert number(value) == written


@given(st.floats(-1e6, 1e6))
def test_a_number_reads_back(value):
    assert abs(float(number(value)) - value) <= 0.005001
    assert pct(value).endswith("%")


def test_only_the_element_writer_marks_text_as_safe():
    root = Path(dashboard.__file__).parent
    marks = re.compile(r"mark_safe|\|\s*safe\b|autoescape off|SafeString\([^\"]")
    found = [p for p in root.rglob("*.py") if marks.search(p.read_text()) and p.name != "svg.py"]
    found += [p for p in (root.parent / "templates").rglob("*.html") if marks.search(p.read_text())]
    assert found == []
    assert format_html("{}", "<") == "&lt;"
