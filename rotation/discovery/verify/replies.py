"""A model's answer as the gateway's door gave it, read into one value, whole or streamed. Never raises.

Everything is bounded before it is looked at: an answer is written by somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

LONGEST = 40_000  # characters of an answer that are looked at
MOST_CALLS = 32


@dataclass(frozen=True, slots=True)
class Answer:
    """`pieces` counts content events of a stream (1 for a whole answer), `usage` is the tokens written as counted by
    the provider, None when it did not say; `whole`: it ended as an answer should. `error` is its own error's code."""

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    finish: str = ""
    usage: int | None = None
    pieces: int = 0
    whole: bool = True
    error: str = ""


def whole(body: bytes) -> Answer:
    """A completion in one piece."""
    found = _json(body)
    message = _first(found).get("message")
    message = message if isinstance(message, dict) else {}
    calls = _calls(message.get("tool_calls"))
    finish = str(_first(found).get("finish_reason") or "")
    return Answer(_text(message.get("content")), calls, finish, _usage(found), 1)


def streamed(body: bytes) -> Answer:
    """A stream of chunks, complete with its end."""
    said = _Said()
    for line in body.split(b"\n"):
        if line.startswith(b"data:"):
            said.take(line[5:].strip())
    return said.answer()


@dataclass(slots=True)
class _Said:
    texts: list[str] = field(default_factory=list)
    calls: dict[int, list[str]] = field(default_factory=dict)
    finish: str = ""
    usage: int | None = None
    done: bool = False
    error: str = ""
    length: int = 0

    def take(self, event: bytes) -> None:
        if event == b"[DONE]":
            self.done = True
            return
        chunk = _json(event)
        if isinstance(error := chunk.get("error"), dict):
            self.error = str(error.get("code") or "error")[:80]
        usage = _usage(chunk)
        self.usage = self.usage if usage is None else usage
        choice = _first(chunk)
        self.finish = str(choice.get("finish_reason") or self.finish)
        delta = choice.get("delta")
        if isinstance(delta, dict):
            self._delta(delta)

    def _delta(self, delta: Mapping[str, Any]) -> None:
        text = _text(delta.get("content"))
        if text and self.length < LONGEST:
            self.texts.append(text)
            self.length += len(text)
        given = delta.get("tool_calls")
        for part in given[:MOST_CALLS] if isinstance(given, list) else ():
            function = part.get("function") if isinstance(part, dict) else None
            index = part.get("index") if isinstance(part, dict) else None
            if isinstance(function, dict) and isinstance(index, int) and 0 <= index < MOST_CALLS:
                call = self.calls.setdefault(index, ["", ""])
                call[0] = call[0] or str(function.get("name") or "")[:200]
                call[1] = (call[1] + str(function.get("arguments") or ""))[:LONGEST]

    def answer(self) -> Answer:
        calls = tuple((name, arguments) for name, arguments in self.calls.values())
        whole = self.done and not self.error
        text = "".join(self.texts)[:LONGEST]
        return Answer(text, calls, self.finish, self.usage, len(self.texts), whole, self.error)


def _json(text: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _first(found: Mapping[str, Any]) -> dict[str, Any]:
    choices = found.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _text(content: Any) -> str:
    """A text, or the texts of a list of parts."""
    if isinstance(content, str):
        return content[:LONGEST]
    parts = content[:100] if isinstance(content, list) else []
    return "".join(str(part.get("text") or "") for part in parts if isinstance(part, dict))[:LONGEST]


def _calls(given: Any) -> tuple[tuple[str, str], ...]:
    found = []
    for call in given[:MOST_CALLS] if isinstance(given, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            arguments = function.get("arguments")
            text = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
            found.append((str(function.get("name") or "")[:200], text[:LONGEST]))
    return tuple(found)


def _usage(found: Mapping[str, Any]) -> int | None:
    usage = found.get("usage")
    count = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else None
