"""What comes next in a life, by numbers alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.lifecycle import (
    CLEARLY,
    COLLAPSE_CALLS,
    ENOUGH,
    TOO_MANY,
    Record,
    Seen,
    archived,
    entry,
    of_canary,
    of_member,
    seconds,
    standing,
)  # fmt: skip

BASE = ("short_answer", "code")
GOOD = {"short_answer": Seen("verified", 5.0, 4.0, 800.0), "code": Seen("verified", 4.5, 3.0, 1200.0)}
HOUSE = Record(ok=970, failed=30, p50_ms=2_000.0)


def test_who_can_do_all_that_everybody_must_is_verified() -> None:
    found = standing(GOOD | {"tools": Seen("incompatible", 0.0)}, BASE)
    assert found is not None
    assert (found.step, found.reason) == ("verified", "proved 2 of 3: code, short answer")


@pytest.mark.parametrize("verdict", ["inconclusive", "rate_limited"])
def test_a_bad_moment_is_never_held_against_a_model(verdict: str) -> None:
    assert standing(GOOD | {"code": Seen(verdict)}, BASE) is None
    assert standing({}, BASE) is None


def test_who_cannot_do_what_everybody_must_is_incompatible_with_the_reason() -> None:
    found = standing(GOOD | {"code": Seen("incompatible", 0.0, reason="no function in the answer")}, BASE)
    assert found is not None
    assert (found.step, found.reason) == ("incompatible", "code: no function in the answer")


def test_a_cause_that_holds_for_the_whole_model_decides_wherever_it_was_found() -> None:
    found = standing({"tools": Seen("incompatible", reason="no such model", whole=True)}, BASE)
    assert found is not None
    assert (found.step, found.reason) == ("incompatible", "tools: no such model")


def test_entering_is_explained_by_what_was_proved() -> None:
    found = entry(GOOD, {"free": True})
    assert found.reason == (
        "the pool wants such models, and it proved code, short answer (4.8 of 5 on average); 1.2 s an answer"
    )
    assert found.basis != entry(GOOD, {"free": False}).basis, "another price is other evidence"
    assert seconds({}) is None


def test_a_canary_that_is_as_good_as_the_pool_becomes_a_full_member() -> None:
    assert of_canary(Record(ok=ENOUGH - 1), HOUSE, 4_000.0) is None
    found = of_canary(Record(ok=40, p50_ms=900.0), HOUSE, 4_000.0)
    assert found is not None
    assert found.step == "placed"
    assert found.reason == "as a canary 40 of 40 calls answered (at least 91%; the pool: 97%)"
    assert found.evidence["low"] == pytest.approx(0.9124, abs=1e-4)


def test_a_canary_clearly_worse_than_the_pool_goes_early() -> None:
    found = of_canary(Record(ok=3, failed=CLEARLY - 3), HOUSE, None)
    assert found is not None
    assert (found.step, found.evidence["failed"]) == ("demoted", 7)
    assert of_canary(Record(ok=3, failed=CLEARLY - 4), HOUSE, None) is None


def test_a_canary_nobody_can_wait_for_goes() -> None:
    found = of_canary(Record(ok=60, p50_ms=45_000.0), HOUSE, 4_000.0)
    assert found is not None
    assert found.reason == "as a canary it took 45.0 s an answer, the slowest member 4.0 s"
    assert of_canary(Record(ok=60, p50_ms=9_000.0), HOUSE, 1_000.0) is not None
    assert of_canary(Record(ok=60, p50_ms=9_000.0), HOUSE, 1_000.0).step == "placed"  # type: ignore[union-attr]


def test_a_canary_that_never_proves_itself_goes_in_the_end() -> None:
    so_so = Record(ok=round(TOO_MANY * 0.84), failed=TOO_MANY - round(TOO_MANY * 0.84))
    found = of_canary(so_so, HOUSE, None)
    assert found is not None
    assert found.step == "demoted"
    assert "not shown to be as good" in found.reason


def test_a_canary_of_a_pool_that_hardly_answers_is_measured_by_that() -> None:
    weak = Record(ok=30, failed=70)
    found = of_canary(Record(ok=30, failed=20), weak, None)
    assert found is not None
    assert found.step == "placed"


def test_a_member_that_collapsed_while_the_others_work_goes_out() -> None:
    found = of_member(Record(ok=2, failed=28), Record(ok=500, failed=40))
    assert found is not None
    assert found.step == "demoted"
    assert found.reason.startswith("2 of 30 calls answered in a day (at most 21%; the others: 98%)")
    assert of_member(Record(ok=0, failed=COLLAPSE_CALLS - 1), HOUSE) is None, "too few calls to judge"
    assert of_member(Record(ok=2, failed=28), Record(ok=4, failed=200)) is None, "they all fail"


def test_after_a_month_nobody_waits_any_more() -> None:
    assert archived(29.9) is None
    found = archived(30.0)
    assert found is not None
    assert found.reason == "gone for 30 days"


RECORDS = st.builds(Record, st.integers(0, 400), st.integers(0, 400), st.none() | st.floats(0, 1e6))


@given(own=RECORDS, house=RECORDS, slowest=st.none() | st.floats(0, 1e6))
def test_any_numbers_lead_to_one_step_or_none_with_evidence_that_can_be_kept(
    own: Record, house: Record, slowest: float | None
) -> None:
    found = of_canary(own, house, slowest)
    if found is not None:
        assert found.step in {"placed", "demoted"}
        assert own.calls >= CLEARLY
        json.dumps(dict(found.evidence), allow_nan=False)
    if own.calls >= TOO_MANY:
        assert found is not None, "nobody stays a canary for ever"


@given(own=RECORDS, more=st.integers(1, 50))
def test_one_more_answer_never_turns_a_full_member_into_a_case_for_demotion(own: Record, more: int) -> None:
    now = of_canary(own, HOUSE, None)
    then = of_canary(Record(own.ok + more, own.failed, own.p50_ms), HOUSE, None)
    if now is not None and now.step == "placed":
        assert then is not None
        assert then.step == "placed"
