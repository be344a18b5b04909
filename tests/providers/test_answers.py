"""Whole answers, and everything that looks like one with a status of 200."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.failures import Failure, FailureKind
from rotation.providers import PROVIDERS
from rotation.providers.base import Answer, Usage
from tests.providers.cases import NOW

USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}


def reply(message: object = None, finish: object = "stop", **more: object) -> dict[str, Any]:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion", "model": "acme/sun-1", "choices": [choice], "usage": USAGE, **more}


def read(body: object, kind: str = "generic", status: int = 200) -> Answer | Failure:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return PROVIDERS[kind].read_answer(status, {}, data, NOW)


def failed(body: object, kind: str = "generic") -> Failure:
    found = read(body, kind)
    assert isinstance(found, Failure)
    return found


def good(body: object, kind: str = "generic") -> Answer:
    found = read(body, kind)
    assert isinstance(found, Answer)
    return found


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_good_answer_is_handed_on_untouched(kind: str) -> None:
    body = json.dumps(reply({"role": "assistant", "content": "Grüße"}), indent=2).encode()
    assert read(body, kind) == Answer(body, Usage(11, 5), "stop", "acme/sun-1")


@pytest.mark.parametrize(
    "message",
    [
        {"content": "a"},
        {"content": None, "tool_calls": [{"id": "1"}]},
        {"content": None, "function_call": {"name": "f"}},
        {"content": "", "reasoning": "a"},
        {"content": None, "reasoning_content": "a"},
        {"content": None, "refusal": "no"},
        {"content": None, "audio": {"id": "x"}},
        {"content": [{"type": "text", "text": "a"}]},
    ],
)
def test_output_of_any_kind_is_an_answer(message: dict[str, object]) -> None:
    assert isinstance(read(reply(message)), Answer)


def test_padding_before_and_after_is_stripped() -> None:
    body = orjson.dumps(reply({"content": "a"}))
    padded = (b"\n         \n" * 95) + body + b"\n\n"
    assert good(padded, "openrouter").body == body
    assert good(b"\xef\xbb\xbf" + body).body == body


def test_cost_and_cached_usage_are_read() -> None:
    assert good(reply({"content": "a"}, usage={**USAGE, "cost": 0.0042}), "openrouter").usage == Usage(
        11, 5, cost=0.0042
    )
    assert good(reply({"content": "a"}, usage=None, x_groq={"usage": USAGE}), "groq").usage == Usage(11, 5)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        [],
        5,
        {"prompt_tokens": -1, "completion_tokens": 5},
        {"prompt_tokens": "1"},
        {"completion_tokens": 10**12},
    ],
)
def test_missing_or_impossible_usage_is_estimated(usage: object) -> None:
    assert good(reply({"content": "a" * 10}, usage=usage)).usage == Usage(0, 3, estimated=True)


def test_the_part_of_a_usage_that_is_possible_is_kept() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": -1, "cost": -5}
    assert good(reply({"content": "a" * 10}, usage=usage)).usage == Usage(9, 3, estimated=True)
    assert good(reply({"content": "a"}, usage={**USAGE, "cost": float("1e300")})).usage == Usage(11, 5)


def test_together_s_eos_is_stop() -> None:
    found = good(reply({"content": "a"}, "eos"), "together")
    assert found.finish_reason == "stop"
    assert orjson.loads(found.body)["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "Provider returned error", "code": 400}}, FailureKind.BAD_REQUEST),
        ({"error": {"message": "Upstream error from Acme: overloaded", "code": 503}}, FailureKind.OVERLOADED),
        ({"error": {"message": "Rate limit exceeded: free-models-per-day", "code": 429}}, FailureKind.QUOTA_DAY),
        (
            {"error": {"message": "This endpoint's maximum context length is 10 tokens.", "code": 400}},
            FailureKind.TOO_LONG,
        ),
        ({"error": "No models loaded. Please load a model."}, FailureKind.MODEL_GONE),
        ({"error": "something"}, FailureKind.OVERLOADED),
        ({"object": "error", "message": "no", "type": "BadRequestError", "code": 400}, FailureKind.BAD_REQUEST),
        ({"message": "Wrong API Key", "type": "x", "code": "wrong_api_key"}, FailureKind.BAD_CREDENTIAL),
        ({"choices": [], "error": {"message": "x", "error_type": "provider_overloaded"}}, FailureKind.OVERLOADED),
        ({"error": {"message": "x", "error_type": "rate_limit_exceeded"}}, FailureKind.RATE_LIMITED),
        ({"error": {"message": "x", "type": "invalid_request_error"}}, FailureKind.BAD_REQUEST),
    ],
)
def test_an_error_inside_a_200_is_a_failure(body: dict[str, object], kind: FailureKind) -> None:
    assert failed(body).kind is kind
    assert failed(b"\n         \n" * 50 + orjson.dumps(body)).kind is kind


def test_an_error_in_a_choice_is_a_failure_however_much_was_said() -> None:
    body = reply({"content": "partial output"}, "error")
    body["choices"][0]["error"] = {
        "code": 502,
        "message": "Provider disconnected",
        "metadata": {"error_type": "provider_unavailable"},
    }
    assert (failed(body).kind, failed(body).status) == (FailureKind.OVERLOADED, 502)
    body["choices"][0] = {"message": {"content": "x"}, "finish_reason": "error"}
    assert failed(body).kind is FailureKind.OVERLOADED


def test_a_content_filter_that_calls_itself_a_502_is_content_policy() -> None:
    body = reply({"content": "part"}, None)
    words = (
        "Upstream error from Acme: <400> InternalError.Algo.DataInspectionFailed: Output data may contain bad content."
    )
    body["choices"][0]["error"] = {"code": 502, "message": words, "metadata": {"error_type": "provider_unavailable"}}
    assert failed(body, "openrouter").kind is FailureKind.CONTENT_POLICY


@pytest.mark.parametrize(
    "body",
    [
        reply({"role": "assistant", "content": None}),
        reply({"content": None}, None),
        reply({"content": ""}, usage={**USAGE, "completion_tokens": 0}),
        reply({"content": ""}, usage=None),
        reply(None),
        reply([]),
        {"choices": []},
    ],
)
def test_an_answer_that_says_nothing_is_a_failure_with_its_own_code(body: dict[str, object]) -> None:
    assert (failed(body).kind, failed(body).code) == (FailureKind.OVERLOADED, "empty_answer")


@pytest.mark.parametrize(
    "body",
    [reply({"content": ""}, "length"), reply({"content": None}, "content_filter"), reply({"content": ""}, "stop")],
)
def test_an_answer_cut_to_nothing_is_an_answer(body: dict[str, object]) -> None:
    assert isinstance(read(body), Answer)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   \n ",
        b"<html><title>Sign in</title></html>",
        b"OK",
        b"{malformed json: <<<chaos>>>",
        b"[]",
        b"null",
        b"5",
        b'"x"',
        b'{"choices":[{"message":{"content":"cut of',
        b'{"choices":null}',
        b'{"choices":{}}',
        b'{"choices":[1]}',
        b"\xff\xfe",
        b"{}",
        b'{"choices":[{"message":{"content":NaN}}]}',
        b'{"a":' * 5000,
    ],
)
def test_what_is_not_an_answer_is_a_failure_of_the_deployment(body: bytes) -> None:
    found = failed(body)
    assert found.kind is FailureKind.OVERLOADED
    assert found.message


def test_a_page_is_called_by_its_title() -> None:
    assert "Sign in" in failed(b"<html><title>Sign in</title></html>").message


def test_lone_surrogates_in_an_answer_are_the_clients_to_read() -> None:
    body = b'{"choices":[{"message":{"content":"\\ud83d"},"finish_reason":"stop"}]}'
    assert good(body).body == body


def test_an_error_status_is_classified() -> None:
    found = read({"error": {"message": "Invalid API Key", "code": "invalid_api_key"}}, status=401)
    assert isinstance(found, Failure)
    assert (found.kind, found.status) == (FailureKind.BAD_CREDENTIAL, 401)


@given(kind=st.sampled_from(sorted(PROVIDERS)), body=st.binary(max_size=200), status=st.integers(100, 599))
def test_no_bytes_break_the_reader(kind: str, body: bytes, status: int) -> None:
    assert isinstance(read(body, kind, status), Answer | Failure)


SCALAR = st.none() | st.booleans() | st.integers() | st.text(max_size=6)
CHOICE = st.dictionaries(
    st.sampled_from(["message", "finish_reason", "error", "text", "index"]),
    SCALAR
    | st.dictionaries(
        st.sampled_from(["content", "tool_calls", "function_call", "message", "code"]), SCALAR | st.lists(SCALAR)
    ),
)


@given(kind=st.sampled_from(sorted(PROVIDERS)), choices=SCALAR | st.lists(CHOICE | SCALAR, max_size=3), usage=SCALAR)
def test_no_choices_break_the_reader(kind: str, choices: object, usage: object) -> None:
    body = json.dumps({"choices": choices, "usage": usage, "model": 7}).encode()
    assert isinstance(read(body, kind), Answer | Failure)
