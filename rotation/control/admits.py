"""Which new models a pool wants (`Pool.admits`): what may stand there, checked before it is stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError


def _words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) and 0 < len(word) <= 120 for word in value)


def _amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


#: Each wish, what it means, and whether a value can be one. Prices in USD per million tokens, context in tokens.
WISHES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "free": ("true: only models that cost nothing", lambda value: isinstance(value, bool)),
    "capabilities": ("a list of capabilities it was verified in", _words),
    "context": ("the least context window in tokens", lambda v: isinstance(v, int) and _amount(v)),
    "families": ("a list of families", _words),
    "tags": ("a list of tags, one of which it has", _words),
    "max_price_in": ("the most USD per million tokens read", _amount),
    "max_price_out": ("the most USD per million tokens written", _amount),
    "providers": ("a list of providers' names", _words),
    "max_seconds": ("the most seconds an answer took when it was verified", _amount),
    "members": ("the most members the pool takes in up to", lambda v: isinstance(v, int) and _amount(v) and v > 0),
}


def check(admits: Any) -> None:
    """Raises ValidationError on `admits`, saying what to write."""
    if not isinstance(admits, dict):
        raise ValidationError({"admits": 'Write a JSON object, for example {"free": true}, or {} for no new models.'})
    for name, value in admits.items():
        if name not in WISHES:
            raise ValidationError({"admits": f"There is no wish {name[:60]!r}; there are: {', '.join(WISHES)}."})
        meaning, sound = WISHES[name]
        if not sound(value):
            raise ValidationError({"admits": f"{name} is {meaning}."})
