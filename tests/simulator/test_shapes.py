"""Answers, streams, listings and errors have the shapes their providers are known for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulator.asking import KINDS, MODELS, TOOL, Client, events, key, said


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_answer_is_a_chat_completion_with_right_usage(client: Client, kind: str) -> None:
    answer = client.chat(kind, "Tell me about the river Rhine")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    body = answer.json()
    text = body["choices"][0]["message"]["content"]
    assert body["object"] == "chat.completion"
    assert body["model"] == MODELS[kind]
    assert text.startswith(f"Simulated answer from {MODELS[kind]}: ")
    assert "Tell me about the river Rhine" in text
    assert body["usage"]["prompt_tokens"] == 8  # 29 characters
    assert body["usage"]["completion_tokens"] == -(-len(text) // 4)
    assert body["usage"]["total_tokens"] == 8 + body["usage"]["completion_tokens"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_says_the_same_as_a_whole_answer(client: Client, kind: str) -> None:
    whole = client.chat(kind).json()["choices"][0]["message"]["content"]
    chunks = events(client.chat(kind, stream=True))
    assert said(chunks) == whole
    assert chunks[-1] == "[DONE]"
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    finished = [choice["finish_reason"] for chunk in chunks[:-1] for choice in chunk["choices"]]
    assert next(reason for reason in finished if reason) == ("eos" if kind == "together" else "stop")


def test_openrouter_comments_before_the_first_event_and_finishes_twice(client: Client) -> None:
    answer = client.chat("openrouter", stream=True)
    assert answer.text.startswith(": OPENROUTER PROCESSING\n\n")
    *_, finish, usage, done = events(answer)
    assert done == "[DONE]"
    assert finish["choices"][0]["finish_reason"] == usage["choices"][0]["finish_reason"] == "stop"
    assert usage["choices"][0]["delta"]["content"] == ""
    assert usage["usage"]["cost"] == 0
    assert answer.headers["x-generation-id"] == usage["id"]
    assert not [name for name in answer.headers if "ratelimit" in name]


def test_openrouter_pads_slow_whole_answers_with_white_space(client: Client) -> None:
    unit = b"\n         \n"
    slow = client.chat("openrouter", model="deepseek/deepseek-chat-v3.1:free")
    padding = slow.content[: len(slow.content) - len(slow.content.lstrip())]
    assert padding
    assert padding == unit * (len(padding) // len(unit))
    assert slow.json()["object"] == "chat.completion"
    assert not client.chat("openrouter").content.startswith(b"\n")


def test_groq_tells_usage_in_the_last_chunk_without_being_asked(client: Client) -> None:
    first, *_, last, _ = events(client.chat("groq", stream=True))
    assert first["x_groq"]["id"] == last["x_groq"]["id"]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["usage"] == last["x_groq"]["usage"]
    assert {"queue_time", "prompt_time", "completion_time", "total_time"} <= set(last["usage"])


def test_groq_sends_a_tool_call_complete_in_one_delta_and_openai_in_fragments(client: Client) -> None:
    def parts(kind: str) -> list[dict[str, Any]]:
        chunks = events(client.chat(kind, "Weather in Rome?", stream=True, tools=[TOOL]))
        deltas = [choice["delta"] for chunk in chunks[:-1] for choice in chunk["choices"]]
        return [call for delta in deltas for call in delta.get("tool_calls") or ()]

    (whole,) = parts("groq")
    assert json.loads(whole["function"]["arguments"]) == {"city": "Rome"}
    first, *rest = parts("openai")
    assert (first["function"]["name"], first["function"]["arguments"]) == ("get_weather", "")
    assert all("id" not in part for part in rest)
    assert json.loads("".join(part["function"]["arguments"] for part in rest)) == {"city": "Rome"}


def test_openai_tells_usage_only_when_asked_and_obfuscates(client: Client) -> None:
    plain = events(client.chat("openai", stream=True))[:-1]
    assert all("usage" not in chunk for chunk in plain)
    assert all(chunk["obfuscation"] for chunk in plain)
    asked = events(client.chat("openai", stream=True, stream_options={"include_usage": True}))[:-1]
    assert all(chunk["usage"] is None for chunk in asked[:-1])
    assert asked[-1]["choices"] == []
    assert asked[-1]["usage"]["total_tokens"] > 0
    bare = events(client.chat("openai", stream=True, stream_options={"include_obfuscation": False}))[:-1]
    assert all("obfuscation" not in chunk for chunk in bare)


def test_together_has_text_beside_deltas_and_usage_in_or_after_the_last_choice(client: Client) -> None:
    chunks = events(client.chat("together", stream=True))[:-1]
    assert all(choice["text"] == choice["delta"]["content"] for chunk in chunks for choice in chunk["choices"])
    assert any(choice["delta"]["token_id"] for chunk in chunks for choice in chunk["choices"])
    assert chunks[-1]["choices"][0]["finish_reason"] == "eos"
    assert chunks[-1]["usage"]["total_tokens"] > 0
    newer = events(client.chat("together", stream=True, model="openai/gpt-oss-120b"))[:-1]
    assert newer[-1]["choices"] == []
    assert newer[-1]["usage"]["reasoning_tokens"] > 0


def test_the_generic_server_is_like_llama_cpp(client: Client) -> None:
    chunks = events(client.chat("generic", stream=True, model="qwen3:4b"))[:-1]
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": None}
    assert any("reasoning_content" in choice["delta"] for chunk in chunks for choice in chunk["choices"])
    assert chunks[-1]["timings"]["predicted_n"] > 0
    assert all("usage" not in chunk for chunk in chunks)
    asked = events(client.chat("generic", stream=True, stream_options={"include_usage": True}))[:-1]
    assert asked[-1]["choices"] == []
    assert asked[-1]["usage"]["total_tokens"] > 0


def test_listings_have_each_provider_s_own_form(client: Client) -> None:
    assert "object" not in client.fetch("openrouter", "/models").json()
    assert client.fetch("groq", "/models").json()["data"][0]["context_window"] > 0
    openai = client.fetch("openai", "/models").json()
    assert set(openai["data"][0]) == {"id", "object", "created", "owned_by"}
    together = client.fetch("together", "/models").json()
    assert isinstance(together, list)
    assert {entry["running"] for entry in together} == {False}
    assert any(entry["type"] == "chat" and entry["pricing"]["input"] == 0 for entry in together)
    generic = client.fetch("generic", "/models").json()
    assert [entry["name"] for entry in generic["models"]] == [entry["id"] for entry in generic["data"]]
    assert generic["data"][0]["meta"]["n_ctx"] == 8_192


def test_openrouter_lists_347_models_of_55_families_with_prices_as_strings(client: Client) -> None:
    data = client.fetch("openrouter", "/models", secret="").json()["data"]
    assert len({entry["id"] for entry in data}) == 347
    assert len({entry["id"].partition("/")[0] for entry in data}) == 55
    free = [entry for entry in data if entry["id"].endswith(":free")]
    assert 45 <= len(free) <= 58
    assert {entry["pricing"]["prompt"] for entry in free} == {"0"}
    assert sum("tools" in entry["supported_parameters"] for entry in free) < len(free) / 2
    auto = next(entry for entry in data if entry["id"] == "openrouter/auto")
    assert auto["pricing"]["prompt"] == "-1"
    paid = next(entry for entry in data if entry["id"] == "z-ai/glm-4.6:exacto")
    assert (paid["pricing"]["prompt"], paid["pricing"]["completion"]) == ("0.00000045", "0.0000019")


def test_one_model_can_be_asked_for(client: Client) -> None:
    assert client.fetch("openai", "/models/gpt-4o").json()["id"] == "gpt-4o"
    assert client.fetch("groq", "/models/openai/gpt-oss-20b").json()["id"] == "openai/gpt-oss-20b"
    assert client.fetch("openai", "/models/gpt-0").status_code == 404


def test_openrouter_tells_about_a_key_without_spending(client: Client) -> None:
    data = client.fetch("openrouter", "/key").json()["data"]
    assert data["is_free_tier"] is False
    assert data["free_model_daily_requests"] == {"used": 0, "limit": 1000, "remaining": 1000}
    assert key("openrouter") not in json.dumps(data)
    assert client.fetch("openrouter", "/auth/key").status_code == 200
    assert client.fetch("openrouter", "/key", secret="").status_code == 401
