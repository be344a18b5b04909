"""The form of a transcription or a translation, checked: what it asks, and by which name.

Strict where a mistake would cost an upload to every provider in turn, silent elsewhere: unknown fields pass through.
Raises `Refusal` (400) naming the field.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from rotation.core.audio_length import ENOUGH, length_of
from rotation.core.targets import Needs
from rotation.core.transcription import ALL, Audio
from rotation.gateway.call import MAX_NAME, Asked
from rotation.gateway.envelope import invalid
from rotation.gateway.forms import Form

FRAME = 1024  # bytes of a form around its file and values, at most
BYTES_PER_TOKEN = 4
NO = ("", "false", "0")


def _number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _word(text: str) -> bool:
    return len(text) <= 40 and text.isprintable()


# name -> (is it right?, what it must be)
FIELDS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "response_format": (lambda v: v in ALL, f"one of {', '.join(ALL)}"),
    "temperature": (_number, "a number"),
    "language": (_word, "a language code of at most 40 characters"),
    "timestamp_granularities": (lambda v: v in ("word", "segment"), "word or segment"),
    "timestamp_granularities[]": (lambda v: v in ("word", "segment"), "word or segment"),
    "stream": (lambda v: v.lower() in NO, "left out: transcripts are answered whole"),
}


async def read(form: Form, *, translate: bool) -> tuple[Asked, Audio]:
    """What the form asks for."""
    model = _model(form)
    for name, value in form.fields:
        if name in FIELDS and not FIELDS[name][0](value):
            raise invalid(f"'{name}' must be {FIELDS[name][1]}.", param=name)
    if not form.size:
        raise invalid("'file' is empty.", param="file", code="empty_file")
    seconds, measured = length_of(await form.file.head(ENOUGH), form.size, form.name)
    size = form.size + FRAME + sum(len(name) + len(value.encode()) + 100 for name, value in form.fields)
    audio = Audio(size, seconds, form.get("response_format") or "json", translate, measured)
    prompt = len((form.get("prompt") or "").encode()) // BYTES_PER_TOKEN
    return Asked(model, (), {}, Needs(prompt, type="transcription"), False, False), audio


def _model(form: Form) -> str:
    model = form.get("model")
    if model is None or not model.strip():
        message = "'model' must be given: 'transcription', 'whisper-1', or a model's name."
        raise invalid(message, param="model", code="missing_model")
    if len(model) > MAX_NAME or not model.isprintable():
        raise invalid(f"'model' must be at most {MAX_NAME} printable characters.", param="model")
    return model
