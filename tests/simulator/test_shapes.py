"""Answers, streams, listings and errors have the shapes their providers are known for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulator.asking import KINDS, MODELS, ROOTS, Client, events, key, said

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


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


MISSING = {
    "openrouter": {"error": {"message": "Missing Authentication header", "code": 401}},
    "groq": {"error": {"message": "Invalid API Key", "type": "invalid_request_error", "code": "invalid_api_key"}},
    "together": {"error": {"message": "Unauthorized"}},
}


def test_a_missing_key_is_refused_as_each_provider_does(client: Client) -> None:
    assert client.chat("openrouter", secret="").json() == MISSING["openrouter"]
    assert client.fetch("groq", "/models", secret="").json() == MISSING["groq"]
    assert client.fetch("together", "/models", secret="").json() == MISSING["together"]
    assert client.chat("together", secret="").json()["error"]["type"] == "invalid_request_error"
    openai = client.fetch("openai", "/models", secret="")
    assert openai.status_code == 401
    assert openai.headers["www-authenticate"] == 'Bearer realm="OpenAI API"'
    assert client.chat("generic", secret="").status_code == 200
    assert client.fetch("openrouter", "/models", secret="").status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_revoked_key_is_refused_everywhere_and_others_are_not(sim, client: Client, kind: str) -> None:
    sim.faults({"kind": kind, "key": key(kind, number=2), "fault": "key_revoked"})
    assert client.chat(kind, secret=key(kind, number=2)).status_code == 401
    assert client.chat(kind).status_code == 200
    check = "/key" if kind == "openrouter" else "/models"
    assert client.fetch(kind, check, secret=key(kind, number=2)).status_code == 401
    assert client.fetch(kind, check).status_code == 200


UNKNOWN = {
    "openrouter": (400, "nobody/nothing is not a valid model ID", None),
    "groq": (404, "The model `nobody/nothing` does not exist or you do not have access to it.", "model_not_found"),
    "openai": (404, "The model `nobody/nothing` does not exist or you do not have access to it.", "model_not_found"),
    "generic": (404, "model 'nobody/nothing' not found", 404),
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_an_unknown_model_is_refused_in_the_provider_s_words(client: Client, kind: str) -> None:
    answer = client.chat(kind, model="nobody/nothing")
    status, message, code = UNKNOWN[kind]
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["message"] == message
    assert code is None or error["code"] == code


def test_a_model_that_went_away_is_first_without_endpoints_and_later_unknown(sim, client: Client) -> None:
    gone = MODELS["openrouter"]
    sim.catalogue("openrouter", remove=[gone])
    assert gone not in client.fetch("openrouter", "/models").text
    assert client.chat("openrouter").json()["error"] == {"message": f"No endpoints found for {gone}.", "code": 404}
    sim.advance(31 * 86_400)
    assert client.chat("openrouter").json()["error"]["code"] == 400


def test_a_gone_model_disappears_from_the_listing_while_the_fault_lasts(sim, client: Client) -> None:
    sim.faults({"kind": "groq", "model": MODELS["groq"], "fault": "model_gone"})
    assert MODELS["groq"] not in client.fetch("groq", "/models").text
    assert client.chat("groq").json()["error"]["code"] == "model_not_found"
    sim.faults()
    assert MODELS["groq"] in client.fetch("groq", "/models").text


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_path_and_a_wrong_method_are_json_errors(client: Client, kind: str) -> None:
    for answer in (client.fetch(kind, "/nowhere"), client.fetch(kind, "/chat/completions")):
        assert answer.status_code in {404, 405}
        assert answer.json()["error"]["message"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b'{"model": 7}',
        b'{"model":"m","messages":[]}',
        b'{"model":"m","messages":[7]}',
        b"\xff\xfe",
    ],
)
def test_bad_input_is_a_400_with_a_message(client: Client, kind: str, body: bytes) -> None:
    headers = {"authorization": f"Bearer {key(kind)}"}
    answer = client.post(f"{ROOTS[kind]}/chat/completions", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_the_context_window_is_kept_in_each_provider_s_words(client: Client) -> None:
    long = "word " * 20_000
    openai = client.chat("openai", long, model="gpt-3.5-turbo")
    assert openai.json()["error"]["code"] == "context_length_exceeded"
    assert "maximum context length is 16385 tokens" in openai.json()["error"]["message"]
    generic = client.chat("generic", long).json()["error"]
    assert (generic["type"], generic["n_ctx"], generic["n_prompt_tokens"]) == (
        "exceed_context_size_error",
        8_192,
        25_000,
    )
    together = client.chat("together", long, model="Qwen/Qwen2.5-Coder-32B-Instruct", max_tokens=9)
    assert together.status_code == 422
    assert "Given: 25000 `inputs` tokens and 9 `max_new_tokens`" in together.json()["error"]["message"]
    router = client.chat("openrouter", long, model="google/gemma-2-9b-it:free", max_tokens=100)
    assert "about 25100 tokens (25000 of text input, 100 in the output)" in router.json()["error"]["message"]


def test_features_a_model_lacks_are_refused_in_each_provider_s_words(client: Client) -> None:
    groq = client.chat("groq", model="groq/compound", tools=[TOOL]).json()["error"]
    assert groq["message"] == "`tool calling` is not supported with this model"
    assert groq["param"] == "tool calling"
    router = client.chat("openrouter", model="google/gemma-2-9b-it:free", tools=[TOOL])
    assert router.status_code == 404
    assert router.json()["error"]["message"].startswith("No endpoints found that support tool use.")
    image = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    message = [{"role": "user", "content": image}]
    assert client.chat("groq", messages=message).json()["error"]["message"] == "messages[0].content must be a string"
    assert client.chat("generic", messages=message).status_code == 500
    seen = client.chat("openai", messages=message).json()["choices"][0]["message"]["content"]
    assert "I see 1 image." in seen


def test_parameters_a_provider_does_not_take_are_refused(client: Client) -> None:
    assert client.chat("groq", n=2).status_code == 400
    assert client.chat("groq", logprobs=True).json()["error"]["param"] == "logprobs"
    old = client.chat("openai", model="o3-mini", max_tokens=5).json()["error"]
    assert (old["code"], old["param"]) == ("unsupported_parameter", "max_tokens")
    assert client.chat("openai", model="o3-mini", max_completion_tokens=5).status_code == 200
    assert client.chat("openai", max_tokens=99_999).json()["error"]["param"] == "max_tokens"


def test_openai_shows_its_limits_even_to_a_key_that_may_not(sim, client: Client) -> None:
    sim.faults({"kind": "openai", "fault": "no_permission"})
    answer = client.chat("openai")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] is None
    assert answer.headers["x-ratelimit-limit-requests"] == "500"
