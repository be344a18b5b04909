"""Lists: filters and sorting in the address, pages by place, files, and what strangers write into addresses."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.db.models import Q
from django.test import Client, RequestFactory
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from dashboard import listing as lists
from dashboard.exports import written
from dashboard.filters import moment_of
from dashboard.keyset import Order, decode, encode, memory_page, stored_page
from dashboard.listing import Choice, Column, Flag, Listing, Period, Text
from rotation.models import ClientKey
from rotation.spreadsheet import harmless
from tests.dashboard.calls import HOSTILE

LISTING = Listing(
    name="keys",
    columns=(
        Column("label", "Name", sort="label"),
        Column("used", "Used", sort="last_used_at"),
        Column("rpm", "Rate", sort="requests_per_minute", numeric=True),
        Column("plain", "Plain", cell=lambda row: row.masked),
    ),
    filters=(
        Text(key="q", label="Search", fields=("label",)),
        Choice(key="on", label="State", choices=[("yes", "On"), ("no", "Off")], where=lambda v: Q(enabled=v == "yes")),
        Flag(key="slow", label="Slow", where=lambda on: Q(requests_per_minute__lt=10)),
        Period(key="made", label="Made", field="created_at"),
    ),
    sort="label",
)


def asked(query: str) -> Any:
    return lists.read(RequestFactory().get(f"/x/?{query}"), LISTING)


@given(st.text(max_size=60))
def test_whatever_an_address_says_is_a_state_that_says_itself_again(text: str):
    request = RequestFactory().get("/x/", {"q": text, "on": text, "slow": text, "made": text, "sort": text})
    state = lists.read(request, LISTING)
    again = {key: values[-1] for key, values in parse_qs(state.parameters()[1:]).items()}
    assert lists.read(RequestFactory().get("/x/", again), LISTING) == state


def test_only_what_can_be_meant_is_taken_from_an_address():
    state = asked("on=perhaps&slow=maybe&made=1y&made_from=yesterday&sort=plain&unknown=1&q=%20")
    assert (state.chosen, state.sort) == ({}, "")
    assert asked("sort=-rpm&slow=1&made=24h").parameters() == "?slow=1&made=24h&sort=-rpm"


@pytest.mark.parametrize(
    ("text", "is_moment"),
    [("2025-11-20T10:00", True), ("2025-11-20T10:00Z", True), ("0001-01-01T00:00", False), ("9999-12-31T23:59", False),
     ("2025-13-01T00:00", False), ("", False), ("x" * 50, False)],
)  # fmt: skip
def test_a_moment_is_one_the_calendar_and_every_time_zone_know(text: str, is_moment: bool):
    assert (moment_of(text) is not None) is is_moment


def test_a_period_ends_before_its_second_moment():
    period = Period(key="made", label="Made", field="at")
    value = period.read({"made_from": "2025-11-20T10:00", "made_to": "2025-11-21T10:00"})
    assert value is not None
    start, end = period.bounds(value, timezone.now())
    assert (start, end) == (datetime(2025, 11, 20, 10, tzinfo=UTC), datetime(2025, 11, 21, 10, tzinfo=UTC))
    assert "from 2025-11-20 10:00" in period.words(value)


@pytest.fixture
def keys(db: None) -> list[ClientKey]:
    now = timezone.now()
    return [
        ClientKey.objects.create(
            label="same" if n % 3 else f"k{n}",
            prefix="abcdefgh",
            last4="wxyz",
            digest=f"{n:064}",
            last_used_at=now - timedelta(microseconds=n // 2) if n % 4 else None,
            requests_per_minute=n % 5 or None,
        )
        for n in range(23)
    ]


@pytest.mark.parametrize("path", ["label", "last_used_at", "requests_per_minute"])
@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("size", [1, 5, 23])
def test_pages_show_every_row_once_whatever_is_equal_or_empty(keys: list[ClientKey], path: str, down: bool, size: int):
    seen: list[ClientKey] = []
    after = ""
    while True:
        found, after = stored_page(ClientKey.objects.all(), Order(path, down), after, size)
        seen += found
        if not after:
            break
    assert sorted(row.pk for row in seen) == sorted(row.pk for row in keys)
    values = [getattr(row, path) for row in seen]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=down)
    assert values[len(known) :] == [None] * (len(values) - len(known))  # what is not known comes last


@given(st.lists(st.one_of(st.none(), st.integers(0, 5)), max_size=20), st.integers(1, 7), st.booleans())
def test_rows_in_memory_page_the_same_way(values: list[int | None], size: int, down: bool):
    rows = [SimpleNamespace(value=value) for value in values]
    seen: list[Any] = []
    after = ""
    while True:
        found, after = memory_page(rows, Order("value", down, lambda row: row.value), after, size)
        seen += found
        if not after:
            break
    assert sorted(map(id, seen)) == sorted(map(id, rows))
    known = [row.value for row in seen if row.value is not None]
    assert known == sorted(known, reverse=down)


@given(st.text(max_size=80))
def test_a_strangers_cursor_is_a_place_or_nothing(text: str):
    assert decode(text) is None or isinstance(decode(text), list)


@pytest.mark.parametrize("parts", [["x"], [None, None], [{}, {}], ["x", "y"], ["\0", 1], ["2025", 10**30],
                                   ["\ud800", 1], [float("nan"), 1], [10**30, 1], ["x", "\ud800"]])  # fmt: skip
def test_a_cursor_that_means_nothing_shows_the_first_page(keys: list[ClientKey], parts: list[Any]):
    for path in ("last_used_at", "requests_per_minute"):
        found, _ = stored_page(ClientKey.objects.all(), Order(path, down=True), encode(parts), 5)
        assert len(found) == 5


@pytest.mark.parametrize("value", ["\0", "\ud800", "2025-01-01T00:00:00", "9999-12-31T23:59:59-14:00", 10**30, "1e400"])
@pytest.mark.parametrize("path", ["label", "last_used_at", "requests_per_minute", "daily_budget", "enabled"])
def test_whatever_a_cursor_holds_a_list_is_shown(keys: list[ClientKey], path: str, value: Any):
    for down in (True, False):
        stored_page(ClientKey.objects.all(), Order(path, down), encode([value, 1]), 5)


def test_every_row_is_in_the_files_and_no_cell_is_a_formula(page: Client, db: None):
    ClientKey.objects.create(label="=1+1", prefix="a", last4="b", digest="c")
    ClientKey.objects.bulk_create(
        ClientKey(label=f"k{n}", prefix="a", last4="b", digest=f"{n:064}") for n in range(600)
    )
    answer = page.get("/clients/?format=csv&q=")
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert len(rows) == 601
    assert "'=1+1" in {row["label"] for row in rows}
    told = json.loads(page.get("/clients/?format=json&q=k59").getvalue())
    assert {row["label"] for row in told} >= {"k59", "k590"}
    assert json.loads(page.get("/clients/?format=json&q=nobody").getvalue()) == []


@given(st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.lists(st.text()), st.datetimes()))
def test_any_value_is_a_harmless_cell(value: object):
    cell = written(timezone.make_aware(value) if isinstance(value, datetime) and value.year > 1 else str(value))
    assert not cell.startswith(("=", "@", "\t", "\r"))
    assert harmless("-1") == "'-1"


def test_a_changed_filter_renews_the_table_alone_and_keeps_the_address(page: Client, keys: list[ClientKey]):
    alone = page.get("/clients/?q=same&sort=label", headers={"HX-Target": "listing-clients", "HX-Request": "true"})
    assert alone.text.startswith('<div class="listing"')
    assert alone.headers["HX-Push-Url"] == "/clients/?q=same&sort=label"
    whole = page.get("/clients/?q=same&sort=label").text
    assert 'value="same"' in whole
    assert 'aria-sort="ascending"' in whole
    assert "Search: same" in whole


def test_a_list_without_rows_says_whether_it_is_empty_or_only_narrowed(page: Client, db: None):
    assert "No client key yet" in page.get("/clients/").text
    assert "Nothing fits these filters" in page.get("/clients/?q=nothing-like-it").text


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=W10", "sort=nonsense", "sort=-", "state='--", "q=%00", "format=xml", "q=" + "x" * 3000,
     "state=a&state=live", "after=WzEsMiwzXQ"],
)  # fmt: skip
def test_nonsense_in_the_address_breaks_no_list(page: Client, keys: list[ClientKey], query: str):
    for path in ("/clients/", "/people/", "/tokens/", "/style/"):
        assert page.get(f"{path}?{query}").status_code == 200


def test_hostile_rows_are_text_and_cut(page: Client, db: None):
    ClientKey.objects.create(label=HOSTILE[:120], prefix="a", last4="b", digest="c")
    text = page.get("/clients/").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text
