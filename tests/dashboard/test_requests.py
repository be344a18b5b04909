"""The request log and one request, opened."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from dashboard import story
from dashboard.inquest import candidates
from dashboard.queries import search
from dashboard.queries.requests import Cursor
from dashboard.story import failure_words
from rotation.core.failures import FailureKind
from rotation.models import Attempt, ClientKey, Deployment, Key, Provider, Request
from rotation.why.stored import rows_of
from tests.dashboard.calls import attempt, call, ledger

pytestmark = pytest.mark.django_db
Ask = Callable[..., UUID]


@pytest.fixture(autouse=True)
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """How far a search comes must not depend on how busy the machine is."""
    monkeypatch.setattr(search, "LONG_ENOUGH", 60)


@given(st.text(max_size=80))
def test_a_cursor_from_a_stranger_is_a_place_or_nothing(text: str):
    read = Cursor.read(text)
    assert read is None or Cursor.read(str(read)) == read


@pytest.mark.parametrize("query", ["?after=x~y", "?outcome=nonsense", "?after=1e999~0", "?outcome='--", "?after=%00"])
def test_nonsense_in_the_address_shows_the_newest(page: Client, ask: Ask, query: str):
    ask()
    answer = page.get(f"/requests/{query}")
    assert answer.status_code == 200
    assert "1 try" in answer.text


def test_an_empty_log_says_how_to_fill_it(page: Client, world: None):
    assert "curl http://testserver/v1/chat/completions" in page.get("/requests/").text


def test_the_log_pages_by_links(page: Client, deployment: Deployment):
    ledger([call([attempt(deployment)]) for _ in range(51)])
    first = page.get("/requests/").text
    assert first.count(">1 try<") == 50
    older = re.search(r'href="(\?after=[^"]+)"', first)
    assert older is not None
    second = page.get("/requests/" + older.group(1).replace("&amp;", "&")).text
    assert second.count(">1 try<") == 1
    assert "Newest" in second


def test_a_page_of_the_log_asks_a_fixed_number_of_questions(
    page: Client, ask: Ask, django_assert_num_queries: DjangoAssertNumQueries
):
    for n in range(5):
        ask(failed=n)
    # session, user, mode, state, the store's begin, the hour, requests, attempts; and twice what the two fields offer
    with django_assert_num_queries(12):
        page.get("/requests/")


def test_one_request_tells_the_whole_story(page: Client, deployment: Deployment):
    client = ClientKey.objects.create(label="agent-prod", prefix="abcdefgh", last4="wxyz", digest="d" * 64)
    trace = [
        {"target": "sim-groq/first", "deployment": 1, "key": 1, "state": "resting", "why": "breaker open, 5 timeouts"},
        {"target": deployment.name, "deployment": deployment.pk, "key": 1, "state": "tried", "why": "rate-limited"},
        {"target": "sim-groq/second", "deployment": 2, "key": 1, "state": "answered", "why": "next in order"},
        {"target": "sim-groq/third", "deployment": 3, "key": 1, "state": "ready", "why": "would have been next"},
    ]
    tries = [
        attempt(deployment, outcome="rate_limited", total=140, message="60 requests per minute"),
        attempt(deployment, n=2, start=141, total=2120),
    ]
    (uuid,) = ledger([call(tries, client=client.pk, trace=trace, asked="code", pool="code")])
    text = page.get(f"/requests/{uuid}/").text
    for words in (
        "answered after 1 rotation",
        "agent-prod",
        "60 requests per minute",
        "429 · 0.14 s",
        "2.12 s",
        "0.14 s lost to failover",
        "breaker open, 5 timeouts",
        "not needed",
        "100 in · 50 out",
        "gpt-4o-mini: ",
        "not stored",
        str(uuid),
    ):
        assert words in text, words
    assert "Simulated:" in text


def test_only_what_stood_in_line_is_counted():
    rows = [{"state": s} for s in ("resting", "tried", "unfit", "answered", "ready")]
    assert [c.place for c in candidates(rows_of(Request(trace=rows), {}, None))] == [None, 1, None, 2, 3]


@pytest.mark.parametrize("trace", [None, {}, "x", [1, None], [{}], [{"state": None, "why": 3}]])
def test_any_trace_can_be_shown(trace: object):
    assert all(isinstance(c.why, str) for c in candidates(rows_of(Request(trace=trace), {}, None)))


def test_a_request_outlives_its_provider_and_key(page: Client, ask: Ask):
    uuid = ask(failed=1)
    Key.objects.all().delete()
    Provider.objects.all().delete()
    text = page.get(f"/requests/{uuid}/").text
    assert "(removed)" in text
    assert "key removed since" in text


def test_a_call_that_was_turned_away_says_why(page: Client, world: None):
    (uuid,) = ledger([call([], outcome="refused", status=401, error="no such client key")])
    text = page.get(f"/requests/{uuid}/").text
    assert "No provider was asked" in text
    assert "no such client key" in text
    assert "refused with 401" in text


def test_a_request_as_json_has_no_secret_and_all_attempts(page: Client, ask: Ask):
    uuid = ask(failed=2)
    answer = page.get(f"/requests/{uuid}.json")
    body = answer.json()
    assert body["id"] == str(uuid)
    assert [one["n"] for one in body["attempts"]] == [1, 2, 3]
    assert "sk-" not in answer.text


@pytest.mark.parametrize("suffix", ["/", ".json"])
def test_a_request_that_is_not_there_is_not_found(page: Client, world: None, suffix: str):
    assert page.get(f"/requests/{uuid4()}{suffix}").status_code == 404


def test_opening_a_request_asks_a_fixed_number_of_questions(
    page: Client, ask: Ask, django_assert_max_num_queries: DjangoAssertNumQueries
):
    asked = []
    for uuid in (ask(), ask(failed=3)):
        # session, user, request, attempts, providers, keys, yardstick; the rest is the present policy's configuration
        with django_assert_max_num_queries(26) as questions:
            page.get(f"/requests/{uuid}/")
        asked.append(len(questions))
    assert asked[0] == asked[1]


def made(*outcomes: tuple[str, int | None, int, int], **request: object) -> tuple[Request, list[Attempt]]:
    """(outcome, status, deployment, key) of each attempt."""
    tries = [
        Attempt(n=n, outcome=outcome, status=status, deployment_id=deployment, key_id=key)
        for n, (outcome, status, deployment, key) in enumerate(outcomes, 1)
    ]
    fields = {"outcome": "answered", "attempts": len(tries), "status": 200, "failure_kind": None, **request}
    return Request(**fields), tries


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (made(("ok", 200, 1, 1)), "1 try"),
        (made(("rate_limited", 429, 1, 1), ("ok", 200, 1, 2)), "429 → 2nd key"),
        (made(("rate_limited", 429, 1, 1), ("ok", 200, 2, 1)), "429 → rotated"),
        (
            made(("timed_out", None, 1, 1), ("overloaded", 503, 2, 1), ("ok", 200, 3, 1)),
            "no first token in time → rotated 2 times",
        ),
        (made(("generation_failed", 400, 1, 1), ("ok", 200, 1, 1)), "400 → 2nd try"),
        (
            made(("overloaded", 503, 1, 1), outcome="failed", status=503, failure_kind="overloaded"),
            "failed: overloaded",
        ),
        (made(outcome="refused", status=401), "refused: HTTP 401"),
        (made(("ok", 200, 1, 1), outcome="cancelled"), "client hung up"),
        (made(("interrupted", None, 1, 1), outcome="interrupted"), "broke off mid-answer"),
    ],
)
def test_a_line_tells_the_story_in_a_few_words(call: tuple[Request, list[Attempt]], words: str):
    assert story.short(*call) == words


def test_every_failure_kind_has_words_and_an_unknown_one_is_shown_as_it_is():
    assert all(failure_words(kind) for kind in FailureKind)
    assert failure_words("made up") == "made up"
    assert failure_words(None) == "failed"
