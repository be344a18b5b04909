"""Streams commit at the first content; from then on the end of a stream is told as it was."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from rotation.core.failures import FailureKind
from rotation.core.policy import policy_from
from rotation.simulator.serve import Running
from tests.cast import Offer, Serving, wait_for
from tests.gateway.asking import Open, ask, chat

KINDS = {
    "openrouter": "meta-llama/llama-3.3-8b-instruct:free",
    "groq": "llama-3.1-8b-instant",
    "openai": "gpt-4o-mini",
    "together": "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    "generic": "llama3.2:latest",
}


def events(reply: httpx2.Response) -> list[Any]:
    """The data of every event: parsed, `[DONE]` as it is."""
    lines = [line.removeprefix("data: ") for line in reply.text.split("\n") if line.startswith("data:")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def text_of(found: list[Any]) -> str:
    deltas = [c["delta"] for e in found if isinstance(e, dict) for c in e.get("choices", [])]
    return "".join(d.get("content") or "" for d in deltas)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_of_every_kind_comes_whole_with_one_done_at_its_end(
    client: httpx2.Client, gateway: Open, kind: str
) -> None:
    served = gateway(Offer(kind, KINDS[kind]))
    reply = ask(client, served, stream=True)
    assert reply.headers["content-type"].startswith("text/event-stream")
    found = events(reply)
    assert found.count("[DONE]") == 1
    assert found[-1] == "[DONE]"
    assert text_of(found)
    wait_for(served.records)
    [call] = served.records()
    assert call["outcome"] == "answered"
    assert call["tokens_out"] > 0
    assert 0 < call["first_ms"] <= call["total_ms"]


@pytest.mark.parametrize("kind", KINDS)
def test_usage_is_counted_though_only_passed_on_to_those_who_asked(
    client: httpx2.Client, gateway: Open, kind: str
) -> None:
    served = gateway(Offer(kind, KINDS[kind]))
    plain = events(ask(client, served, stream=True))
    assert not any(isinstance(e, dict) and e.get("choices") == [] for e in plain)
    asked = events(ask(client, served, stream=True, stream_options={"include_usage": True}))
    assert any(isinstance(e, dict) and e.get("usage") for e in asked)
    wait_for(lambda: len(served.records()) == 2)
    assert not any(call["estimated"] for call in served.records())


BREAKS = [
    ({"fault": "cut", "after": 4}, "upstream_disconnected", FailureKind.INTERRUPTED),
    ({"fault": "cut", "after": 4, "way": "reset"}, "upstream_disconnected", FailureKind.INTERRUPTED),
    ({"fault": "truncate", "after": 4}, "upstream_incomplete", FailureKind.INTERRUPTED),
    ({"fault": "stall", "after": 4}, "upstream_stalled", FailureKind.STALLED),
    ({"fault": "error_in_stream", "after": 4}, None, FailureKind.INTERRUPTED),
]


@pytest.mark.parametrize(("fault", "code", "kind"), BREAKS, ids=[str(b[0]) for b in BREAKS])
def test_a_stream_that_breaks_after_its_first_content_ends_in_an_error_and_never_in_done(
    client: httpx2.Client, gateway: Open, sim: Running, fault: dict[str, Any], code: str | None, kind: FailureKind
) -> None:
    policy = policy_from("balanced", {"gap": 0.5})
    served = gateway(Offer("openai", "gpt-4o-mini"), Offer("groq", "llama-3.1-8b-instant"), policy=policy)
    sim.faults({"kind": "openai", **fault})
    found = events(ask(client, served, stream=True, text="Tell me a long story about the sea."))
    assert "[DONE]" not in found
    assert found[-1]["error"]["message"]
    if code:
        assert found[-1]["error"]["code"] == code
    wait_for(served.records)
    [call] = served.records()
    assert call["outcome"] == "interrupted"
    assert [a["outcome"] for a in call["attempts"]] == [kind]


@pytest.mark.parametrize("fault", ["cut", "truncate", "stall", "error_in_stream"])
def test_the_same_before_the_first_content_is_nobodys_loss(
    client: httpx2.Client, gateway: Open, sim: Running, fault: str
) -> None:
    policy = policy_from("balanced", {"first_content_cap": 0.6, "first_content_floor": 0.2})
    served = gateway(Offer("openai", "gpt-4o-mini"), Offer("groq", "llama-3.1-8b-instant"), policy=policy)
    sim.faults({"kind": "openai", "fault": fault, "after": 0})
    reply = ask(client, served, stream=True)
    assert reply.headers["x-rotation-provider"] == "sim-groq"
    assert events(reply)[-1] == "[DONE]"


def test_comments_alone_are_not_an_answer(client: httpx2.Client, gateway: Open, sim: Running) -> None:
    """OpenRouter sends `: OPENROUTER PROCESSING` long before anybody has accepted the call."""
    policy = policy_from("balanced", {"first_content_cap": 0.6, "first_content_floor": 0.2})
    served = gateway(Offer("openrouter", KINDS["openrouter"]), Offer("groq", KINDS["groq"]), policy=policy)
    sim.faults({"kind": "openrouter", "fault": "slow_first", "seconds": 500})
    reply = ask(client, served, stream=True)
    assert reply.headers["x-rotation-provider"] == "sim-groq"
    assert served.records()[0]["attempts"][0]["outcome"] == FailureKind.TIMED_OUT


def chunks_until_gone(client: httpx2.Client, served: Serving, count: int) -> None:
    """Read so many chunks, then hang up."""
    url = f"{served.url}/v1/chat/completions"
    with client.stream("POST", url, json=chat(stream=True, text="Tell me a long story.")) as reply:
        if count:
            pieces = reply.iter_raw()
            for _ in range(count):
                next(pieces)


def test_a_client_that_hangs_up_in_mid_stream_frees_the_provider_within_250_ms(
    client: httpx2.Client, gateway: Open, sim: Running
) -> None:
    served = gateway(Offer("generic", "llama3.2:latest"))
    sim.faults({"fault": "stall", "after": 3})
    chunks_until_gone(client, served, 1)
    wait_for(lambda: sim.open() == 0)
    wait_for(served.records)
    [entry] = sim.ledger()
    assert entry["client_closed_after_ms"] is not None
    [call] = served.records()
    assert (call["outcome"], call["status"]) == ("cancelled", 499)
    assert call["attempts"][0]["outcome"] == FailureKind.CANCELLED
    assert not served.records("cooldown")
    assert not served.records("breaker")


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_hangs_up_before_the_first_token_frees_the_provider(
    gateway: Open, sim: Running, client: httpx2.Client, stream: bool
) -> None:
    served = gateway(Offer("generic", "llama3.2:latest"))
    sim.faults({"fault": "slow", "seconds": 3000})
    with pytest.raises(httpx2.ReadTimeout):
        client.post(f"{served.url}/v1/chat/completions", json=chat(stream=stream), timeout=0.3)
    wait_for(lambda: sim.open() == 0)
    wait_for(served.records)
    assert served.records()[0]["outcome"] == "cancelled"
