"""Which tools a simulated model calls, with arguments valid by the tool's schema, from the question where possible."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from rotation.simulator import schemas
from rotation.simulator.asks import Ask

_AT_MOST = 4
_NAMES = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w-]+(?:\s[A-Z][\w-]+)*")
_QUOTED = re.compile(r"[\"“']([^\"”']{1,60})[\"”']")


@dataclass(frozen=True, slots=True)
class Call:
    """`arguments` is JSON text."""

    id: str
    name: str
    arguments: str


def calls(ask: Ask, identity: str, *, parallel: bool) -> tuple[Call, ...]:
    """None when there are no tools, the choice forbids them, or the tools have answered already."""
    if not ask.tools or ask.tool_choice == "none" or ask.tool_results:
        return ()
    chosen = _chosen(ask, parallel=parallel)
    about = subjects(ask.text)
    if parallel and len(chosen) == 1 and len(about) > 1:
        pairs = [(chosen[0], [subject]) for subject in about[:_AT_MOST]]
    else:
        pairs = [(tool, about) for tool in chosen]
    return tuple(_call(tool, hints, ask.text, f"{identity}{place}") for place, (tool, hints) in enumerate(pairs))


def _chosen(ask: Ask, *, parallel: bool) -> list[Mapping[str, Any]]:
    forced = ask.tool_choice.get("function") if isinstance(ask.tool_choice, dict) else None
    if isinstance(forced, dict):
        named = [tool for tool in ask.tools if tool["name"] == forced.get("name")]
        return named[:1] or [ask.tools[0]]
    lowered = ask.text.lower()
    mentioned = [tool for tool in ask.tools if _mentioned(tool["name"], lowered)]
    if parallel and len(mentioned) > 1:
        return mentioned[:_AT_MOST]
    return mentioned[:1] or [ask.tools[0]]


def _mentioned(name: str, text: str) -> bool:
    """The tool's own name, or a telling word of it, stands in the question."""
    words = [word for word in re.split(r"[_\W]+", name.lower()) if len(word) > 3]
    return name.lower() in text or any(word in text for word in words)


def subjects(text: str) -> list[str]:
    """What the question is about: quoted texts, else names inside it; each once, in order."""
    found = _QUOTED.findall(text) or _NAMES.findall(text)
    return list(dict.fromkeys(found))


def _call(tool: Mapping[str, Any], hints: Sequence[str], text: str, identity: str) -> Call:
    parameters = tool.get("parameters")
    schema = parameters if isinstance(parameters, dict) else {"type": "object"}
    arguments = orjson.dumps(schemas.instance(schema, text, hints)).decode()
    digest = hashlib.blake2b(identity.encode(), digest_size=12).hexdigest()
    return Call(id=f"call_{digest}", name=tool["name"], arguments=arguments)
