"""Every documented error, of every kind, becomes the failure it stands for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.failures import Blame, Failure, FailureKind
from rotation.providers import PROVIDERS
from rotation.providers.errors import RULES, classify
from tests.providers.cases import NOW, errors

CASES = [(kind, case) for kind in PROVIDERS for case in errors(kind)]
PAGE = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>"


@pytest.mark.parametrize(("kind", "case"), CASES, ids=[f"{kind}: {case['name']}" for kind, case in CASES])
def test_a_documented_error_is_the_failure_it_stands_for(kind: str, case: dict[str, Any]) -> None:
    body = orjson.dumps(case["body"])
    failure = PROVIDERS[kind].classify(case["status"], case.get("headers", {}), body, NOW)
    assert failure.kind == case["kind"]
    assert failure.status == case["status"]
    assert failure.message
    assert failure.blame == (Blame(case["blame"]) if "blame" in case else None)
    for name in ("feature", "param", "code"):
        if name in case:
            assert getattr(failure, name) == case[name]
    if "retry_after" in case:
        assert failure.retry_after == (None if case["retry_after"] is None else pytest.approx(case["retry_after"]))


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 521, 522, 524, 525, 526, 529, 498, 499, 408, 409, 425])
@pytest.mark.parametrize("body", [b"", PAGE, b'{"error":{"message":"x"}}', b"error code: 502", b"{}"])
def test_a_passing_trouble_is_told_by_its_status_alone(status: int, body: bytes) -> None:
    failure = classify(status, {}, body, NOW)
    assert failure.kind is FailureKind.OVERLOADED
    assert failure.message


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
def test_a_redirect_is_refused_and_not_followed(status: int) -> None:
    failure = classify(status, {"location": "https://elsewhere.example/?key=abc"}, b"", NOW)
    assert failure == Failure(FailureKind.OVERLOADED, "redirect refused", status)


@pytest.mark.parametrize("status", [400, 403, 404, 405])
def test_a_page_in_place_of_an_error_is_not_the_callers_mistake(status: int) -> None:
    failure = classify(status, {"content-type": "text/html"}, PAGE, NOW)
    assert failure.kind is FailureKind.OVERLOADED
    assert "502 Bad Gateway" in failure.message


def test_a_wrong_path_of_a_local_server_rotates() -> None:
    assert classify(404, {}, b"404 page not found", NOW).kind is FailureKind.OVERLOADED
    assert classify(404, {}, b"", NOW).kind is FailureKind.OVERLOADED


def test_a_line_of_text_is_read_like_a_message() -> None:
    assert classify(400, {}, b"Invalid JSON in request", NOW).kind is FailureKind.BAD_REQUEST
    assert classify(403, {}, b"Invalid API key", NOW).kind is FailureKind.BAD_CREDENTIAL
    assert classify(429, {"Retry-After": "4"}, b"slow down", NOW).retry_after == 4


def test_a_hint_does_not_make_a_bad_request_worth_repeating() -> None:
    failure = classify(400, {"retry-after": "5"}, b'{"error":{"message":"no","retry_after":5}}', NOW)
    assert (failure.kind, failure.retry_after) == (FailureKind.BAD_REQUEST, None)


def test_a_limit_per_minute_is_free_again_after_one_whatever_the_clocks_say() -> None:
    error = {"message": "Rate limit exceeded: free-models-per-min. ", "code": 429}
    headers = {"x-ratelimit-reset": str(int((NOW + 5000) * 1000))}
    assert classify(429, headers, orjson.dumps({"error": error}), NOW).retry_after == 60
    assert classify(429, {}, orjson.dumps({"error": error}), NOW).retry_after is None


def test_a_bad_request_keeps_the_providers_own_words() -> None:
    body = {
        "error": {"message": "'n' must be 1", "type": "invalid_request_error", "param": "n", "code": "invalid_value"}
    }
    failure = classify(400, {}, orjson.dumps(body), NOW)
    assert (failure.message, failure.type, failure.param, failure.code) == (
        "'n' must be 1",
        "invalid_request_error",
        "n",
        "invalid_value",
    )


@pytest.mark.parametrize(
    "echo",
    [
        "rate limit 429",
        "Rate limit exceeded: free-models-per-day",
        "insufficient_quota",
        "Insufficient credits",
        "Invalid API Key",
        "Key limit exceeded",
        "The model `x` does not exist",
        "No endpoints found for x",
        "Request too large for x",
        "tool_use_failed",
        "You have insufficient permissions for this operation",
        "This model's maximum context length is 10 tokens, says he",
    ],
)
@pytest.mark.parametrize(
    "template", ["Invalid value for 'content': \"tell me: {}\".", "Could not parse: '{} and more of it'"]
)
def test_an_echoed_prompt_is_not_misread(echo: str, template: str) -> None:
    body = orjson.dumps({"error": {"message": template.format(echo), "type": "invalid_request_error", "code": None}})
    for adapter in PROVIDERS.values():
        assert adapter.classify(400, {}, body, NOW).kind is FailureKind.BAD_REQUEST


def test_secrets_in_an_error_do_not_come_through() -> None:
    body = b'{"error":{"message":"bad header Authorization: Bearer sk-or-v1-0123456789abcdef at https://x.example/?key=SECRETSECRET"}}'
    message = classify(400, {}, body, NOW).message
    assert "0123456789" not in message
    assert "SECRETSECRET" not in message


def test_every_rule_can_match_something() -> None:
    """A rule without words, sentences and statuses would swallow everything behind it."""
    assert all(rule.words or rule.starts or rule.says or rule.statuses is not None for rule in RULES)
    assert all(word == word.lower() for rule in RULES for word in rule.words)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "message",
                    "code",
                    "type",
                    "metadata",
                    "raw",
                    "headers",
                    "availability",
                    "detail",
                    "details",
                    "status",
                    "param",
                    "msg",
                    "loc",
                    "choices",
                    "retry_after",
                    "violations",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@given(status=st.integers(100, 599), body=JSON)
def test_no_json_body_breaks_the_reader(status: int, body: object) -> None:
    failure = classify(status, {}, json.dumps(body).encode(), NOW)
    assert isinstance(failure.kind, FailureKind)
    assert len(failure.message) <= 520


@given(status=st.integers(100, 599), body=st.binary(max_size=300), header=st.text(max_size=30))
def test_no_bytes_break_the_reader(status: int, body: bytes, header: str) -> None:
    failure = classify(status, {"Retry-After": header, "x-ratelimit-reset": header}, body, NOW)
    failure.message.encode()
    assert failure.retry_after is None or 0 < failure.retry_after <= 86_400


def test_an_error_nested_a_thousand_times_is_read_without_a_stumble() -> None:
    deep = b'{"error":' * 1000 + b'"x"' + b"}" * 1000
    assert classify(400, {}, deep, NOW).kind in {FailureKind.BAD_REQUEST, FailureKind.OVERLOADED}


def test_fixtures_stand_for_every_kind_an_answer_can_be() -> None:
    seen = {case["kind"] for _, case in CASES}
    wire_only = {"timed_out", "stalled", "unreachable", "interrupted", "cancelled", "out_of_time"}
    assert seen == {kind.value for kind in FailureKind} - wire_only
    assert all(Path(__file__).with_name("fixtures").joinpath(kind, "errors.jsonl").exists() for kind in PROVIDERS)
