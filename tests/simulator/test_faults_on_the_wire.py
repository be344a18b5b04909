"""Each fault does to the bytes and the connection what its name says."""

from __future__ import annotations

import json
import pathlib
import time
from typing import Any

import httpx2
import pytest

from rotation.simulator.faults import Fault
from tests.simulator.asking import KINDS, MODELS, Client, Raw, events


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_stream_ends_with_a_reset_after_the_events_it_sent(sim, kind) -> None:
    sim.faults({"kind": kind, "fault": "cut", "after": 3})
    with Raw(sim.url, kind, stream=True) as raw:
        got, end = raw.read_to_the_end()
    assert end == "reset"
    assert got.startswith(b"HTTP/1.1 200 OK\r\n")
    assert got.count(b"data: {") == 3
    assert not got.endswith(b"0\r\n\r\n")


def test_a_cut_by_close_ends_in_the_middle_of_a_chunked_body(sim) -> None:
    sim.faults({"kind": "groq", "fault": "cut", "after": 2, "way": "close"})
    with Raw(sim.url, "groq", stream=True) as raw:
        got, end = raw.read_to_the_end()
    assert end == "eof"
    assert got.count(b"data: {") == 2
    assert not got.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("way", ["reset", "close"])
def test_a_cut_whole_answer_announces_more_than_it_sends(sim, way) -> None:
    sim.faults({"kind": "openai", "fault": "cut", "way": way})
    with Raw(sim.url, "openai") as raw:
        got, end = raw.read_to_the_end()
    assert end == ("reset" if way == "reset" else "eof")
    head, _, body = got.partition(b"\r\n\r\n")
    announced = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    assert 0 < len(body) < announced


def test_clients_see_a_cut_as_a_broken_connection(sim, client) -> None:
    sim.faults({"kind": "openai", "fault": "cut"})
    with pytest.raises(httpx2.TransportError):
        client.chat("openai", stream=True)


def test_a_stall_sends_its_events_and_then_holds_the_line_in_silence(sim) -> None:
    sim.faults({"kind": "openrouter", "fault": "stall", "after": 4})
    with Raw(sim.url, "openrouter", stream=True) as raw:
        got, end = raw.read_to_the_end(patience=0.5)
        assert end == "silence"
        assert got.count(b"data: {") == 4
        assert sim.open() == 1
    _until_closed(sim)


def test_a_stalled_whole_answer_says_nothing_at_all(sim) -> None:
    sim.faults({"kind": "generic", "fault": "stall"})
    with Raw(sim.url, "generic") as raw:
        assert raw.read_to_the_end(patience=0.3) == (b"", "silence")
    entry = _until_closed(sim)
    assert entry["status"] == 0


def _until_closed(sim) -> dict[str, Any]:
    until = time.monotonic() + 20
    while sim.open():
        assert time.monotonic() < until
        time.sleep(0.01)
    entry: dict[str, Any] = sim.ledger()[-1]
    assert entry["client_closed_after_ms"] is not None
    return entry


def test_a_truncated_stream_ends_cleanly_without_finish_or_done(sim, client) -> None:
    sim.faults({"kind": "together", "fault": "truncate", "after": 3})
    chunks = events(client.chat("together", stream=True))
    assert len(chunks) == 3
    assert all(choice["finish_reason"] is None for chunk in chunks for choice in chunk["choices"])


def test_a_truncated_whole_answer_is_half_a_json_of_the_announced_length(sim, client) -> None:
    sim.faults({"kind": "groq", "fault": "truncate"})
    answer = client.chat("groq")
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_malformed_is_broken_json_or_good_json_of_the_wrong_shape(sim, client) -> None:
    sim.faults({"kind": "openai", "fault": "malformed"})
    with pytest.raises(json.JSONDecodeError):
        client.chat("openai").json()
    sim.faults({"kind": "openai", "fault": "malformed", "form": "shape"})
    assert client.chat("openai").json()["choices"] == "none"
    sim.faults({"kind": "openai", "fault": "malformed", "form": "answer"})
    whole = client.chat("openai", response_format={"type": "json_object"}).json()
    with pytest.raises(json.JSONDecodeError):
        json.loads(whole["choices"][0]["message"]["content"])


