"""What audio was turned into: a transcript in any of its formats, or why there is none; how long it was and its price.

A transcript may be empty, for silence is heard too. It neither measures audio nor decides who is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from rotation.core.failures import Failure, FailureKind
from rotation.core.transcription import TRANSLATION, Audio
from rotation.providers.base import Answer, Usage
from rotation.providers.envelope import complaint
from rotation.providers.errors import classify, inside
from rotation.providers.wire import bare, is_html, parse

IN_JSON = ("json", "verbose_json", "diarized_json")
JSON, TEXT = "application/json", "text/plain; charset=utf-8"
LEAST_BILLED: Mapping[str, float] = {"groq": 10.0}  # seconds
MINUTE, HOUR = 60.0, 3600.0
_LONGEST = 1e6  # seconds of audio in one call, beyond which a figure is a mistake

# USD per second by (kind, model), from the providers' price pages of autumn 2025. An operator's own stand in the
# provider's options: {"audio_per_minute": {"whisper-1": 0.006}}.
PRICES: Mapping[tuple[str, str], float] = {
    ("openai", "whisper-1"): 0.006 / MINUTE,
    ("openai", "gpt-4o-transcribe"): 0.006 / MINUTE,
    ("openai", "gpt-4o-transcribe-diarize"): 0.006 / MINUTE,
    ("openai", "gpt-4o-mini-transcribe"): 0.003 / MINUTE,
    ("groq", "whisper-large-v3"): 0.111 / HOUR,
    ("groq", "whisper-large-v3-turbo"): 0.04 / HOUR,
    ("together", "openai/whisper-large-v3"): 0.0015 / MINUTE,
}


def read_transcript(
    status: int, headers: Mapping[str, str], body: bytes, now: float, *, audio: Audio
) -> Answer | Failure:
    """The transcript in a reply; its usage holds the seconds heard, as told or else as estimated beforehand."""
    if not 200 <= status < 300:
        return about_audio(classify(status, headers, body, now), audio)
    if is_html(body) and (audio.format in IN_JSON or body.lstrip()[:9].lower().startswith((b"<!doctype", b"<html"))):
        return Failure(FailureKind.OVERLOADED, "answered with a page, not with a transcript", status)
    return _in_json(status, body, now, audio) if audio.format in IN_JSON else _in_text(status, body, now, audio)


def _in_json(status: int, body: bytes, now: float, audio: Audio) -> Answer | Failure:
    try:
        parsed = parse(bare(body))
    except ValueError:
        return Failure(FailureKind.OVERLOADED, "answered with something that is not JSON", status)
    if failure := _error_inside(parsed, now, audio):
        return failure
    if type(parsed) is not dict or not isinstance(parsed.get("text"), str):
        return Failure(FailureKind.OVERLOADED, "answered without a text", status)
    return Answer(bare(body), _usage(parsed, audio), "stop", content_type=JSON)


def _in_text(status: int, body: bytes, now: float, audio: Audio) -> Answer | Failure:
    text = bare(body)
    if text.startswith(b"{"):
        try:
            failure = _error_inside(orjson.loads(text), now, audio)
        except orjson.JSONDecodeError:
            failure = None
        if failure:
            return failure
    if audio.format in ("srt", "vtt") and text and b"-->" not in text and not text.startswith(b"WEBVTT"):
        return Failure(FailureKind.OVERLOADED, f"answered with something that is not {audio.format}", status)
    return Answer(body, _usage({}, audio), "stop", content_type=TEXT)


def _error_inside(parsed: Any, now: float, audio: Audio) -> Failure | None:
    return about_audio(inside(parsed, now), audio) if complaint(parsed) else None


def about_audio(failure: Failure, audio: Audio) -> Failure:
    """A refusal of the wished format or of translating is a lack of the model's, not a mistake of the caller's."""
    if failure.kind not in (FailureKind.BAD_REQUEST, FailureKind.LACKS_FEATURE):
        return failure
    told = f"{failure.param or ''} {failure.message}".lower()
    if "response_format" in told or "response format" in told:
        return replace(failure, kind=FailureKind.LACKS_FEATURE, feature=audio.format)
    if audio.translate and "translat" in told:
        return replace(failure, kind=FailureKind.LACKS_FEATURE, feature=TRANSLATION)
    return failure


def _usage(parsed: Mapping[str, Any], audio: Audio) -> Usage:
    """Seconds as told in `usage` or as `duration`, tokens where those are counted."""
    usage = parsed.get("usage")
    told: Mapping[str, Any] = usage if isinstance(usage, dict) else {}
    seconds = next(
        (s for s in (_seconds(told.get("seconds")), _seconds(parsed.get("duration"))) if s is not None), None
    )
    tokens = [
        v if type(v := told.get(name)) is int and 0 <= v < 1e9 else 0 for name in ("input_tokens", "output_tokens")
    ]
    estimated = seconds is None and not audio.measured
    return Usage(tokens[0], tokens[1], estimated=estimated, audio_seconds=audio.seconds if seconds is None else seconds)


def _seconds(value: Any) -> float | None:
    if isinstance(value, str) and value.isascii() and value.replace(".", "", 1).isdecimal():  # some write numbers so
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < _LONGEST else None


def billed(kind: str, seconds: float) -> float:
    """Seconds a provider counts for this length."""
    return max(seconds, LEAST_BILLED.get(kind, 0.0))


def price(kind: str, model: str, options: Mapping[str, Any]) -> float | None:
    """USD per second of audio; None when it is not known."""
    own = options.get("audio_per_minute")
    given = own.get(model) if isinstance(own, Mapping) else None
    if isinstance(given, int | float):
        return given / MINUTE
    return PRICES.get((kind, model))
