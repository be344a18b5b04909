"""Requests: the payload kept, the address and the headers ours alone."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.providers import PROVIDERS
from rotation.providers.base import Outgoing

BASE = "https://api.provider.example/v1"
SECRET = "sk-provider-0123456789"
PAYLOAD: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.2}


def chat(kind: str, options: dict[str, Any] | None = None, *, model: str = "acme/sun-1", **more: Any) -> Outgoing:
    return PROVIDERS[kind].chat(BASE, SECRET, model, {**PAYLOAD, **more}, options=options or {})


def body(outgoing: Outgoing) -> dict[str, Any]:
    found = orjson.loads(outgoing.body)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("kind", PROVIDERS)
def test_only_the_model_changes(kind: str) -> None:
    sent = body(chat(kind, seed=5, unknown={"deep": [1]}, user="ü"))
    if kind == "openrouter":
        assert sent.pop("usage") == {"include": True}
    assert sent == {**PAYLOAD, "model": "acme/sun-1", "seed": 5, "unknown": {"deep": [1]}, "user": "ü"}


@pytest.mark.parametrize("kind", PROVIDERS)
def test_the_client_s_payload_is_left_as_it_was(kind: str) -> None:
    payload = {**PAYLOAD, "stream": True, "stream_options": {"include_usage": False}, "usage": {"x": 1}, "api_key": "k"}
    before = orjson.dumps(payload)
    PROVIDERS[kind].chat(BASE, SECRET, "m", payload)
    assert orjson.dumps(payload) == before


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_payload_decides_neither_address_nor_headers(kind: str) -> None:
    evil: dict[str, Any] = {
        "api_base": "https://evil.example",
        "base_url": "https://evil.example",
        "api_key": "stolen",
        "headers": {"x": "y"},
        "extra_headers": {"authorization": "Bearer stolen"},
        "extra_body": {"a": 1},
        "extra_query": {"key": "k"},
    }
    plain, found = chat(kind), chat(kind, **evil)
    assert (found.url, dict(found.headers), found.body) == (plain.url, dict(plain.headers), plain.body)
    assert set(found.dropped) == set(evil)


@given(
    kind=st.sampled_from(sorted(PROVIDERS)),
    extra=st.dictionaries(st.text(max_size=12), st.text(max_size=9), max_size=5),
)
def test_no_field_of_a_payload_reaches_the_headers(kind: str, extra: dict[str, str]) -> None:
    try:
        found = PROVIDERS[kind].chat(BASE, SECRET, "acme/sun-1", {**PAYLOAD, **extra})
    except ValueError:
        return  # lone surrogates: refused before anything is sent
    assert dict(found.headers) == dict(chat(kind).headers)
    assert found.url == f"{BASE}/chat/completions"


@pytest.mark.parametrize("kind", PROVIDERS)
def test_models_asks_the_gateway_and_goes_no_further(kind: str) -> None:
    found = chat(kind, models=["a", "b"])
    assert "models" not in body(found)
    assert found.dropped == ()


@pytest.mark.parametrize("kind", ["openai", "generic"])
def test_a_stream_asks_for_usage_where_it_must_be_asked_for(kind: str) -> None:
    assert body(chat(kind, stream=True))["stream_options"] == {"include_usage": True}
    given_options = {"include_usage": False, "include_obfuscation": False}
    sent = body(chat(kind, stream=True, stream_options=given_options))
    assert sent["stream_options"] == {"include_usage": True, "include_obfuscation": False}
    assert body(chat(kind, stream=True, stream_options="odd"))["stream_options"] == {"include_usage": True}
    assert "stream_options" not in body(chat(kind))


@pytest.mark.parametrize("kind", ["groq", "together", "openrouter"])
def test_a_stream_does_not_ask_where_usage_comes_unasked(kind: str) -> None:
    assert "stream_options" not in body(chat(kind, stream=True))


@pytest.mark.parametrize("kind", ["openai", "generic"])
def test_a_server_that_refuses_stream_options_is_not_sent_any(kind: str) -> None:
    found = chat(kind, {"no_stream_options": True}, stream=True, stream_options={"include_usage": True})
    assert "stream_options" not in body(found)
    assert found.dropped == ("stream_options",)
    assert "stream_options" not in body(chat(kind, {"no_stream_options": True}, stream=True))


def test_groq_is_not_sent_what_it_refuses_but_n_stays() -> None:
    found = chat("groq", logprobs=True, n=2, logit_bias={"1": 1}, top_logprobs=2, top_p=0.5)
    assert found.dropped == ("logprobs", "logit_bias", "top_logprobs")
    assert {"n", "top_p"} <= body(found).keys()
    assert not {"logprobs", "logit_bias", "top_logprobs"} & body(found).keys()


@pytest.mark.parametrize("kind", ["groq", "openai", "together"])
def test_openrouter_s_own_fields_go_to_openrouter_alone(kind: str) -> None:
    fields: dict[str, Any] = {"provider": {"order": ["x"]}, "transforms": ["middle-out"], "plugins": []}
    assert chat(kind, **fields).dropped == tuple(fields)
    assert chat("openrouter", **fields).dropped == ()
    assert fields.items() <= body(chat("openrouter", **fields)).items()


@pytest.mark.parametrize("kind", PROVIDERS)
def test_an_operator_may_name_more_to_drop(kind: str) -> None:
    found = chat(kind, {"drops": ["seed", "top_p"]}, seed=1, top_p=0.1)
    assert found.dropped == ("seed", "top_p")
    assert not {"seed", "top_p"} & body(found).keys()
    assert chat(kind, {"drops": "seed"}, seed=1).dropped == ()


def test_openrouter_is_told_who_asks_and_asked_for_usage() -> None:
    found = chat("openrouter", {"referer": "https://me.example/\r\nx: y", "title": "Mine"}, usage={"extra": 1})
    assert found.headers["http-referer"] == "https://me.example/x: y"
    assert found.headers["x-title"] == "Mine"
    assert body(found)["usage"] == {"extra": 1, "include": True}
    assert chat("openrouter").headers["x-title"] == "Rotation"


def test_a_paid_model_of_openrouter_gets_a_limit_when_the_client_gives_none() -> None:
    options = {"max_tokens": 4096}
    assert body(chat("openrouter", options))["max_tokens"] == 4096
    assert "max_tokens" not in body(chat("openrouter", options, model="acme/sun-1:free"))
    assert body(chat("openrouter", options, max_tokens=5))["max_tokens"] == 5
    assert "max_tokens" not in body(chat("openrouter", options, max_completion_tokens=5))
    assert "max_tokens" not in body(chat("openrouter"))


def test_openai_s_organisation_and_project_are_options() -> None:
    found = chat("openai", {"organization": "org-1", "project": "proj_1"})
    assert (found.headers["openai-organization"], found.headers["openai-project"]) == ("org-1", "proj_1")
    assert "openai-organization" not in chat("openai").headers


@pytest.mark.parametrize("kind", PROVIDERS)
def test_streams_are_not_compressed(kind: str) -> None:
    assert chat(kind, stream=True).headers["accept-encoding"] == "identity"
    assert chat(kind, stream=True).headers["accept"] == "text/event-stream"
    assert chat(kind).headers["accept"] == "application/json"


@pytest.mark.parametrize("kind", PROVIDERS)
def test_what_json_cannot_hold_is_refused_before_it_is_sent(kind: str) -> None:
    for value in ("\ud800", 10**40, {1, 2}):
        with pytest.raises(ValueError, match="cannot be written as JSON"):
            chat(kind, user=value)
