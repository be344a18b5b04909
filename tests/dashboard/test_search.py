"""The request log searched."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.queries import search as searching
from dashboard.queries.requests import Cursor
from dashboard.queries.search import Sought, models_named, search
from rotation.models import CallOutcome, ClientKey, Deployment, Request
from tests.dashboard.calls import HOSTILE, attempt, call, ledger

pytestmark = pytest.mark.django_db
SIMULATED = Sought(simulated=True)
NOW = timezone.now()


def still() -> float:
    return 0.0


def walk(sought: Sought, size: int, clock: Callable[[], float] = still) -> list[UUID]:
    """All pages, from the newest to the oldest."""
    seen: list[UUID] = []
    after: Cursor | None = None
    while True:
        found = search(sought, size=size, after=after, now=NOW, clock=clock)
        assert len(found.logged) <= size
        seen += [one.request.id for one in found.logged]
        if found.older is None:
            return seen
        after = Cursor.read(str(found.older))


@pytest.fixture
def scattered(deployment: Deployment) -> list[UUID]:
    """Calls of eleven days; some at the very same moment."""
    chance = random.Random(7)
    ages = [timedelta(hours=chance.choice([0, 0, 1, 5, 40, 270]), seconds=chance.randrange(90)) for _ in range(23)]
    ages += [timedelta(hours=3)] * 5
    return ledger([call([attempt(deployment)], at=NOW - age) for age in ages])


@pytest.mark.parametrize("size", [1, 3, 50])
def test_pages_show_every_request_once_newest_first(scattered: list[UUID], size: int):
    seen = walk(SIMULATED, size)
    assert sorted(seen) == sorted(scattered)
    at = dict(Request.objects.values_list("id", "at"))
    assert [at[one] for one in seen] == sorted(at.values(), reverse=True)


@pytest.mark.parametrize("size", [2, 50])
def test_a_search_that_takes_too_long_says_how_far_it_came_and_goes_on_from_there(scattered: list[UUID], size: int):
    ticks = count()
    hurried = walk(SIMULATED, size, lambda: float(next(ticks)))
    assert hurried == walk(SIMULATED, size)
    found = search(
        Sought(simulated=True, rotated=True, pool="auto"), size=5, after=None, now=NOW, clock=lambda: float(next(ticks))
    )
    assert list(found.logged) == []


def test_rare_outcomes_are_found_however_far_back_they_lie_without_reading_what_is_between(
    deployment: Deployment, django_assert_max_num_queries: Any
):
    ledger([call([attempt(deployment)], at=NOW - timedelta(minutes=n)) for n in range(60)])
    lost = [attempt(deployment, outcome="overloaded")]
    rare = ledger([call(lost, at=NOW - timedelta(days=days)) for days in (3, 9, 20)])
    failed = Sought(simulated=True, outcome=CallOutcome.FAILED)
    assert walk(failed, 2) == rare
    assert walk(Sought(simulated=True, outcome=CallOutcome.INTERRUPTED), 2) == []
    with django_assert_max_num_queries(10):
        search(failed, size=5, after=None, now=NOW, clock=still)


def test_every_filter_keeps_what_fits_and_nothing_else(deployment: Deployment):
    other = Deployment.objects.filter(provider=deployment.provider).exclude(pk=deployment.pk)[0]
    key = ClientKey.objects.create(label="c", prefix="p", last4="last", digest="d")
    rotated = [attempt(other, n=1, outcome="overloaded"), attempt(deployment, n=2)]
    plain, turned, elsewhere, theirs = ledger([
        call([attempt(deployment)], at=NOW - timedelta(hours=4)),
        call(rotated, at=NOW - timedelta(hours=3)),
        call([attempt(other)], at=NOW - timedelta(hours=2), pool="code"),
        call([attempt(other)], at=NOW - timedelta(hours=1), client=key.pk),
    ])  # fmt: skip
    for sought, expected in [
        (Sought(True, rotated=True), [turned]),
        (Sought(True, pool="code"), [elsewhere]),
        (Sought(True, client=key.pk), [theirs]),
        (Sought(True, deployments=(deployment.pk,)), [turned, plain]),
        (Sought(True, deployments=()), []),
        (Sought(True, since=NOW - timedelta(hours=2.5)), [theirs, elsewhere]),
        (Sought(True, until=NOW - timedelta(hours=2.5)), [turned, plain]),
        (Sought(True, since=NOW - timedelta(hours=3.5), until=NOW - timedelta(hours=1.5)), [elsewhere, turned]),
        (Sought(True, since=NOW, until=NOW - timedelta(days=1)), []),
        (Sought(False), []),
    ]:
        assert walk(sought, 10) == expected, sought


def test_a_word_means_the_models_that_hold_it_and_an_exact_name_only_that_one(deployment: Deployment):
    assert models_named(deployment.name) == (deployment.pk,)
    assert deployment.pk in models_named(deployment.model_id)
    assert deployment.pk in models_named("LLAMA")
    assert models_named("no such model") == ()


@pytest.mark.parametrize(
    "query",
    [
        "outcome=x",
        "client=99999999999999999999",
        "client=-1",
        "at_from=0001-01-01",
        "at_to=9999-12-31T23:59",
        "model=%00",
        "pool=%F0%9F",
    ],
)
def test_nonsense_in_the_filters_breaks_no_page(page: Client, query: str):
    assert page.get(f"/requests/?{query}").status_code == 200


def test_filters_stay_in_the_links_and_in_the_fields(page: Client, deployment: Deployment):
    ledger([call([attempt(deployment)]) for _ in range(51)])
    text = page.get("/requests/?outcome=answered&pool=auto&model=llama").text
    assert "model=llama&amp;outcome=answered&amp;pool=auto&amp;after=" in text
    assert '<option value="answered" selected>' in text
    assert 'value="llama"' in text


def test_an_id_leads_to_its_call_and_an_unknown_one_says_so(page: Client, ask: Callable[..., UUID]):
    known = ask()
    assert page.get(f"/requests/?id=%20{known}%20")["Location"] == f"/requests/{known}/"
    assert "No stored request has the id" in page.get(f"/requests/?id={uuid4()}").text
    assert "<script>alert" not in page.get("/requests/", {"id": HOSTILE}).text


def test_the_search_is_also_a_csv_and_a_json(page: Client, deployment: Deployment):
    ledger([call([attempt(deployment)], asked="=cmd()"), call([attempt(deployment, outcome="overloaded")])])
    rows = list(csv.DictReader(io.StringIO(whole(page.get("/requests/?outcome=answered&format=csv")))))
    assert [row["asked"] for row in rows] == ["'=cmd()"]
    assert rows[0]["story"] == "1 try"
    answer = page.get("/requests/?format=json")
    assert [row["outcome"] for row in json.loads(whole(answer))] == ["failed", "answered"]
    assert 'filename="rotation-requests.json"' in answer["Content-Disposition"]


def whole(answer: Any) -> str:
    parts: Iterator[bytes] = answer.streaming_content
    return b"".join(parts).decode()


def test_a_live_log_is_sent_again_only_when_something_changed(page: Client, ask: Callable[..., UUID]):
    ask()
    text = page.get("/requests/").text
    address = text.split('data-live hx-get="')[1].split('"')[0].replace("&amp;", "&")
    same = page.get(address, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="live")
    assert same.status_code == 204
    ask()
    changed = page.get(address, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="live")
    assert changed.text.count(">1 try<") == 2
    assert "<html" not in changed.text


def test_an_export_ends_at_its_bound(page: Client, deployment: Deployment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("dashboard.views.requests.EXPORTED", 7)
    ledger([call([attempt(deployment)]) for _ in range(9)])
    assert len(whole(page.get("/requests/?format=csv")).splitlines()) == 8


def test_the_search_ends_at_the_end_of_the_store(db: None):
    assert search(SIMULATED, size=5, after=None, now=NOW, clock=still) == searching.Found((), None, None)


def test_a_changed_filter_renews_the_list_alone_and_the_address(page: Client, ask: Callable[..., UUID]):
    ask()
    answer = page.get("/requests/?outcome=answered&model=", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="listing-requests")
    assert answer["HX-Push-Url"] == "/requests/?outcome=answered"
    assert "<html" not in answer.text
    assert answer.text.count(">1 try<") == 1
    assert "Outcome: Answered" in answer.text
