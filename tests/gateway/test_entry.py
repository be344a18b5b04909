"""A call's page: written once, with exact offsets, an honest cost, and a reason for every candidate."""

from __future__ import annotations

import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.failures import Failure, FailureKind
from rotation.core.selection import Standing, State
from rotation.core.targets import Target
from rotation.gateway.costs import cost_of
from rotation.gateway.entry import OK, Entry, Note, uuid7
from rotation.providers.base import Usage
from tests.gateway.parts import MORNING, REQUEST, Hands, Pages, entry, target

ONE, TWO, THREE = target(1), target(2, key=2), target(3, key=3)
LIMITED = Failure(FailureKind.RATE_LIMITED, "slow down", 429, retry_after=2.5)


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def pages() -> Pages:
    return Pages()


def fails(page: Entry, clock: Hands, at: Target, seconds: float = 1.0, failure: Failure = LIMITED) -> Note:
    note = page.begin(at)
    clock.forward(seconds)
    page.end(note, failure.kind, failure=failure)
    return note


def works(page: Entry, clock: Hands, at: Target, seconds: float = 1.0, usage: Usage | None = None) -> Note:
    note = page.begin(at)
    clock.forward(seconds)
    page.end(note, OK, usage=usage or Usage(10, 20))
    return note


# ids


@given(st.floats(0, 2**47 / 1000))
def test_an_id_is_a_valid_uuid7_that_holds_its_moment(at: float) -> None:
    made = uuid.UUID(uuid7(at))
    assert str(made) == uuid7(at)[:13] + str(made)[13:]
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == int(at * 1000)


def test_ids_sort_by_time_and_differ_within_a_millisecond() -> None:
    at = time.time()
    ids = [uuid7(at + n / 1000) for n in range(100)]
    assert ids == sorted(ids)
    assert len({uuid7(at) for _ in range(1000)}) == 1000


# the line


def test_an_answered_calls_line_says_who_what_when_and_how_much(clock: Hands, pages: Pages) -> None:
    page = entry(clock, [ONE, TWO], pages=pages)
    clock.forward(0.002)
    fails(page, clock, ONE, 0.5)
    clock.forward(0.25)
    won = page.begin(TWO)
    won.first, won.status, won.connect_ms = clock() + 0.1, 200, 3.5
    clock.forward(1.0)
    page.end(won, OK, usage=Usage(7, 9, cost=0.25))
    page.close("answered", 200)
    [line] = pages
    assert line["id"] == REQUEST
    assert (line["t"], line["at"], line["client"], line["op"], line["asked"]) == ("call", MORNING, 7, "chat", "auto")
    assert (line["status"], line["outcome"], line["failure"], line["error"]) == (200, "answered", None, "")
    assert (line["provider"], line["deployment"], line["key"], line["model"]) == (1, 2, 2, "model-2")
    assert [line[k] for k in ("queue_ms", "first_ms", "total_ms", "lost_ms")] == pytest.approx([2, 852, 1752, 500])
    assert (line["tokens_in"], line["tokens_out"], line["estimated"], line["cost"]) == (7, 9, False, 0.25)
    first, second = line["attempts"]
    assert (first["n"], first["outcome"], first["blame"], first["message"]) == (
        1, "rate_limited", "account_model", "slow down",
    )  # fmt: skip
    assert [first[k] for k in ("start_ms", "total_ms", "retry_after")] == pytest.approx([2, 500, 2.5])
    assert (second["n"], second["outcome"], second["status"], second["connect_ms"]) == (2, "ok", 200, 3.5)
    assert [second[k] for k in ("start_ms", "first_ms", "total_ms")] == pytest.approx([752, 100, 1000])
    assert first["id"] < second["id"]


def test_a_page_is_written_once_by_whichever_end_comes_first(clock: Hands, pages: Pages) -> None:
    page = entry(clock, [ONE], pages=pages)
    page.close("cancelled", 499)
    page.close("answered", 200)
    assert [line["outcome"] for line in pages] == ["cancelled"]


def test_a_call_that_nobody_took_up_has_no_target_and_no_cost(clock: Hands, pages: Pages) -> None:
    page = entry(clock, [ONE], pages=pages)
    clock.forward(0.25)
    page.close("failed", 503, failure=LIMITED, error="No target could answer.")
    [line] = pages
    assert (line["provider"], line["deployment"], line["key"], line["model"], line["cost"]) == (
        None, None, None, "", None,
    )  # fmt: skip
    assert (line["failure"], line["error"]) == ("rate_limited", "No target could answer.")
    assert (line["queue_ms"], line["first_ms"], line["lost_ms"]) == (250.0, None, 0)


def test_an_attempt_under_way_at_the_end_counts_up_to_it(clock: Hands, pages: Pages) -> None:
    page = entry(clock, [ONE], pages=pages)
    page.begin(ONE)
    clock.forward(3.0)
    page.close("cancelled", 499)
    assert (pages[0]["lost_ms"], pages[0]["attempts"][0]["total_ms"]) == (3000, 3000)


# who won


