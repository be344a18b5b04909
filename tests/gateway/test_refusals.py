"""What a client is told when nobody could answer: the right status, when to come back, and nothing it must not see."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import orjson
import pytest

from rotation.core.failures import TABLE, Failure, FailureKind
from rotation.core.rotation import GiveUp
from rotation.core.selection import NEVER, Standing, State
from rotation.core.targets import Target
from rotation.gateway.entry import Entry
from rotation.gateway.envelope import Refusal
from rotation.gateway.refusals import refusal
from rotation.gateway.snapshot import Route
from tests.gateway.parts import MORNING, REQUEST, Hands, Pages, entry, target

K = FailureKind
ONE, TWO, THREE = target(1), target(2, key=2), target(3, key=3)
SECRET = "sk-live-0123456789"
HOSTILE = f"internal error at https://provider-1.example/v1?key={SECRET} <b>see</b>"


def limited(until: float = MORNING + 90) -> Standing:
    return Standing(State.COOLING, until, "rate-limited; the provider asked for 90 s", limited=True)


BROKE = Standing(State.COOLING, MORNING + 3600, "out of credit; for an hour")
RESTING = Standing(State.RESTING, MORNING + 30, "breaker open", guessed=True)
BENCHED = Standing(State.BENCHED, NEVER, "gone: retired")
UNFIT = Standing(State.UNFIT, NEVER, "the call uses tools, which this model does not support")


class Case:
    """A call that found nobody: how its candidates stood, what was tried, and when the first is back."""

    def __init__(self, *candidates: tuple[Target, Standing] | Target, tried: tuple[Failure, ...] = (),
                 back: float | None = None, final: bool = False, took: float = 0.0, **more: Any) -> None:  # fmt: skip
        self.clock, self.pages = Hands(), Pages()
        self.page: Entry = entry(self.clock, candidates, pages=self.pages, **more)
        at = [c.target for c in self.page.candidates]
        failures = []
        for number, failure in enumerate(tried):
            chosen = at[number % len(at)]
            self.page.end(self.page.begin(chosen), failure.kind, failure=failure)
            failures.append((chosen, failure))
        self.clock.forward(took)
        self.told: Refusal = refusal(
            GiveUp(tuple(failures), tried[-1] if final else None, back), self.page, self.clock()
        )  # fmt: skip

    @property
    def summary(self) -> tuple[int, str, str | None, str | None]:
        headers = self.told.headers
        return self.told.status, self.told.code, headers.get("retry-after"), headers.get("x-should-retry")

    @property
    def body(self) -> dict[str, Any]:
        return dict(orjson.loads(self.told.body())["error"])


LIMITED = Failure(K.RATE_LIMITED, HOSTILE, 429, retry_after=90)
DOWN = Failure(K.OVERLOADED, HOSTILE, 503)
LATE = Failure(K.TIMED_OUT, "no answer within 60.0 s")
LONG = Failure(K.TOO_LONG, "maximum context length is 8192 tokens", 400)
LACKS = Failure(K.LACKS_FEATURE, "tools are not supported", 404, feature="tools")
GARBAGE = Failure(K.GENERATION_FAILED, HOSTILE, 400)
SOON = MORNING + 45

CASES: dict[str, tuple[Case, tuple[int, str, str | None, str | None]]] = {
    "all are limited": (Case((ONE, limited()), (TWO, limited()), back=SOON),
                        (429, "all_targets_rate_limited", "45", "true")),
    "all turned out to be limited": (Case(ONE, TWO, tried=(LIMITED, LIMITED), back=SOON),
                                     (429, "all_targets_rate_limited", "45", "true")),
    "limited for less than a second": (Case((ONE, limited()), back=MORNING + 0.2),
                                       (429, "all_targets_rate_limited", "1", "true")),
    "limited for a part of a second more": (Case((ONE, limited()), back=MORNING + 4.1),
                                            (429, "all_targets_rate_limited", "5", "true")),
    "limited for a week": (Case((ONE, limited()), back=MORNING + 7 * 86_400),
                           (429, "all_targets_rate_limited", "86400", "false")),
    "one limited, the other gone": (Case((ONE, limited()), (TWO, BENCHED), back=SOON),
                                    (429, "all_targets_rate_limited", "45", "true")),
    "one limited, the other without credit": (Case((ONE, limited()), (TWO, BROKE), back=SOON),
                                              (503, "no_healthy_upstream", "45", "true")),
    "one limited, the other resting": (Case((ONE, limited()), (TWO, RESTING), back=MORNING + 30),
                                       (503, "no_healthy_upstream", "30", "true")),
    "one limited, the other down": (Case(ONE, TWO, tried=(LIMITED, DOWN), back=SOON),
                                    (503, "no_healthy_upstream", "45", "true")),
    "all are resting": (Case((ONE, RESTING), (TWO, RESTING), back=MORNING + 30),
                        (503, "no_healthy_upstream", "30", "true")),
    "all are gone": (Case((ONE, BENCHED), (TWO, BENCHED)), (503, "no_healthy_upstream", None, "false")),
    "all are down": (Case(ONE, TWO, tried=(DOWN, LATE), back=MORNING + 2), (503, "no_healthy_upstream", "2", "true")),
    "three were tried": (Case(ONE, TWO, THREE, tried=(DOWN, DOWN, DOWN), back=SOON),
                         (503, "no_healthy_upstream", "45", "false")),
    "each produced garbage": (Case(ONE, TWO, tried=(GARBAGE, GARBAGE)), (502, "no_healthy_upstream", None, "false")),
    "the deadline passed": (Case(ONE, TWO, tried=(DOWN, LATE), back=SOON, took=5, seconds=5),
                            (504, "deadline_exceeded", "40", "true")),
    "the deadline passed for good": (Case(ONE, tried=(DOWN,), took=5, seconds=5),
                                     (504, "deadline_exceeded", None, "false")),
    "too long for all": (Case(ONE, TWO, tried=(LONG, LONG)), (400, "too_long", None, "false")),
    "too long for one, refused by the other": (Case(ONE, TWO, tried=(LONG, LACKS)),
                                               (400, "lacks_feature", None, "false")),
    "too long for the last, the first was down": (Case(ONE, TWO, tried=(DOWN, LONG), back=SOON),
                                                  (503, "no_healthy_upstream", "45", "true")),
    "too long for one, the larger is limited": (Case(ONE, (TWO, limited()), tried=(LONG,), back=SOON),
                                                (503, "no_healthy_upstream", "45", "true")),
    "none fits": (Case((ONE, UNFIT), (TWO, UNFIT)), (400, "no_fit", None, "false")),
    "one does not fit, the other is limited": (Case((ONE, UNFIT), (TWO, limited()), back=SOON),
                                               (429, "all_targets_rate_limited", "45", "true")),
    "no key": (Case(route=Route("auto", (1, 2))), (503, "no_key", None, "false")),
    "an empty pool": (Case(route=Route("auto", ())), (503, "empty_pool", None, "false")),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_status_the_code_and_whether_to_come_back(name: str) -> None:
    case, expected = CASES[name]
    assert case.summary == expected


@pytest.mark.parametrize("name", CASES)
def test_the_page_is_closed_with_what_the_client_was_told(name: str) -> None:
    case, (status, *_) = CASES[name]
    [line] = case.pages
    assert (line["status"], line["error"]) == (status, case.told.message)
    assert line["outcome"] == ("refused" if status == 400 else "failed")
    assert case.told.headers["x-request-id"] == REQUEST
    assert case.told.headers["x-rotation-attempts"] == str(len(line["attempts"]))


@pytest.mark.parametrize("name", CASES)
def test_no_words_of_a_provider_no_key_and_no_address_are_passed_on(name: str) -> None:
    body = CASES[name][0].told.body().decode()
    assert SECRET not in body
    assert "https://" not in body
    assert "<b>" not in body


def test_the_candidates_are_told_by_name_state_and_reason_and_nothing_else() -> None:
    told = Case((ONE, limited()), (TWO, BENCHED), back=SOON).body["candidates"]
    assert told == [
        {"target": "provider-1/model-1", "state": "cooling", "why": "rate-limited; the provider asked for 90 s"},
        {"target": "provider-1/model-2", "state": "benched", "why": "out of service"},
    ]


def test_the_message_says_how_many_were_tried_and_when_one_is_free() -> None:
    told = Case(ONE, TWO, tried=(DOWN, DOWN), back=SOON).told.message
    assert told == "No target could answer (2 tried). The first may be free again in 45 s."


# the caller's own mistakes


@pytest.mark.parametrize("kind", [K.BAD_REQUEST, K.CONTENT_POLICY])
def test_a_callers_mistake_is_passed_on_with_the_providers_words(kind: FailureKind) -> None:
    said = Failure(kind, "messages[0].content must be a string", 422, type="invalid", code="bad_type", param="messages")
    case = Case(ONE, TWO, tried=(said,), final=True)
    assert case.summary == (422, "bad_type", None, "false")
    assert case.body == {
        "message": "messages[0].content must be a string", "type": "invalid", "param": "messages", "code": "bad_type",
    }  # fmt: skip
    assert case.pages[0]["outcome"] == "refused"
    assert case.pages[0]["failure"] == kind


@pytest.mark.parametrize("status", [None, 200, 500])
def test_a_mistake_without_a_status_of_its_own_is_400_in_our_words(status: int | None) -> None:
    case = Case(ONE, tried=(Failure(K.BAD_REQUEST, status=status),), final=True)
    assert case.summary == (400, "bad_request", None, "false")
    assert case.body["message"] == "The provider refused the request: bad request."
    assert case.body["type"] == "invalid_request_error"


@pytest.mark.parametrize("kind", [kind for kind, row in TABLE.items() if row.status >= 429])
def test_what_is_no_mistake_of_the_callers_is_never_told_as_one(kind: FailureKind) -> None:
    said = Failure(kind, HOSTILE, 401, code=SECRET, param=SECRET, type=SECRET)
    case = Case(ONE, TWO, tried=(said, replace(said)), back=SOON)
    assert case.told.status in (429, 502, 503, 504)
    assert SECRET not in case.told.body().decode()


def test_only_what_is_our_trouble_is_an_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    Case(ONE, tried=(Failure(K.BAD_REQUEST, "no"),), final=True)
    assert caplog.records == []
    Case(ONE, tried=(DOWN,))
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "no_healthy_upstream after 1 attempts"
    assert record.request_id == REQUEST  # type: ignore[attr-defined]  # given as extra


TIMED_OUT, GARBAGE = Failure(K.TIMED_OUT, "no first token"), Failure(K.GENERATION_FAILED)


@pytest.mark.parametrize(
    ("candidates", "tried", "status"),
    [
        ((ONE, TWO), (TIMED_OUT, TIMED_OUT), 504),
        ((ONE, TWO), (GARBAGE, GARBAGE), 502),
        ((ONE, TWO), (TIMED_OUT, GARBAGE), 502),
        ((ONE, (TWO, BENCHED)), (TIMED_OUT,), 504),
        ((ONE, (TWO, RESTING)), (TIMED_OUT,), 503),
        ((ONE, TWO), (TIMED_OUT,), 503),
        ((ONE, TWO), (TIMED_OUT, Failure(K.OVERLOADED)), 503),
    ],
    ids=["late", "garbage", "both", "the rest is out", "one rests", "one was not asked", "one was overloaded"],
)
def test_when_all_that_were_asked_took_too_long_or_made_garbage_the_status_says_so(
    candidates: Any, tried: tuple[Failure, ...], status: int
) -> None:
    told = Case(*candidates, tried=tried, back=MORNING + 5).told
    assert (told.status, told.code, told.headers["retry-after"]) == (status, "no_healthy_upstream", "5")
