"""What a simulated model says: deterministic, short, and as sensible as can be had without a model.

It obeys max_tokens, stop, n, tools and response_format; it says plainly that it is simulated unless the
question asks for a bare answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from rotation.simulator import schemas, seeing, tooling
from rotation.simulator.asks import Ask, tokens_of
from rotation.simulator.catalogue import Model
from rotation.simulator.knowledge import known
from rotation.simulator.tooling import Call

_BARE = re.compile(
    r"^\W*(?:say|repeat|reply|answer|respond|output)\b"
    r"|\b(?:only|just|nothing else|(?:one|single) word|no explanation|exactly)\b",
    re.IGNORECASE,
)
_WORDS = re.compile(r"\b(\d{1,5}) words\b", re.IGNORECASE)
_COLOURS = re.compile(r"\bcolou?rs?\b", re.IGNORECASE)
_SHOUT = re.compile(r"\b(upper ?case|capital letters|all caps)\b", re.IGNORECASE)
_OPENING = re.compile(
    r"\b(?:begin|start) (?:every|each|your|all) (?:answer|reply|replie|response)s? with:? [\"']?([^\"'.\n]{1,60})",
    re.IGNORECASE,
)
_FILLER = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "the",
    "lazy",
    "dog",
    "and",
    "walks",
    "home",
    "along",
    "the",
    "quiet",
    "river",
    "while",
    "evening",
    "comes",
]
_ECHO = 120  # characters of the question that are echoed


@dataclass(frozen=True, slots=True)
class Reply:
    """One choice. `text` is None when tools are called instead. `finish`: stop, length or tool_calls."""

    text: str | None
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    finish: str = "stop"

    @property
    def tokens(self) -> int:
        called = sum(tokens_of(call.name + call.arguments) for call in self.calls)
        return max(1, tokens_of(self.text or "") + tokens_of(self.reasoning) + called)


def compose(ask: Ask, model: Model, identity: str) -> tuple[Reply, ...]:
    """`ask.n` replies; `identity` is the answer's id and makes call ids unique."""
    return tuple(_one(ask, model, identity, choice) for choice in range(ask.n))


def _one(ask: Ask, model: Model, identity: str, choice: int) -> Reply:
    reasoning = _reasoning(ask) if model.reasoning and (ask.max_tokens is None or ask.max_tokens >= 64) else ""
    calls = tooling.calls(ask, f"{identity}{choice}", parallel=ask.parallel and model.parallel)
    if calls:
        return Reply(text=None, reasoning=reasoning, calls=calls, finish="tool_calls")
    text = _json(ask, model) if _wants_json(ask) else _obeying(ask, _prose(ask, model, choice))
    return _cut(text, reasoning, ask)


def _cut(text: str, reasoning: str, ask: Ask) -> Reply:
    places = [place for stop in ask.stop if (place := text.find(stop)) >= 0]
    if places:
        text = text[: min(places)]
    room = None if ask.max_tokens is None else ask.max_tokens - tokens_of(reasoning)
    if room is not None and tokens_of(text) > room:
        return Reply(text=text[: room * 4], reasoning=reasoning, finish="length")
    return Reply(text=text, reasoning=reasoning)


def _prose(ask: Ask, model: Model, choice: int) -> str:
    if ask.tool_results:
        return _named(model, choice, f"the tool says {ask.tool_results[-1][:_ECHO]}")
    if wanted := _WORDS.search(ask.text):
        return " ".join(_FILLER[place % len(_FILLER)] for place in range(int(wanted[1])))
    answer = _seen(ask) or known(ask.text, ask.history)
    if answer and (_BARE.search(ask.text) or _BARE.search(ask.system) or "\n" in answer):
        return answer
    if answer:
        return _named(model, choice, answer)
    seen = f" I see {ask.images} image{'s' if ask.images > 1 else ''}." if ask.images else ""
    asked = " ".join(ask.text.split())
    asked = asked if len(asked) <= _ECHO else asked[: _ECHO - 1] + "…"
    return _named(model, choice, f"you asked “{asked}”.{seen} A real model would answer that here.")


def _seen(ask: Ask) -> str | None:
    """The colours of the pictures, when they are asked for."""
    if not ask.pictures or not _COLOURS.search(ask.text):
        return None
    return ", ".join(name for picture in ask.pictures for name in seeing.colours(picture)) or None


def _named(model: Model, choice: int, text: str) -> str:
    which = f" (choice {choice + 1})" if choice else ""
    return f"Simulated answer from {model.id}{which}: {text}"


def _obeying(ask: Ask, text: str) -> str:
    """The two orders of a system prompt that can be obeyed for nothing."""
    if opening := _OPENING.search(ask.system):
        text = f"{opening[1].strip()} {text}"
    return text.upper() if _SHOUT.search(ask.system) else text


def _reasoning(ask: Ask) -> str:
    return f"The user asks: {' '.join(ask.text.split())[:60]} I answer briefly."


def _wants_json(ask: Ask) -> bool:
    return ask.response_format is not None and ask.response_format.get("type") in {"json_object", "json_schema"}


def _json(ask: Ask, model: Model) -> str:
    wanted: Mapping[str, Any] = ask.response_format or {}
    nested = wanted.get("json_schema")
    schema = nested.get("schema") if isinstance(nested, dict) else wanted.get("schema")
    if isinstance(schema, dict):
        return orjson.dumps(schemas.instance(schema, ask.text, tooling.subjects(ask.text))).decode()
    answer = known(ask.text, ask.history) or " ".join(ask.text.split())[:_ECHO]
    return orjson.dumps({"answer": answer, "model": model.id, "simulated": True}).decode()
