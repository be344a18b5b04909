"""A number that a JSON schema allows, from the numbers at hand where one of them fits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

_FAR = 1e15


def number(schema: Mapping[str, Any], at_hand: list[float], *, whole: bool) -> float | int:
    """The first candidate within the bounds; one used from `at_hand` is taken out of it."""
    for candidate in _candidates(schema, at_hand, whole=whole):
        if _fits(candidate, schema):
            if candidate in at_hand:
                at_hand.remove(candidate)
            return int(candidate) if float(candidate).is_integer() else candidate
    return 1


def given(schema: Mapping[str, Any], name: str, default: float) -> float:
    """A bound, or the default where it is missing or no usable number."""
    value = schema.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _FAR:
        return default
    return float(value)


def _candidates(schema: Mapping[str, Any], at_hand: list[float], *, whole: bool) -> Iterator[float]:
    low = max(given(schema, "minimum", -_FAR), given(schema, "exclusiveMinimum", -_FAR))
    high = min(given(schema, "maximum", _FAR), given(schema, "exclusiveMaximum", _FAR))
    step = given(schema, "multipleOf", 0.0)
    yield from (value for value in at_hand if not whole or value.is_integer())
    if step > 0:
        yield from (math.ceil(max(low, 1) / step) * step, (math.floor(low / step) + 1) * step, 0.0)
        return
    yield from (1.0, 0.0, math.ceil(low), math.floor(low) + 1, math.floor(high), math.ceil(high) - 1)
    if not whole:
        yield from ((low + high) / 2, low, high)


def _fits(value: float, schema: Mapping[str, Any]) -> bool:
    step = given(schema, "multipleOf", 0.0)
    return (
        given(schema, "minimum", -_FAR) <= value <= given(schema, "maximum", _FAR)
        and given(schema, "exclusiveMinimum", -2 * _FAR) < value < given(schema, "exclusiveMaximum", 2 * _FAR)
        and (step <= 0 or abs(value / step - round(value / step)) < 1e-9)
    )
