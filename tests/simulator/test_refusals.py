"""What is refused is refused in each provider's own words and shape."""

from __future__ import annotations

import pytest

from tests.simulator.asking import KINDS, MODELS, ROOTS, TOOL, Client, bearer, key

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
    answer = client.post(f"{ROOTS[kind]}/chat/completions", content=body, headers=bearer(kind))
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
