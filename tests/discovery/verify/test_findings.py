"""What the door says becomes a trial with its root cause; nothing it could say makes that stumble."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.failures import TABLE, FailureKind
from rotation.discovery.verify import suite
from rotation.discovery.verify.asking import Heard
from rotation.discovery.verify.causes import OF_FAILURE, Cause, Weight
from rotation.discovery.verify.causes import TABLE as CAUSES
from rotation.discovery.verify.findings import found
from rotation.discovery.verify.questions import Facts

ASKED = suite.question("short_answer", Facts(), "1")


def refused(status: int = 503, headers: dict[str, str] | None = None, **error: Any) -> Heard:
    return Heard(status, headers or {}, orjson.dumps({"error": error}), None, 1.0)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_the_failure_the_gateway_names_is_believed(kind: FailureKind):
    finding = found(refused(code="no_healthy_upstream", failure={"kind": kind.value, "message": "so"}), ASKED)
    assert finding.trial.cause == OF_FAILURE[kind]
    weight = CAUSES[OF_FAILURE[kind]].weight
    assert finding.trial.counts == (weight in (Weight.DECIDES, Weight.COUNTS))
    assert finding.trial.limited == (weight is Weight.WAIT)


@pytest.mark.parametrize(
    ("heard", "cause"),
    [
        (refused(429, code="all_targets_rate_limited"), Cause.RATE_LIMITED),
        (refused(504, {"x-rotation-attempts": "1"}, code="deadline_exceeded"), Cause.TIMEOUT),
        (refused(400, code="no_fit"), Cause.FEATURE_MISSING),
        (refused(404, code="pin_not_found"), Cause.NOT_ASKED),
        (refused(503, candidates=[{"state": "resting", "why": "breaker open"}]), Cause.PROVIDER_DOWN),
        (refused(503, candidates=[{"state": "cooling", "why": "daily quota used up"}]), Cause.RATE_LIMITED),
        (refused(503, candidates=[{"why": TABLE[FailureKind.MODEL_GONE].words}]), Cause.DOES_NOT_EXIST),
        (refused(500), Cause.PROVIDER_DOWN),
        (Heard(0, trouble="timeout"), Cause.TIMEOUT),
        (Heard(0, trouble="ConnectError"), Cause.NOT_ASKED),
    ],
)
def test_every_other_way_to_say_no(heard: Heard, cause: Cause):
    assert found(heard, ASKED).trial.cause == cause


def test_what_was_never_sent_and_when_to_ask_again():
    finding = found(refused(429, {"retry-after": "90", "x-rotation-attempts": "0"}, code="x"), ASKED)
    assert (finding.sent, finding.wait) == (False, 90.0)
    assert found(Heard(0, trouble="ConnectError"), ASKED).unheard


def test_what_the_gateway_waited_itself_is_not_the_models_latency():
    body = orjson.dumps({"choices": [{"message": {"content": "85"}}]})
    heard = Heard(200, {"server-timing": "queue;dur=400.0, first;dur=900"}, body, 1.0, 1.0)
    assert found(heard, ASKED).latency_ms == 600.0


def test_a_stream_that_breaks_off_is_nobodys_answer():
    stream = suite.question("streaming", Facts(), "1")
    body = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: {"error":{"code":"upstream_incomplete"}}\n\n'
    assert found(Heard(200, {}, body, 0.1, 1.0), stream).trial.cause == Cause.PROVIDER_DOWN


@given(
    st.integers(0, 999),
    st.dictionaries(st.sampled_from(["retry-after", "x-rotation-attempts", "server-timing"]), st.text(max_size=12)),
    st.binary(max_size=80) | st.recursive(
        st.none() | st.integers(0, 9) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(["error", "code", "candidates", "until", "why", "state", "failure", "kind", "message"]),
            inner, max_size=4,
        ),
        max_leaves=10,
    ).map(orjson.dumps),
)  # fmt: skip
def test_nothing_the_door_could_say_makes_it_stumble(status: int, headers: dict[str, str], body: bytes):
    finding = found(Heard(status, headers, body, None, 1.0), ASKED)
    assert finding.trial.reason.isprintable()
