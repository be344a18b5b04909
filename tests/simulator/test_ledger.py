"""The ledger tells what was received and sent, the client's early leaving included."""

from __future__ import annotations

import time
from typing import Any

import pytest

from rotation.simulator.ledger import Ledger
from rotation.simulator.serve import Running, running
from tests.simulator.asking import KINDS, MODELS, ROOTS, Client, Raw, bearer, events, payload


def settled(sim: Running) -> list[dict[str, Any]]:
    until = time.monotonic() + 20
    while sim.open():
        assert time.monotonic() < until
        time.sleep(0.005)
    return sim.ledger()


@pytest.mark.parametrize("kind", KINDS)
def test_every_request_stands_in_it_once(sim: Running, client: Client, kind: str) -> None:
    headers = {**bearer(kind), "x-request-id": "req-7"}
    answer = client.post(f"{ROOTS[kind]}/chat/completions", json=payload(kind), headers=headers)
    (entry,) = settled(sim)
    usage = answer.json()["usage"]
    assert entry["number"] == 1
    assert entry["done"] is True
    expected = {
        "kind": kind,
        "operation": "chat",
        "model": MODELS[kind],
        "key": "in-1",
        "account": "main",
        "request_id": "req-7",
        "status": 200,
        "fault": "",
        "stream": False,
        "events": 1,
        "tokens_in": usage["prompt_tokens"],
        "tokens_out": usage["completion_tokens"],
        "client_closed_after_ms": None,
    }
    assert {name: entry[name] for name in expected} == expected
    assert 0 < entry["first_ms"] <= entry["total_ms"]


def test_the_secret_is_not_in_it(sim: Running, client: Client) -> None:
    client.chat("groq", secret="gsk_quite_a_secret_key")
    assert "quite" not in str(sim.ledger())
    assert sim.ledger()[0]["account"] == "key-_key"


def test_events_of_a_stream_are_counted(sim: Running, client: Client) -> None:
    chunks = events(client.chat("openai", stream=True))
    (entry,) = settled(sim)
    assert entry["events"] == len(chunks)
    assert entry["stream"] is True


def test_it_filters_by_number_kind_model_and_request(sim: Running, client: Client) -> None:
    for kind in KINDS:
        client.chat(kind)
    assert [entry["kind"] for entry in sim.ledger(kind="groq")] == ["groq"]
    assert [entry["number"] for entry in sim.ledger(since=3)] == [4, 5]
    assert [entry["kind"] for entry in sim.ledger(model=MODELS["openai"])] == ["openai"]
    assert sim.ledger(request_id="nobody") == []


def test_refusals_and_faults_stand_in_it_too(sim: Running, client: Client) -> None:
    client.chat("groq", secret="")
    client.chat("groq", model="nobody")
    sim.faults({"kind": "groq", "fault": "overloaded"})
    client.chat("groq")
    client.fetch("groq", "/nowhere")
    found = [(entry["status"], entry["model"], entry["fault"], entry["operation"]) for entry in settled(sim)]
    assert found == [
        (401, "", "", "chat"),
        (404, "nobody", "", "chat"),
        (503, MODELS["groq"], "overloaded", "chat"),
        (404, "", "", "unknown"),
    ]


@pytest.fixture
def slow() -> Any:
    """Answers take half a second and more."""
    with running(speed=20, limits=False) as sim:
        yield sim


def test_a_client_that_leaves_before_the_first_byte_is_noticed_at_once(slow: Running) -> None:
    raw = Raw(slow.url, "openrouter", model="google/gemma-2-9b-it:free")  # 15 s / 20
    time.sleep(0.05)
    assert slow.open() == 1
    raw.close()
    (entry,) = settled(slow)
    assert entry["client_closed_after_ms"] < 600
    assert entry["status"] == 0
    assert entry["tokens_out"] == 0


def test_a_client_that_leaves_in_mid_stream_is_noticed_and_charged_for_what_it_got(slow: Running) -> None:
    raw = Raw(slow.url, "openrouter", model="google/gemma-2-9b-it:free", stream=True)
    raw.read_until(b'"content":"Simulated')
    raw.close()
    (entry,) = settled(slow)
    assert entry["client_closed_after_ms"] == pytest.approx(entry["total_ms"], abs=50)
    assert entry["status"] == 200
    assert 1 <= entry["events"] < 20
    assert 0 <= entry["tokens_out"] < 30


def test_a_client_that_leaves_a_stalled_stream_is_noticed(slow: Running) -> None:
    slow.faults({"kind": "groq", "fault": "stall", "after": 2})
    raw = Raw(slow.url, "groq", stream=True)
    raw.read_until(b'"content":"Simulated')
    raw.close()
    (entry,) = settled(slow)
    assert (entry["events"], entry["fault"]) == (2, "stall")
    assert entry["client_closed_after_ms"] is not None


def test_connections_are_counted_while_they_are_open(sim: Running) -> None:
    idle = sim.control("GET", "/_sim/open")
    assert idle["requests"] == 0
    sim.faults({"kind": "groq", "fault": "stall"})
    with Raw(sim.url, "groq", stream=True) as raw:
        raw.read_until(b"data: ")
        assert sim.control("GET", "/_sim/open")["requests"] == 1
        assert sim.control("GET", "/_sim/open")["connections"] > idle["connections"]
    settled(sim)


def test_a_full_ledger_lets_the_oldest_go_and_counts_on() -> None:
    ledger = Ledger(keep=3)
    for _ in range(5):
        ledger.end(ledger.begin(at=0.0, kind="groq", operation="chat"))
    assert [entry.number for entry in ledger.select()] == [3, 4, 5]
    assert ledger.open == 0


@pytest.mark.parametrize(("fault", "charged"), [("truncate", True), ("cut", True), ("html", False), ("empty", False)])
def test_only_what_went_out_is_charged(sim: Running, fault: str, charged: bool) -> None:
    sim.faults({"kind": "groq", "fault": fault, "after": 5})
    with Raw(sim.url, "groq", stream=True) as raw:
        raw.read_to_the_end() if fault == "cut" else raw.read_until(b"</html>" if fault == "html" else b"0\r\n\r\n")
    (entry,) = settled(sim)
    assert (0 < entry["tokens_out"] < 15) is charged
