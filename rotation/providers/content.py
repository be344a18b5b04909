"""What counts as content: the fields a model's output comes in, in a message and in a stream's delta alike.

A role, an empty text, a null and an empty list are not content; reasoning, a refusal and a tool call are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXTS = ("content", "reasoning", "reasoning_content", "refusal")
FIELDS = (*TEXTS, "tool_calls", "function_call", "audio", "images")


def has_content(choice: Mapping[str, Any], part: Any) -> bool:
    """True when this choice says something: `part` is its message or delta; `text` is the older form."""
    if isinstance(part, dict):
        for name in FIELDS:
            if part.get(name):
                return True
    return bool(choice.get("text"))


def characters(choice: Mapping[str, Any], part: Any) -> int:
    """How much text there is in it, tool arguments included."""
    if not isinstance(part, dict):
        return _length(choice.get("text"))
    total = 0
    for name in TEXTS:
        value = part.get(name)
        if value:
            total += _length(value)
    calls = part.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        total += _arguments(call.get("function")) if isinstance(call, dict) else 0
    if call := part.get("function_call"):
        total += _arguments(call)
    return total or _length(choice.get("text"))


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):  # content parts
        return sum(_length(part.get("text")) for part in value if isinstance(part, dict))
    return 0


def _arguments(function: Any) -> int:
    return _length(function.get("name")) + _length(function.get("arguments")) if isinstance(function, dict) else 0