def test_the_winner_is_who_answered_or_began_to(clock: Hands) -> None:
    page = entry(clock, [ONE, TWO])
    won = [page.winner]
    fails(page, clock, ONE)
    won.append(page.winner)
    began = page.begin(TWO)
    won.append(page.winner)
    assert won == [None, None, None]
    began.first = clock()
    assert page.winner is began
    page.end(began, FailureKind.INTERRUPTED, failure=Failure(FailureKind.INTERRUPTED))
    assert page.winner is began


def test_what_an_interrupted_answer_took_is_not_counted_as_lost(clock: Hands, pages: Pages) -> None:
    page = entry(clock, [ONE, TWO], pages=pages)
    fails(page, clock, ONE, 2.0)
    began = page.begin(TWO)
    began.first = clock() + 1
    clock.forward(5.0)
    page.end(began, FailureKind.INTERRUPTED, failure=Failure(FailureKind.INTERRUPTED))
    page.close("interrupted", 200)
    assert (pages[0]["lost_ms"], pages[0]["model"]) == (2000, "model-2")


# cost

PRICED = target(1, price_in=1e-6, price_out=2e-6)


def spent(at: Target, usage: Usage | None) -> float | None:
    return cost_of(usage, at.deployment)


COSTS = [
    (PRICED, Usage(1000, 500), 0.002),
    (PRICED, Usage(1000, 500, cost=0.5), 0.5),
    (PRICED, Usage(1000, 500, cost=0.0), 0.0),
    (PRICED, None, None),
    (target(1), Usage(1000, 500), None),
    (target(1, price_in=1e-6), Usage(1000, 500), None),
    (target(1, free=True), Usage(1000, 500), 0.0),
    (target(1, free=True, price_in=1e-6, price_out=1e-6), Usage(1000, 500), 0.0),
]


@pytest.mark.parametrize(("at", "usage", "cost"), COSTS)
def test_an_attempt_costs_what_the_provider_says_else_by_price_else_nobody_knows(
    at: Target, usage: Usage | None, cost: float | None
) -> None:
    assert spent(at, usage) == (None if cost is None else pytest.approx(cost))


def test_a_call_costs_what_all_its_attempts_cost(clock: Hands, pages: Pages) -> None:
    page = entry(clock, [PRICED], pages=pages)
    cut = page.begin(PRICED)
    page.end(cut, FailureKind.STALLED, failure=Failure(FailureKind.STALLED), usage=Usage(1000, 0))
    works(page, clock, PRICED, usage=Usage(1000, 500))
    page.close("answered", 200)
    assert pages[0]["cost"] == pytest.approx(0.003)


def test_an_unknown_cost_is_not_told_as_none_at_all(clock: Hands, pages: Pages) -> None:
    page = entry(clock, [ONE], pages=pages)
    works(page, clock, ONE)
    page.close("answered", 200)
    assert pages[0]["cost"] is None


# why


def why(page: Entry) -> list[tuple[str, str, int, str]]:
    return [(row["target"], row["state"], row["key"], row["why"]) for row in page.trace()]


def test_every_candidate_has_a_reason_and_of_the_ready_ones_only_the_next(clock: Hands) -> None:
    resting = (target(4), Standing(State.RESTING, MORNING + 9, "breaker open"))
    unfit = (target(5), Standing(State.UNFIT, MORNING, "too small"))
    page = entry(clock, [ONE, resting, TWO, THREE, unfit, target(6)])
    fails(page, clock, ONE)
    works(page, clock, TWO)
    assert why(page) == [
        ("provider-1/model-1", "tried", 1, "rate-limited: slow down"),
        ("provider-1/model-4", "resting", 1, "breaker open"),
        ("provider-1/model-2", "answered", 2, "next in order"),
        ("provider-1/model-3", "ready", 3, "would have been next"),
        ("provider-1/model-5", "unfit", 1, "too small"),
    ]


def test_a_row_names_the_key_that_was_tried_and_not_the_first_in_line(clock: Hands) -> None:
    cooling = (target(1, key=1), Standing(State.COOLING, MORNING + 9, "rate-limited"))
    page = entry(clock, [cooling, target(1, key=2), target(1, key=3)])
    works(page, clock, target(1, key=2))
    assert why(page) == [("provider-1/model-1", "answered", 2, "next in order")]


def test_of_a_deployment_tried_with_two_keys_the_last_one_tells(clock: Hands) -> None:
    page = entry(clock, [target(1, key=1), target(1, key=2)])
    fails(page, clock, target(1, key=1))
    works(page, clock, target(1, key=2))
    assert why(page) == [("provider-1/model-1", "answered", 2, "next in order")]


def test_a_deployment_of_which_one_key_is_free_is_not_told_as_cooling(clock: Hands) -> None:
    cooling = (target(2, key=1), Standing(State.COOLING, MORNING + 9, "rate-limited"))
    page = entry(clock, [ONE, cooling, target(2, key=2), THREE])
    works(page, clock, ONE)
    assert why(page) == [
        ("provider-1/model-1", "answered", 1, "next in order"),
        ("provider-1/model-2", "ready", 2, "would have been next"),
    ]
    deeper = entry(clock, [ONE, THREE, cooling, target(2, key=2)])
    works(deeper, clock, ONE)
    assert [row[0] for row in why(deeper)] == ["provider-1/model-1", "provider-1/model-3"]
