"""Requests with audio, byte by byte, and what replies to them mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.failures import Failure, FailureKind
from rotation.core.transcription import Audio
from rotation.providers import PROVIDERS
from rotation.providers.base import Answer, Outgoing
from rotation.providers.multipart import Multipart, fields_for
from rotation.providers.transcripts import billed, price, read_transcript

SOUND = b"\x00\xff\r\n--rotation\r\n" * 500
AUDIO = Audio(len(SOUND), 10.0)


@dataclass(frozen=True)
class File:
    name: str = "speech.mp3"
    type: str = "audio/mpeg"
    content: bytes = SOUND

    @property
    def size(self) -> int:
        return len(self.content)

    async def pieces(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.content), 100):
            yield self.content[at : at + 100]


def sent(out: Outgoing) -> tuple[list[tuple[str, bytes]], Message]:
    """What a server makes of the request: fields in order, and the part that is the file."""
    stream = out.stream
    assert stream is not None

    async def whole() -> bytes:
        return b"".join([piece async for piece in stream.pieces()])

    body = asyncio.run(whole())
    assert len(body) == stream.length == int(out.headers["content-length"])
    assert asyncio.run(whole()) == body, "it can be sent again"
    form = message_from_bytes(b"content-type: " + out.headers["content-type"].encode() + b"\r\n\r\n" + body)
    parts: Any = form.get_payload()
    fields = [(p.get_param("name", header="content-disposition"), p.get_payload(decode=True)) for p in parts]
    return fields, parts[-1]


def build(kind: str, fields: list[tuple[str, str]], file: File | None = None, **more: Any) -> Outgoing:
    return PROVIDERS[kind].transcription("https://x.example/v1/", "sk-1", "whisper", fields, file or File(), **more)


@pytest.mark.parametrize("kind", sorted(PROVIDERS))
def test_the_file_is_sent_as_it_came_and_the_model_is_the_targets(kind):
    fields = [("model", "auto"), ("language", "de"), ("timestamp_granularities[]", "word"),
              ("timestamp_granularities[]", "segment")]  # fmt: skip
    out = build(kind, fields)
    given_, part = sent(out)
    assert given_ == [
        ("model", b"whisper"), ("language", b"de"), ("timestamp_granularities[]", b"word"),
        ("timestamp_granularities[]", b"segment"), ("file", SOUND),
    ]  # fmt: skip
    assert (part.get_filename(), part.get_content_type()) == ("speech.mp3", "audio/mpeg")
    assert (out.url, out.headers["authorization"]) == ("https://x.example/v1/audio/transcriptions", "Bearer sk-1")


def test_translations_have_an_address_of_their_own():
    assert build("openai", [], translate=True).url.endswith("/audio/translations")


def test_together_is_told_to_listen_for_the_language():
    assert ("language", b"auto") in sent(build("together", []))[0]
    assert ("language", b"auto") not in sent(build("together", [("language", "fr")]))[0]
    assert ("language", b"auto") not in sent(build("together", [], translate=True))[0]


def test_what_steers_and_what_an_operator_drops_is_left_out_and_named():
    out = build(
        "generic", [("api_key", "x"), ("include[]", "logprobs"), ("prompt", "p")], options={"drops": ["include"]}
    )
    assert [name for name, _ in sent(out)[0]] == ["model", "prompt", "file"]
    assert out.dropped == ("api_key", "include[]")


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=4), st.text(max_size=30))
def test_no_field_and_no_file_name_breaks_out_of_its_part(fields, name):
    out = build("openai", fields, File(name=name))
    assert isinstance(out.stream, Multipart)
    boundary = out.headers["content-type"].partition("boundary=")[2].encode()
    kept, _ = fields_for(fields, "whisper", PROVIDERS["openai"].drops)
    parts = out.stream.head.split(b"--" + boundary + b"\r\n")[1:]
    assert len(parts) == len([n for n, _ in kept if n not in out.dropped]) + 1
    for part in parts:
        assert part.count(b"content-disposition:") >= 1
        assert part.partition(b"\r\n")[0].startswith(b'content-disposition: form-data; name="')
        assert part.partition(b"\r\n")[0].count(b'"') in (2, 4)


OK: list[tuple[str, bytes, str]] = [
    ("json", b'{"text":"Hello."}', "application/json"),
    ("json", b'\n  {"text":""}\n', "application/json"),
    ("verbose_json", b'{"task":"transcribe","duration":36.7,"text":"Hi","segments":[]}', "application/json"),
    ("text", b"Hello.\n", "text/plain; charset=utf-8"),
    ("text", b"", "text/plain; charset=utf-8"),
    ("text", b"{not JSON, only said so}", "text/plain; charset=utf-8"),
    ("srt", b"1\n00:00:00,000 --> 00:00:01,000\nHi\n", "text/plain; charset=utf-8"),
    ("vtt", b"WEBVTT\n\n00:00.000 --> 00:01.000\nHi\n", "text/plain; charset=utf-8"),
]


def read(body: bytes, form: str = "json", status: int = 200, **more: Any) -> Answer | Failure:
    return read_transcript(status, {}, body, 0.0, audio=Audio(1000, 10.0, form, **more))


@pytest.mark.parametrize(("form", "body", "content_type"), OK)
def test_every_format_is_passed_on_with_its_content_type(form, body, content_type):
    found = read(body, form)
    assert isinstance(found, Answer)
    assert (found.body.strip(), found.content_type) == (body.strip(), content_type)


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("json", b""), ("json", b"[]"), ("json", b'{"words":[]}'), ("json", b'{"text":7}'), ("json", b"Hello."),
        ("json", b"<html><title>502</title></html>"), ("text", b"<!DOCTYPE html><title>login</title>"),
        ("srt", b"just words"), ("vtt", b"just words"),
        ("text", b'{"error":{"message":"The server had an error","type":"server_error"}}'),
        ("json", b'{"error":{"message":"overloaded","type":"server_error"}}'),
    ],
)  # fmt: skip
def test_a_good_status_with_something_else_is_a_fault_of_the_model(form, body):
    found = read(body, form)
    assert isinstance(found, Failure)
    assert found.kind is FailureKind.OVERLOADED


@pytest.mark.parametrize(
    ("body", "seconds", "tokens", "estimated"),
    [
        ({"text": "x", "usage": {"type": "duration", "seconds": 9}}, 9.0, (0, 0), False),
        ({"text": "x", "duration": 36.7}, 36.7, (0, 0), False),
        ({"text": "x", "duration": "36.7"}, 36.7, (0, 0), False),
        ({"text": "x", "usage": {"type": "tokens", "input_tokens": 14, "output_tokens": 45}}, 10.0, (14, 45), True),
        ({"text": "x"}, 10.0, (0, 0), True),
        ({"text": "x", "duration": -1, "usage": {"seconds": "many"}}, 10.0, (0, 0), True),
        ({"text": "x", "duration": True, "usage": [1]}, 10.0, (0, 0), True),
    ],
)
def test_what_was_heard_is_taken_from_the_answer_else_from_the_estimate(body, seconds, tokens, estimated):
    found = read(orjson.dumps(body))
    assert isinstance(found, Answer)
    assert found.usage is not None
    usage = found.usage
    assert (usage.audio_seconds, (usage.tokens_in, usage.tokens_out), usage.estimated) == (seconds, tokens, estimated)


def test_a_refused_format_is_a_lack_of_the_models_and_not_the_callers_mistake():
    told = {"message": "response_format 'srt' is not compatible with model 'm'", "type": "invalid_request_error",
            "param": "response_format"}  # fmt: skip
    found = read(orjson.dumps({"error": told}), "srt", 400)
    assert isinstance(found, Failure)
    assert (found.kind, found.feature) == (FailureKind.LACKS_FEATURE, "srt")
    told = {"message": "This model does not support translation.", "type": "invalid_request_error"}
    found = read(orjson.dumps({"error": told}), "json", 400, translate=True)
    assert isinstance(found, Failure)
    assert (found.kind, found.feature) == (FailureKind.LACKS_FEATURE, "translation")
    told = {"message": "Invalid file format.", "type": "invalid_request_error", "param": "file"}
    found = read(orjson.dumps({"error": told}), "json", 400)
    assert isinstance(found, Failure)
    assert found.kind is FailureKind.BAD_REQUEST


def test_a_file_that_is_too_large_is_too_large_at_every_kind():
    told = b'{"error":{"message":"413: Maximum content size limit (26214400) exceeded (26383110 bytes read)"}}'
    for body in (
        told,
        b'{"error":{"message":"Request Entity Too Large","type":"invalid_request_error","code":"request_too_large"}}',
        b"<html><head><title>413 Request Entity Too Large</title></head></html>",
        b"",
    ):
        found = read(body, status=413)
        assert isinstance(found, Failure)
        assert (found.kind, found.status) == (FailureKind.TOO_LARGE_FOR_BUDGET, 413), body


@given(st.binary(max_size=200), st.sampled_from(["json", "text", "srt", "verbose_json", "vtt"]), st.integers(200, 599))
def test_no_reply_is_too_strange_to_be_read(body, form, status):
    assert isinstance(read(body, form, status), Answer | Failure)


def test_groq_bills_ten_seconds_at_least():
    assert (billed("groq", 3.0), billed("groq", 30.0), billed("openai", 3.0)) == (10.0, 30.0, 3.0)


def test_an_operators_price_goes_before_the_tables():
    assert price("openai", "whisper-1", {}) == pytest.approx(0.0001)
    assert price("openai", "whisper-1", {"audio_per_minute": {"whisper-1": 0.003}}) == pytest.approx(0.00005)
    assert price("generic", "whisper-base", {"audio_per_minute": "much"}) is None