def test_a_malformed_stream_has_one_broken_event_and_goes_on(sim, client) -> None:
    sim.faults({"kind": "openai", "fault": "malformed", "after": 2})
    lines = [line for line in client.chat("openai", stream=True).text.splitlines() if line.startswith("data: ")]
    with pytest.raises(json.JSONDecodeError):
        json.loads(lines[2][6:])
    assert lines[-1] == "data: [DONE]"


@pytest.mark.parametrize("kind", KINDS)
def test_empty_answers_come_in_three_forms(sim, client, kind) -> None:
    sim.faults({"kind": kind, "fault": "empty"})
    choice = client.chat(kind).json()["choices"][0]
    assert not choice["message"]["content"]
    assert choice["finish_reason"] in {"stop", "eos"}
    sim.faults({"kind": kind, "fault": "empty", "form": "choices"})
    assert client.chat(kind).json()["choices"] == []
    sim.faults({"kind": kind, "fault": "empty", "form": "body"})
    assert client.chat(kind).content == b""


def test_html_redirect_and_wrong_type_are_not_json(sim, client) -> None:
    sim.faults({"kind": "groq", "fault": "html", "status": 524})
    page = client.chat("groq")
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (524, "text/html")
    sim.faults({"kind": "groq", "fault": "redirect", "message": "http://127.0.0.1:9/"})
    away = client.chat("groq")
    assert (away.status_code, away.headers["location"]) == (302, "http://127.0.0.1:9/")
    sim.faults({"kind": "groq", "fault": "wrong_type"})
    plain = client.chat("groq")
    assert (plain.status_code, plain.headers["content-type"].partition(";")[0]) == (200, "text/plain")


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_may_hide_in_a_200(sim, client, kind) -> None:
    sim.faults({"kind": kind, "fault": "error_in_200"})
    answer = client.chat(kind)
    assert answer.status_code == 200
    assert "error" in answer.json()
    sim.faults({"kind": kind, "fault": "error_in_200", "form": "choice"})
    choice = client.chat(kind).json()["choices"][0]
    assert choice["error"]["code"] == 502
    assert choice["finish_reason"] is None


def test_a_late_error_of_a_slow_openrouter_answer_comes_in_a_padded_200(sim, client) -> None:
    sim.faults({"kind": "openrouter", "fault": "error_in_200"})
    answer = client.chat("openrouter", model="deepseek/deepseek-chat-v3.1:free")
    assert answer.status_code == 200
    assert answer.content.startswith(b"\n         \n")
    assert "error" in answer.json()


@pytest.mark.parametrize(
    ("kind", "ends_with_done"), [("openai", True), ("together", True), ("groq", False), ("generic", False)]
)
def test_an_error_in_the_stream_has_the_kind_s_own_shape(sim, client, kind, ends_with_done) -> None:
    sim.faults({"kind": kind, "fault": "error_in_stream", "after": 3, "message": "lost the engine"})
    answer = client.chat(kind, stream=True)
    chunks = events(answer)
    errors = [chunk for chunk in chunks if chunk != "[DONE]" and "error" in chunk]
    assert len(errors) == 1
    assert "lost the engine" in json.dumps(errors)
    assert (chunks[-1] == "[DONE]") is ends_with_done
    assert ("event: error" in answer.text) is (kind == "groq")


def test_openrouter_ends_broken_streams_in_both_its_ways(sim, client) -> None:
    sim.faults({"kind": "openrouter", "fault": "error_in_stream", "after": 3})
    ways = {events(client.chat("openrouter", stream=True))[-1] == "[DONE]" for _ in range(30)}
    assert ways == {True, False}


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_connection_closes_before_a_single_byte(sim, kind) -> None:
    sim.faults({"kind": kind, "fault": "refuse_connection"})
    with Raw(sim.url, kind) as raw:
        assert raw.read_to_the_end() == (b"", "reset")
    sim.faults({"kind": kind, "fault": "refuse_connection", "way": "close"})
    with Raw(sim.url, kind) as raw:
        assert raw.read_to_the_end() == (b"", "eof")
    assert sim.ledger()[-1]["client_closed_after_ms"] is None


def test_garbage_bytes_are_no_http(sim, client) -> None:
    sim.faults({"kind": "groq", "fault": "garbage_bytes"})
    with Raw(sim.url, "groq") as raw:
        got, end = raw.read_to_the_end()
    assert end == "eof"
    assert len(got) > 100
    assert not got.startswith(b"HTTP/")
    with pytest.raises(httpx2.TransportError):
        client.chat("groq")


