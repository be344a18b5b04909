"""Embeddings, which never go to another model, and the older completions, which rotate as chats do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import openai
import orjson
import pytest

from rotation.core.failures import Failure, FailureKind
from rotation.providers.base import Answer
from rotation.providers.vectors import read_vectors
from rotation.simulator.serve import Running
from tests.cast import ALICE, Offer, Serving, serving, snapshot_of
from tests.gateway.test_audio import Open

SMALL = "text-embedding-3-small"
VECTORS: dict[str, Any] = {"type": "embedding"}
OFFERS = (
    Offer("openai", SMALL, accounts=2, features=VECTORS),
    Offer("openai", "text-embedding-3-large", features=VECTORS),
    Offer("openrouter", "openai/text-embedding-3-small", features=VECTORS),
    Offer("groq", "llama-3.1-8b-instant"),
    Offer("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    Offer("generic", "llama3.2:latest"),
)
PROMPT = {"model": "auto", "prompt": "Once upon a time", "max_tokens": 40}


@pytest.fixture
def opened(sim: Running, tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as stack:

        def open_one(*offers: Offer) -> Serving:
            return stack.enter_context(serving(snapshot_of(sim.url, offers or OFFERS), tmp_path))

        yield open_one


def embed(client: httpx2.Client, served: Serving, **more: Any) -> httpx2.Response:
    return client.post(f"{served.url}/v1/embeddings", json={"model": SMALL, "input": "hello", **more})


def complete(client: httpx2.Client, served: Serving, **more: Any) -> httpx2.Response:
    return client.post(f"{served.url}/v1/completions", json={**PROMPT, **more})


def test_the_sdk_gets_vectors(opened: Open) -> None:
    with openai.OpenAI(base_url=f"{opened().url}/v1", api_key=ALICE, max_retries=0) as client:
        found = client.embeddings.create(model=SMALL, input=["one", "two"])
        plain = client.embeddings.create(model=SMALL, input=["one", "two"], encoding_format="float")
    assert [len(v.embedding) for v in found.data] == [1536, 1536]
    assert found.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)


@pytest.mark.parametrize("form", ["float", "base64"])
def test_vectors_pass_through_as_they_were_asked_for(opened: Open, client: httpx2.Client, form: str) -> None:
    served = opened()
    vector = embed(client, served, encoding_format=form, dimensions=8).json()["data"][0]["embedding"]
    assert isinstance(vector, str if form == "base64" else list)
    (page,) = served.records()
    assert (page["op"], page["tokens_in"] > 0, page["tokens_out"], page["estimated"]) == ("embeddings", True, 0, False)


def test_vectors_come_from_another_key_of_the_same_model_and_from_no_other_model(
    opened: Open, client: httpx2.Client, sim: Running
) -> None:
    served = opened()
    sim.faults({"kind": "openai", "account": "main", "fault": "rate_limit", "hint": "retry_after", "seconds": 600})
    assert {embed(client, served).headers["x-rotation-model"] for _ in range(3)} == {SMALL}
    sim.faults({"kind": "openai", "fault": "overloaded"})
    lost = embed(client, served)
    assert lost.status_code == 503
    assert {e["model"] for e in sim.ledger()} == {SMALL}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": "auto"}, "model"),
        ({"models": ["text-embedding-3-large"]}, "models"),
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a", ""]}, "input"),
        ({"input": ["a", 1.5]}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"dimensions": 0}, "dimensions"),
        ({"stream": True}, "stream"),
        ({"model": None}, "model"),
    ],
)
def test_a_bad_call_for_vectors_is_refused_and_named(
    opened: Open, client: httpx2.Client, sim: Running, fields: dict[str, Any], param: str
) -> None:
    refused = embed(client, opened(), **fields)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, param)
    assert sim.ledger() == []


def test_a_model_for_chats_makes_no_vectors_and_one_for_vectors_does_not_chat(
    opened: Open, client: httpx2.Client
) -> None:
    served = opened()
    assert "is for chat, the call is for embedding" in embed(client, served, model="llama3.2:latest").text
    talk = {"model": SMALL, "messages": [{"role": "user", "content": "Hi"}]}
    assert "is for embedding" in client.post(f"{served.url}/v1/chat/completions", json=talk).text


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data":[]}', b'{"data":[{"embedding":[]}]}', b"<html>",
                                  b'{"error":{"message":"overloaded","type":"server_error"}}'])  # fmt: skip
def test_what_holds_no_vectors_is_a_fault_of_the_model(body: bytes) -> None:
    found = read_vectors(200, {}, body, 0.0)
    assert isinstance(found, Failure)
    assert found.kind is FailureKind.OVERLOADED


def test_vectors_without_usage_are_vectors() -> None:
    found = read_vectors(200, {}, orjson.dumps({"data": [{"embedding": "AAAA"}]}), 0.0)
    assert isinstance(found, Answer)
    assert found.usage is None


def test_a_prompt_is_completed_by_who_can(opened: Open, client: httpx2.Client, sim: Running) -> None:
    served = opened()
    answer = complete(client, served)
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["text"]
    assert answer.headers["x-rotation-provider"] == "sim-together", "Groq has chats only"
    (page,) = served.records()
    assert (page["op"], page["tokens_out"] > 0) == ("completions", True)
    assert {row["target"]: row["why"] for row in page["trace"]}["sim-groq/llama-3.1-8b-instant"] == (
        "this model has chat completions only"
    )
    sim.faults({"kind": "together", "fault": "overloaded"})
    assert complete(client, served).headers["x-rotation-provider"] == "sim-generic"


def test_a_completion_streams_and_commits_at_its_first_text(opened: Open, client: httpx2.Client, sim: Running) -> None:
    served = opened()
    sim.faults({"kind": "together", "fault": "cut", "after": 0})
    lines = [line for line in complete(client, served, stream=True).text.split("\n\n") if line]
    assert lines[-1] == "data: [DONE]"
    assert "".join(orjson.loads(line[6:])["choices"][0]["text"] for line in lines[:-1] if '"text"' in line)
    (page,) = served.records()
    assert (page["outcome"], len(page["attempts"]), page["tokens_out"] > 0) == ("answered", 2, True)


def test_the_sdk_completes(opened: Open) -> None:
    with openai.OpenAI(base_url=f"{opened().url}/v1", api_key=ALICE, max_retries=0) as client:
        assert client.completions.create(model="auto", prompt="Once", max_tokens=20).choices[0].text
        parts = list(client.completions.create(model="auto", prompt="Once", max_tokens=20, stream=True))
    assert "".join(part.choices[0].text for part in parts if part.choices)


def test_who_says_it_has_chats_only_is_not_asked_again_for_this_and_still_for_chats(
    opened: Open, client: httpx2.Client, sim: Running
) -> None:
    served = opened(*OFFERS[4:])
    told = "This is a chat model and not supported in the v1/completions endpoint."
    sim.faults(
        {"kind": "together", "operation": "completions", "fault": "server_error", "status": 404, "message": told}
    )
    assert [len(_page(complete(client, served), served)["attempts"]) for _ in range(2)] == [2, 1]
    assert [(r["deployment"], r["feature"]) for r in served.records("lack")] == [(1, "completions")]
    assert served.records("deployment") == [], "the model is not gone"
    talk = {"model": "auto", "messages": [{"role": "user", "content": "Hi"}]}
    chat = client.post(f"{served.url}/v1/chat/completions", json=talk)
    assert chat.headers["x-rotation-provider"] == "sim-together"


def _page(answer: httpx2.Response, served: Serving) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return served.records()[-1]


@pytest.mark.parametrize("prompt", [None, "", [], 7, {"text": "x"}])
def test_a_completion_needs_a_prompt(opened: Open, client: httpx2.Client, prompt: Any) -> None:
    refused = complete(client, opened(), prompt=prompt)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "prompt")
