"""How a stream ends, well or badly, and what comes in place of one."""

from __future__ import annotations

import pytest

from rotation.core.failures import FailureKind
from rotation.providers import PROVIDERS
from rotation.providers.base import Event
from tests.providers.cases import NOW
from tests.providers.reading import chunk, read, text_of


@pytest.mark.parametrize("kind", PROVIDERS)
def test_an_end_without_finish_or_done_is_an_interruption(kind: str) -> None:
    failure = read(kind, chunk({"content": "half"}))[1]
    assert failure is not None
    assert failure.kind is FailureKind.INTERRUPTED
    assert read(kind, b"")[1] is not None


def test_a_finish_without_done_is_whole_and_so_is_done_without_a_finish() -> None:
    assert read("generic", chunk({"content": "a"}, "stop"))[1] is None
    assert read("generic", chunk({"content": "a"}) + b"data: [DONE]\n\n")[1] is None
    assert read("generic", chunk({"content": "a"}, "stop") + b"data: [DONE]")[1] is None


def test_content_whose_closing_line_never_came_is_not_lost_silently() -> None:
    events, failure = read("generic", chunk({"content": "a"}) + chunk({"content": "b"}, "stop").rstrip())
    assert text_of(events) == "a"
    assert failure is not None
    assert failure.kind is FailureKind.INTERRUPTED


def test_one_broken_event_is_skipped_and_a_second_one_is_a_failure() -> None:
    good, bad = chunk({"content": "a"}), b"data: {broken\n\n"
    events, failure = read("generic", good + bad + chunk({}, "stop") + b"data: [DONE]\n\n")
    assert failure is None
    assert events[1] == Event(b"")
    _, failure = read("generic", good + bad + bad + chunk({}, "stop"))
    assert failure is not None
    assert failure.kind is FailureKind.OVERLOADED
    _, failure = read("generic", good + bad)
    assert failure is not None
    assert failure.kind is FailureKind.INTERRUPTED


@pytest.mark.parametrize(
    "bad", [b'{"choices":"none"}', b'{"choices":[7]}', b'{"choices":[{"delta":"x"}]}', b"7", b"null"]
)
def test_json_of_the_wrong_shape_is_as_broken_as_no_json(bad: bytes) -> None:
    event = b"data: %b\n\n" % bad
    events, failure = read("generic", event + chunk({"content": "a"}, "stop"))
    assert (events[0], failure) == (Event(b""), None)
    _, failure = read("generic", event + event)
    assert failure is not None
    assert failure.kind is FailureKind.OVERLOADED


def test_nothing_is_said_after_done_or_after_a_failure() -> None:
    assert len(read("generic", b"data: [DONE]\n\n" + chunk({"content": "x"}))[0]) == 1
    reader = PROVIDERS["generic"].stream(NOW)
    reader.feed(b'data: {"error":"x"}\n\n')
    assert reader.feed(chunk({"content": "x"})) == []


def test_an_event_of_more_than_a_mebibyte_is_a_failure() -> None:
    for data in (chunk({"content": "x" * 2**20}), b"data: " + b"x" * (2**20 + 3), b"{" + b" " * 2**20 + b"}"):
        events, failure = read("generic", data, 65_536)
        assert failure is not None
        assert failure.kind is FailureKind.OVERLOADED
        assert events[-1].failure == failure


def test_a_large_event_below_the_limit_is_read() -> None:
    assert read("generic", chunk({"content": "x" * 1_000_000}, "stop"), 1000)[1] is None


def test_lone_surrogates_in_an_event_are_the_clients_to_read() -> None:
    data = b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n'
    events, _ = read("generic", data)
    assert events[0] == Event(data, content=True)


def test_characters_are_counted_for_an_estimate() -> None:
    reader = PROVIDERS["openai"].stream(NOW)
    reader.feed(chunk({"content": "four", "reasoning": "and"}))
    reader.feed(chunk({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{}"}}]}))
    assert reader.characters == 10


def test_a_json_body_in_place_of_a_stream_is_read_as_the_error_it_is() -> None:
    failure = read("generic", b'\n\n{"error":{"code":429,"message":"Rate limit exceeded: free-models-per-min."}}')[1]
    assert failure is not None
    assert failure.kind is FailureKind.RATE_LIMITED


def test_a_server_that_answers_in_one_piece_lacks_streaming() -> None:
    failure = read("generic", b'{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}')[1]
    assert failure is not None
    assert (failure.kind, failure.feature) == (FailureKind.LACKS_FEATURE, "stream")


@pytest.mark.parametrize("data", [b"<html><title>Login</title>", b'{"a":1}', b'{"broken', b"just words"])
def test_other_bodies_in_place_of_a_stream_are_failures(data: bytes) -> None:
    failure = read("generic", data)[1]
    assert failure is not None
    assert failure.kind in {FailureKind.OVERLOADED, FailureKind.INTERRUPTED}


@pytest.mark.parametrize("data", [b"oops", b'{"message":"out of memory"}', b'"text"', b'{"error":{}}'])
def test_an_event_named_error_is_an_error_whatever_it_holds(data: bytes) -> None:
    failure = read("groq", b"event: error\ndata: " + data + b"\n\n")[1]
    assert failure is not None
    assert failure.kind is FailureKind.OVERLOADED
    assert failure.message