@pytest.mark.parametrize("fields", [{}, {"stream": True}])
def test_a_huge_answer_is_as_huge_as_ordered(sim, client, fields) -> None:
    sim.faults({"kind": "groq", "fault": "huge", "size": 3 * 2**20})
    assert 3 * 2**20 <= len(client.chat("groq", **fields).content) < 4 * 2**20


def test_a_huge_event_is_one_line(sim, client) -> None:
    sim.faults({"kind": "groq", "fault": "huge", "form": "event", "size": 2**21})
    assert max(len(line) for line in client.chat("groq", stream=True).text.splitlines()) >= 2**21


def test_slow_delays_the_status_line_and_slow_first_only_the_first_event(sim, client) -> None:
    sim.faults({"kind": "openai", "fault": "slow", "seconds": 100})
    client.chat("openai", stream=True)
    sim.faults({"kind": "openrouter", "fault": "slow_first", "seconds": 100})
    answer = client.chat("openrouter", stream=True)
    slow, slow_first = sim.ledger()
    assert slow["first_ms"] >= 400
    assert slow_first["first_ms"] >= 400
    assert answer.text.count(": OPENROUTER PROCESSING") > 100  # all the while


POLITE = {
    "upstream_busy": {"openrouter": 429, "groq": 498, "openai": 429, "together": 429, "generic": 503},
    "server_error": dict.fromkeys(KINDS, 500),
    "overloaded": dict.fromkeys(KINDS, 503),
    "key_revoked": dict.fromkeys(KINDS, 401),
    "credits_gone": {"openrouter": 402, "groq": 402, "openai": 429, "together": 402, "generic": 402},
    "no_permission": {"openrouter": 404, "groq": 403, "openai": 401, "together": 403, "generic": 403},
    "model_gone": dict.fromkeys(KINDS, 404),
    "too_long": {"openrouter": 400, "groq": 400, "openai": 400, "together": 422, "generic": 400},
    "content_policy": {"openrouter": 403, "groq": 400, "openai": 400, "together": 400, "generic": 400},
    "generation_failed": {"openrouter": 400, "groq": 400, "openai": 500, "together": 500, "generic": 500},
    "rate_limit": dict.fromkeys(KINDS, 429),
    "quota_day": dict.fromkeys(KINDS, 429),
}


@pytest.mark.parametrize("fault", POLITE)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stream", [False, True])
def test_refusals_come_as_the_provider_s_own_json(sim, client, fault, kind, stream) -> None:
    sim.faults({"kind": kind, "model": MODELS[kind], "fault": fault})
    answer = client.chat(kind, stream=stream)
    assert answer.status_code == POLITE[fault][kind]
    assert answer.json()["error"]["message"]
    assert sim.ledger()[-1]["fault"] == fault


@pytest.mark.parametrize("kind", KINDS)
def test_lacks_meet_only_requests_that_want_the_feature(sim, client, kind) -> None:
    sim.faults({"kind": kind, "fault": "lacks_tools"})
    assert client.chat(kind).status_code == 200
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    refused = client.chat(kind, tools=[tool])
    assert refused.status_code in {400, 404, 500}
    assert "tool" in refused.text.lower() or "function" in refused.text.lower()


def test_words_and_numbers_of_an_error_can_be_ordered(sim, client) -> None:
    rule = {"fault": "server_error", "status": 520, "message": "no such luck", "code": "out_of_luck"}
    sim.faults({"kind": "openai", **rule})
    answer = client.chat("openai")
    assert answer.status_code == 520
    assert answer.json()["error"]["message"] == "no such luck"
    assert answer.json()["error"]["code"] == "out_of_luck"


def test_every_fault_is_tried_on_the_wire_here() -> None:
    text = pathlib.Path(__file__).read_text(encoding="utf-8")
    assert [fault for fault in Fault if f'"{fault}"' not in text and fault not in {"lacks_images", "lacks_json"}] == []


def test_a_listing_can_be_spoiled_too(sim, client: Client) -> None:
    sim.faults({"kind": "groq", "operation": "models", "fault": "html"})
    assert client.fetch("groq", "/models").status_code == 502
    assert client.chat("groq").status_code == 200
    sim.faults({"kind": "groq", "operation": "models", "fault": "truncate"})
    with pytest.raises(json.JSONDecodeError):
        client.fetch("groq", "/models").json()
