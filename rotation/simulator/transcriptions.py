"""Audio to text: a made-up transcript decided by the upload's size and format, in every response format."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from rotation.simulator import parameters, spoilers, subtitles
from rotation.simulator.admission import found, held, met
from rotation.simulator.asks import parse
from rotation.simulator.forms import BadForm, read_form
from rotation.simulator.limits import Hold, Need
from rotation.simulator.oops import Oops, Refusal, Trouble
from rotation.simulator.parameters import BadAsk
from rotation.simulator.script import Script, whole
from rotation.simulator.visit import Plan, Visit

BODY_LIMIT = 26_214_400  # bytes, the whole body
_TYPES = frozenset({"transcription"})
_SUFFIXES = ("flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm")
_FORMATS: Mapping[str, tuple[str, ...]] = {
    "openai": ("json", "text", "srt", "verbose_json", "vtt"),
    "groq": ("json", "text", "verbose_json"),
    "together": ("json", "verbose_json"),
    "openrouter": ("json", "verbose_json"),
    "generic": ("json", "text", "srt", "verbose_json", "vtt"),
}
_BYTES_PER_SECOND = {"wav": 32_000, "flac": 64_000}
_LOSSY = 16_000  # bytes per second of everything else
_REAL_TIME = 60.0  # seconds of audio done in one second


@dataclass(frozen=True, slots=True)
class Audio:
    """`size` in bytes, 0 for an address that would have to be fetched."""

    name: str
    size: int
    suffix: str

    @property
    def seconds(self) -> float:
        return round(max(0.1, self.size / _BYTES_PER_SECOND.get(self.suffix, _LOSSY)), 2) if self.size else 60.0


def transcribe(visit: Visit) -> Plan:
    """POST /audio/transcriptions."""
    return _listen(visit, "transcribe")


def translate(visit: Visit) -> Plan:
    """POST /audio/translations: always into English."""
    return _listen(visit, "translate")


def _listen(visit: Visit, task: str) -> Plan:
    entry, kind, world = visit.entry, visit.kind, visit.world
    try:
        visit.check_key()
        wanted, audio = _read(visit)
        model_id = parameters.model(wanted)
        entry.model = model_id
        number = world.number(kind.name, model_id)
        rule = met(visit, model_id, number)
        model = found(visit, model_id, _TYPES)
        form = _form(visit, wanted, model_id)
        billed = max(10.0, audio.seconds)
        hold = held(visit, model, Need(audio=billed), world.clock.now)
    except BadAsk as bad:
        return Plan(visit.refused(Oops(Trouble.BAD_REQUEST, message=bad.message, param=bad.param)))
    except Refusal as refusal:
        return Plan(visit.refused(refusal.oops))
    seconds = model.seconds + audio.seconds / _REAL_TIME
    script = _script(visit, hold, seconds, form, subtitles.spoken(audio.name, audio.size, audio.seconds, task))
    return Plan(script if rule is None else spoilers.spoil(rule, script, None, kind))


def _read(visit: Visit) -> tuple[Mapping[str, Any], Audio]:
    """Parameters and audio, from a form or from OpenRouter's JSON."""
    content_type = visit.headers.get("content-type", "")
    if content_type.startswith("application/json"):
        raw = parse(visit.body)
        return raw, _inline(raw)
    try:
        form = read_form(content_type, visit.body)
    except BadForm as bad:
        raise BadAsk(f"Could not parse multipart form: {bad}.", "file") from bad
    fields = {name: values[0] for name, values in form.fields.items()}
    if file := form.files.get("file"):
        return fields, _audio(file.name, len(file.content))
    if address := form.first("url") or form.first("file"):
        return fields, _audio(address.partition("?")[0], 0)
    raise BadAsk("Missing required parameter: 'file'.", "file")


def _inline(raw: Mapping[str, Any]) -> Audio:
    given = raw.get("input_audio")
    if not isinstance(given, dict) or not isinstance(given.get("data"), str):
        raise BadAsk("Missing required parameter: 'input_audio'.", "input_audio")
    try:
        size = len(base64.b64decode(given["data"], validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadAsk("Invalid base64 in 'input_audio.data'.", "input_audio.data") from error
    return _audio(f"audio.{given.get('format', 'wav')}", size)


def _audio(name: str, size: int) -> Audio:
    suffix = name.rpartition(".")[2].lower()
    if suffix not in _SUFFIXES:
        raise BadAsk(f"Invalid file format. Supported formats: {list(_SUFFIXES)}", "file")
    return Audio(name, size, suffix)


def _form(visit: Visit, wanted: Mapping[str, Any], model_id: str) -> str:
    form = wanted.get("response_format") or "json"
    allowed = _FORMATS[visit.kind.name]
    if "4o" in model_id:
        allowed = ("json", "text")
    if form not in allowed:
        raise BadAsk(
            f"response_format '{form}' is not compatible with model '{model_id}'. Use one of {', '.join(allowed)}.",
            "response_format",
        )
    return str(form)


def _script(visit: Visit, hold: Hold | None, seconds: float, form: str, said: subtitles.Spoken) -> Script:
    kind = visit.kind
    headers = kind.standing(hold, visit.world.clock.now)
    if form in {"text", "srt", "vtt"}:
        plain = (("content-type", "text/plain; charset=utf-8"), *headers)
        return whole(200, plain, subtitles.plain(said, form).encode(), wait=seconds)
    body = subtitles.verbose(said) if form == "verbose_json" else {"text": said.text}
    body |= kind.heard(visit.entry.number, said.seconds)
    return whole(200, kind.json_headers + headers, orjson.dumps(body), wait=seconds)
