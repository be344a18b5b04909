"""What an answer cost in tokens and money, as the provider counted it, or estimated when it did not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rotation.providers.base import Usage

_MOST_TOKENS = 1_000_000_000  # more is a mistake, and would not fit its column
_MOST_USD = 1_000_000.0
CHARACTERS_PER_TOKEN = 4


def usage_of(body: Mapping[str, Any]) -> Usage | None:
    """The usage of an answer or a stream's chunk (Groq also hides it in `x_groq`); None when missing or impossible."""
    told = body.get("usage")
    if not isinstance(told, dict):
        groq = body.get("x_groq")
        told = groq.get("usage") if isinstance(groq, dict) else None
        if not isinstance(told, dict):
            return None
    tokens_in, tokens_out = _tokens(told.get("prompt_tokens")), _tokens(told.get("completion_tokens"))
    if tokens_in is None or tokens_out is None:
        return None
    return Usage(tokens_in, tokens_out, _usd(told.get("cost")))


def estimated(characters: int, body: Mapping[str, Any]) -> Usage:
    """Output tokens from the length of the text; the prompt's are kept when at least they were told."""
    told = body.get("usage")
    tokens_in = _tokens(told.get("prompt_tokens")) if isinstance(told, dict) else None
    return Usage(tokens_in or 0, math.ceil(characters / CHARACTERS_PER_TOKEN), estimated=True)


def _tokens(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None


def _usd(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _MOST_USD else None
