"""What a stream means: content, finish, usage, errors wherever they stand, and an honest end."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotation.core.failures import FailureKind
from rotation.providers import PROVIDERS
from rotation.providers.base import Event, Usage
from tests.providers.cases import fixture, streams
from tests.providers.reading import chunk, read, text_of

TOLD = Usage(11, 5)
NO_DONE = ("generic/tight_without_done",)

# stream -> (index of the first content among the events, finish reason, usage, text)
WHOLE: dict[str, tuple[int, str, Usage | None, str]] = {
    "openrouter/whole": (3, "stop", Usage(11, 5, cost=0.00042), "Grüße, Welt 🌞"),
    "groq/whole": (1, "stop", TOLD, "Hello"),
    "groq/whole_late": (1, "stop", TOLD, "Hello"),
    "groq/tools": (1, "tool_calls", TOLD, ""),
    "openai/whole": (1, "stop", TOLD, "Hi there"),
    "openai/tools": (0, "tool_calls", TOLD, ""),
    "openai/refusal": (1, "stop", None, ""),
    "together/eos": (0, "stop", TOLD, "Hello!"),
    "together/usage_apart": (1, "stop", TOLD, "Hello"),
    "generic/llamacpp_crlf": (1, "length", None, "Zwölf"),
    "generic/deepseek_cumulative": (2, "stop", TOLD, "The end"),
    "generic/tight_without_done": (0, "stop", None, "One"),
    "generic/many_lines": (0, "stop", None, "Eins"),
    "generic/completions": (0, "length", None, ""),
}
# stream -> (failure kind, status, whether content came before)
BROKEN: dict[str, tuple[FailureKind, int | None, bool]] = {
    "openrouter/error_first": (FailureKind.BAD_REQUEST, 400, False),
    "openrouter/error_late": (FailureKind.OVERLOADED, 502, True),
    "openrouter/error_choice": (FailureKind.UPSTREAM_BUSY, 429, True),
    "openrouter/error_silent": (FailureKind.OVERLOADED, 200, True),
    "groq/error_tool": (FailureKind.GENERATION_FAILED, 400, True),
    "openai/error_inside": (FailureKind.BAD_REQUEST, None, True),
    "generic/error_llamacpp": (FailureKind.TOO_LONG, 500, True),
    "generic/error_vllm": (FailureKind.OVERLOADED, 500, True),
    "generic/error_flat": (FailureKind.OVERLOADED, 500, False),
    "generic/error_text": (FailureKind.OVERLOADED, None, False),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_stream_is_read_as_it_is(name: str) -> None:
    kind, stream = name.split("/")
    first, finish, usage, text = WHOLE[name]
    events, failure = read(kind, fixture(kind, f"stream_{stream}.sse"))
    assert failure is None
    assert [event.content for event in events].index(True) == first
    assert {event.finish_reason for event in events if event.finish_reason} == {finish}
    assert [event.usage for event in events if event.usage][-1:] == ([usage] if usage else [])
    assert text_of(events) == text
    assert events[-1].done is (name not in NO_DONE)


@pytest.mark.parametrize("name", BROKEN)
def test_an_error_inside_a_stream_is_a_failure_whatever_its_shape(name: str) -> None:
    kind, stream = name.split("/")
    expected, status, content = BROKEN[name]
    events, failure = read(kind, fixture(kind, f"stream_{stream}.sse"))
    assert failure is not None
    assert (failure.kind, failure.status) == (expected, status)
    assert events[-1].failure == failure
    assert events[-1].raw == b""
    assert any(event.content for event in events) is content
    assert not any(event.done for event in events)


def test_every_stream_on_file_is_expected_somewhere() -> None:
    found = {f"{kind}/{path.stem.removeprefix('stream_')}" for kind in PROVIDERS for path in streams(kind)}
    assert found == WHOLE.keys() | BROKEN.keys()


@pytest.mark.parametrize("name", [*WHOLE, *BROKEN])
def test_a_stream_fed_byte_by_byte_reads_the_same(name: str) -> None:
    kind, stream = name.split("/")
    data = fixture(kind, f"stream_{stream}.sse")
    assert read(kind, data, 1) == read(kind, data)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from([*WHOLE, *BROKEN]), sizes=st.lists(st.integers(1, 400), max_size=60))
def test_a_stream_reads_the_same_however_it_is_cut(name: str, sizes: list[int]) -> None:
    kind, stream = name.split("/")
    data = fixture(kind, f"stream_{stream}.sse")
    assert read(kind, data, sizes) == read(kind, data)


SCRAPS = st.lists(
    st.sampled_from(
        [
            b"data: ",
            b"data:",
            b"\n",
            b"\n\n",
            b"\r\n",
            b"\r",
            b": x",
            b"event: error",
            b"id: 1",
            b"[DONE]",
            b"{",
            b"}",
            b'{"choices":[]}',
            b'{"choices":[{"delta":{"content":"a"}}]}',
            b'{"error":"x"}',
            b"null",
            b"[]",
            b"\xef\xbb\xbf",
            b'{"choices":[{"delta":{"content":"b"},"finish_reason":"stop"}]}',
            b"\xff",
            b" ",
            b"<html>",
            b'{"usage":{}}',
            b'{"choices":[1]}',
            b'{"choices":{"a":1}}',
            b'{"choices":[{"delta":[],"finish_reason":3}]}',
        ]
    )
    | st.binary(max_size=4),
    max_size=30,
)


@settings(max_examples=300, deadline=None)
@given(kind=st.sampled_from(sorted(PROVIDERS)), scraps=SCRAPS, sizes=st.lists(st.integers(1, 9), max_size=40))
def test_no_bytes_break_the_reader_and_no_cut_changes_them(kind: str, scraps: list[bytes], sizes: list[int]) -> None:
    data = b"".join(scraps)
    assert read(kind, data, sizes) == read(kind, data) == read(kind, data, 1)


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "a"},
        {"reasoning": "a"},
        {"reasoning_content": "a"},
        {"refusal": "a"},
        {"tool_calls": [{"index": 0}]},
        {"function_call": {"name": "f"}},
        {"audio": {"transcript": "a"}},
    ],
)
def test_output_of_any_kind_is_content(delta: dict[str, object]) -> None:
    assert read("generic", chunk(delta))[0][0].content


@pytest.mark.parametrize(
    "delta",
    [
        {},
        {"role": "assistant"},
        {"content": ""},
        {"content": None},
        {"tool_calls": []},
        {"refusal": None},
        None,
        {"reasoning": ""},
    ],
)
def test_roles_and_empty_deltas_are_not_content(delta: object) -> None:
    events, _ = read("generic", chunk(delta))
    assert not events[0].content
    assert events[0].raw


def test_comments_are_dropped_and_are_not_content() -> None:
    assert read("openrouter", b": OPENROUTER PROCESSING\n\n")[0] == [Event(b"")]


def test_an_ordinary_event_is_passed_on_byte_by_byte() -> None:
    data = chunk({"content": "a"}, obfuscation="xyz", usage=None)
    assert read("openai", data)[0][0].raw == data


@pytest.mark.parametrize("data", [b'{"object":"ping"}', b'{"message":"hello"}', b'{"id":1,"choices":null}'])
def test_an_event_of_the_provider_s_own_is_passed_on(data: bytes) -> None:
    events, _ = read("generic", b"data: %b\n\n" % data)
    assert events == [Event(b"data: %b\n\n" % data)]


def test_usage_without_choices_at_all_is_usage_alone() -> None:
    events, _ = read("generic", b'data: {"usage":{"prompt_tokens":0,"completion_tokens":5}}\n\n')
    assert (events[0].usage, events[0].usage_only) == (Usage(0, 5), True)


def test_eos_becomes_stop_for_the_client_too() -> None:
    events, _ = read("together", fixture("together", "stream_eos.sse"))
    last = orjson.loads(events[1].raw[6:])
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["usage"]["prompt_tokens"] == 11


def test_a_chunk_of_nothing_but_usage_says_so() -> None:
    events, _ = read("openai", fixture("openai", "stream_whole.sse"))
    assert [event.usage_only for event in events] == [False, False, False, False, True, False]


@pytest.mark.parametrize(
    "usage", [{"prompt_tokens": -1, "completion_tokens": 2}, {}, {"prompt_tokens": "9"}, [], 10**30, "x"]
)
def test_impossible_usage_is_no_usage(usage: object) -> None:
    assert (
        read("generic", b'data: {"choices":[],"usage":' + str(usage).replace("'", '"').encode() + b"}\n\n")[0][0].usage
        is None
    )


def test_of_two_choices_in_one_chunk_only_the_odd_ending_is_renamed() -> None:
    ends = [{"index": 0, "delta": {}, "finish_reason": "eos"}, {"index": 1, "delta": {}, "finish_reason": "stop"}]
    reader = PROVIDERS["generic"].stream(0.0)
    [event] = reader.feed(b"data: " + orjson.dumps({"choices": ends}) + b"\n\n")
    assert [c["finish_reason"] for c in orjson.loads(event.raw[6:])["choices"]] == ["stop", "stop"]
    assert event.finish_reason == "stop"
    assert reader.finish() is None


def test_a_stream_is_whole_only_when_each_of_its_choices_has_ended() -> None:
    def of(index: int, reason: str | None) -> bytes:
        choice = {"index": index, "delta": {"content": "x"}, "finish_reason": reason}
        return b"data: " + orjson.dumps({"choices": [choice]}) + b"\n\n"

    half, whole = PROVIDERS["openai"].stream(0.0), PROVIDERS["openai"].stream(0.0)
    half.feed(of(0, None) + of(1, None) + of(0, "stop"))
    failure = half.finish()
    assert failure is not None
    assert failure.kind is FailureKind.INTERRUPTED
    whole.feed(of(0, None) + of(1, None) + of(0, "stop") + of(1, "length") + of(0, None))
    assert whole.finish() is None
