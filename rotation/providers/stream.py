"""The meaning of a chat stream's events: content, finish, usage, errors in all their shapes, an honest end.

One reader serves every kind; what differs (a finish reason to rename) is given to it. It decides nothing about
rotation: whether content has already gone out is the gateway's to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from rotation.core.failures import Failure, FailureKind
from rotation.providers.base import Event, Usage
from rotation.providers.content import characters, has_content
from rotation.providers.errors import in_choice, inside
from rotation.providers.sse import LARGEST, Lines
from rotation.providers.usage import usage_of
from rotation.providers.wire import bare, is_html, parse

_DROPPED = Event(b"")
_DONE = Event(b"data: [DONE]\n\n", done=True)
_TOO_BIG = f"an event of more than {LARGEST // 2**20} MiB"


class ChatStream:
    """Reads one stream; see `StreamReader`. `renames` maps finish reasons of the provider's own to OpenAI's."""

    __slots__ = ("_bad", "_begun", "_done", "_ended", "_failure", "_lines", "_now", "_renames", "characters")

    def __init__(self, now: float, renames: Mapping[str, str]) -> None:
        self._now = now
        self._renames = renames
        self._lines = Lines()
        self._bad = 0  # events that were not JSON
        self._begun: set[int] = set()  # choices, by index: each has its own end
        self._ended: set[int] = set()
        self._done = False
        self._failure: Failure | None = None
        self.characters = 0

    def feed(self, chunk: bytes) -> list[Event]:
        if self._over():
            return []
        events = []
        for name, data in self._lines.feed(chunk):
            events.append(self._event(name, data))
            if self._over():
                return events
        document = self._lines.document
        if self._lines.overflown or (document and is_html(document)):
            words = _TOO_BIG if self._lines.overflown else "answered with a page, not with an event stream"
            events.append(self._failed(Failure(FailureKind.OVERLOADED, words, 200)))
        return events

    def _over(self) -> bool:
        return self._done or self._failure is not None

    def finish(self) -> Failure | None:
        lost = any(event.raw and not event.done and not event.usage_only for event in self.feed(b"\n\n"))
        if self._over():
            return self._failure
        if self._lines.document is not None:
            return _not_a_stream(bytes(self._lines.document), self._now)
        if self._ended and self._begun <= self._ended and not lost:
            return None
        words = "the stream ended in the middle of an event" if lost else "the stream ended without a finish or [DONE]"
        return Failure(FailureKind.INTERRUPTED, words)

    def _event(self, name: bytes, data: bytes | None) -> Event:
        if not data or data.isspace():
            return _DROPPED
        if data.startswith(b"[DONE]"):
            self._done = True
            return _DONE
        try:
            chunk = orjson.loads(data)
        except orjson.JSONDecodeError:
            chunk = _loads(data)
        if type(chunk) is not dict:
            return self._odd(name, data, chunk)
        if name == b"error" or chunk.get("error") or "choices" not in chunk:
            return self._choiceless(name, data, chunk)
        return self._chunk(data, chunk)

    def _chunk(self, data: bytes, chunk: dict[str, Any]) -> Event:
        usage = usage_of(chunk) if chunk.get("usage") or "x_groq" in chunk else None
        choices = chunk["choices"]
        if not choices:
            return Event(_raw(data), usage=usage, usage_only=usage is not None)
        if not _sound(choices):
            return self._malformed()
        content, reason = False, None
        for choice in choices:
            part = choice.get("delta") or choice.get("message")
            if has_content(choice, part):
                content = True
                self.characters += characters(choice, part)
            if failure := in_choice(choice, self._now):
                return self._failed(failure, usage)
            ended = choice.get("finish_reason")
            index = choice.get("index")
            (self._ended if ended else self._begun).add(index if type(index) is int else 0)
            reason = ended or reason
        if reason is None:
            return Event(_raw(data), content, usage=usage)
        return self._ending(data, chunk, content, reason, usage)

    def _ending(self, data: bytes, chunk: dict[str, Any], content: bool, reason: Any, usage: Usage | None) -> Event:
        reason = reason if isinstance(reason, str) else None
        if rename(chunk, self._renames):
            data, reason = orjson.dumps(chunk), self._renames.get(reason or "", reason)
        return Event(_raw(data), content, reason, usage)

    def _choiceless(self, name: bytes, data: bytes, chunk: dict[str, Any]) -> Event:
        """An error, a usage without choices, or something of the provider's own that is passed on."""
        flat = "message" in chunk and "choices" not in chunk and ("type" in chunk or "code" in chunk)
        if name == b"error" or chunk.get("error") or flat or chunk.get("object") == "error":
            return self._failed(inside(chunk, self._now), usage_of(chunk))
        usage = usage_of(chunk)
        return Event(_raw(data), usage=usage, usage_only=usage is not None)

    def _odd(self, name: bytes, data: bytes, chunk: Any) -> Event:
        """Not an object: a text in an error event is an error, anything else is broken."""
        if name == b"error":
            text = chunk if isinstance(chunk, str) else data[:2000].decode("utf-8", "replace")
            return self._failed(inside(text, self._now))
        return self._malformed()

    def _malformed(self) -> Event:
        """One broken event is skipped, if the stream goes on; a second one is a failure."""
        self._bad += 1
        if self._bad < 2:
            return _DROPPED
        return self._failed(Failure(FailureKind.OVERLOADED, "sent events that are not JSON", 200))

    def _failed(self, failure: Failure, usage: Usage | None = None) -> Event:
        self._failure = failure
        return Event(b"", usage=usage, failure=failure)


def _sound(choices: Any) -> bool:
    """Whether the choices of a chunk have the shape every client reads without looking."""
    if type(choices) is not list:
        return False
    return all(type(choice) is dict and type(choice.get("delta") or {}) is dict for choice in choices)


def rename(body: dict[str, Any], renames: Mapping[str, str]) -> bool:
    """Put OpenAI's finish reasons in place of the provider's own; True when there was one."""
    renamed = False
    for choice in body["choices"]:
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason in renames:
            choice["finish_reason"] = renames[reason]
            renamed = True
    return renamed


def _raw(data: bytes) -> bytes:
    """One line of data: JSON may be cut over several, and some clients read only the first."""
    return b"data: %b\n\n" % (data.replace(b"\n", b" ") if b"\n" in data else data)


def _loads(data: bytes) -> Any:
    try:
        return parse(data)
    except ValueError:
        return None


def _not_a_stream(document: bytes, now: float) -> Failure:
    """A JSON body where a stream was asked for: an error, or a server that cannot stream."""
    body = _loads(bare(document))
    if isinstance(body, dict) and isinstance(body.get("choices"), list) and body["choices"] and not body.get("error"):
        return Failure(FailureKind.LACKS_FEATURE, "answered in one piece, not as a stream", feature="stream")
    if isinstance(body, dict | list) and body:
        return inside(body, now)
    return Failure(FailureKind.OVERLOADED, "answered with something that is not an event stream", 200)
