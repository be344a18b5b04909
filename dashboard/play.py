"""What the Playground sends, and what came back: forms to bodies, bodies to text. Pure."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from rotation.playing import Heard
from rotation.providers.wire import parse

CHAT, AUDIO = "/v1/chat/completions", "/v1/audio/transcriptions"
HISTORY = 200_000  # characters of a conversation that are carried on
LONGEST = 200_000  # characters of an answer that are shown


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of the form."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as the form says it."""

    message: str
    system: str = ""
    picture: Upload | None = None
    audio: Upload | None = None
    max_tokens: int | None = None
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One side's answer. `history`: the conversation so far, for the next turn; `error`: "" when it went well."""

    target: str
    text: str = ""
    reasoning: str = ""
    error: str = ""
    status: int = 0
    seconds: float = 0.0
    model: str = ""
    provider: str = ""
    attempts: str = ""
    request_id: UUID | None = None
    simulated: bool = False
    history: str = ""


def messages(asked: Asked, history: str) -> list[dict[str, Any]]:
    """The conversation with the new question at its end; the system text always first."""
    said = [one for one in past(history) if one.get("role") != "system"]
    first = [{"role": "system", "content": asked.system}] if asked.system else []
    return [*first, *said, {"role": "user", "content": content(asked)}]


def content(asked: Asked) -> str | list[dict[str, Any]]:
    if asked.picture is None:
        return asked.message
    url = f"data:{asked.picture.type};base64,{base64.b64encode(asked.picture.content).decode()}"
    return [{"type": "text", "text": asked.message}, {"type": "image_url", "image_url": {"url": url}}]


def past(history: str) -> list[dict[str, Any]]:
    """The turns a form carried; none for anything else."""
    try:
        turns = orjson.loads(history) if len(history) <= HISTORY else []
    except orjson.JSONDecodeError:
        return []
    fits = isinstance(turns, list) and all(isinstance(one, dict) and isinstance(one.get("role"), str) for one in turns)
    return turns if fits else []


def chat_body(target: str, asked: Asked, history: str) -> bytes:
    options = {"max_tokens": asked.max_tokens, "temperature": asked.temperature}
    given = {name: value for name, value in options.items() if value is not None}
    return orjson.dumps({"model": target, "messages": messages(asked, history), **given})


def audio_body(target: str, audio: Upload) -> tuple[bytes, str]:
    """(multipart body, content type)."""
    mark = f"rotation-{secrets.token_hex(12)}"
    name = "".join(c for c in audio.name if c.isprintable() and c not in '"\\') or "audio"
    head = (
        f'--{mark}\r\nContent-Disposition: form-data; name="model"\r\n\r\n{target}\r\n'
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return head.encode() + audio.content + f"\r\n--{mark}--\r\n".encode(), f"multipart/form-data; boundary={mark}"


def read(target: str, heard: Heard, sent: Sequence[Mapping[str, Any]]) -> Answer:
    """What is shown of an answer, an error's own words included."""
    body = json_of(heard.body)
    known: dict[str, Any] = {
        "target": target,
        "status": heard.status,
        "seconds": heard.seconds,
        "model": heard.headers.get("x-rotation-model", ""),
        "provider": heard.headers.get("x-rotation-provider", ""),
        "attempts": heard.headers.get("x-rotation-attempts", ""),
        "simulated": heard.headers.get("x-rotation-simulated") == "1",
        "request_id": uuid_of(heard.headers.get("x-request-id", "")),
    }
    if heard.status != 200:
        told = body.get("error")
        said = told.get("message") if isinstance(told, dict) else None
        return Answer(**known, error=heard.trouble or whole(str(said or f"HTTP {heard.status}")[:2000]))
    text, reasoning = map(whole, text_of(body))
    history = orjson.dumps([*sent, {"role": "assistant", "content": text}]).decode() if sent else ""
    return Answer(**known, text=text, reasoning=reasoning, history=history if len(history) <= HISTORY else "")


def text_of(body: Mapping[str, Any]) -> tuple[str, str]:
    """(answer, reasoning) of a chat or a transcription."""
    if isinstance(body.get("text"), str):
        return body["text"][:LONGEST], ""
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else {}
    message = first.get("message") if isinstance(first, dict) else {}
    message = message if isinstance(message, dict) else {}
    told = [message.get("content"), message.get("reasoning") or message.get("reasoning_content")]
    text, reasoning = (one[:LONGEST] if isinstance(one, str) else "" for one in told)
    return text, reasoning


def whole(text: str) -> str:
    """Without halves of characters and NULs, which models send and the gateway would refuse in the next question."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def json_of(body: bytes) -> dict[str, Any]:
    try:
        read_ = parse(body)
    except ValueError:
        return {}
    return read_ if isinstance(read_, dict) else {}


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
