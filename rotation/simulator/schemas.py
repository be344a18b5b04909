"""A valid instance of a JSON schema: the common keywords, deterministic, with values from the question where they fit.

Not a validator, and no generator of strings for arbitrary patterns: `pattern` is met only where a plain text,
an example or a default meets it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
_DEEPEST = 8
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_FORMATS = {
    "date": "2025-10-25",
    "time": "12:00:00Z",
    "date-time": "2025-10-25T12:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "hostname": "example.com",
}


def instance(schema: Schema, text: str = "", hints: Sequence[str] = ()) -> Any:
    """Numbers are taken from `text`; strings get the `hints` in order, the last one again and again."""
    return _Maker(schema, [float(number) for number in _NUMBER.findall(text)[:20]], list(hints)).make(schema, 0)


@dataclass(slots=True)
class _Maker:
    root: Schema
    numbers: list[float]
    hints: list[str]

    def make(self, schema: Any, depth: int) -> Any:
        if not isinstance(schema, Mapping):
            return "simulated"
        schema = self._resolved(schema, depth)
        if "const" in schema:
            return schema["const"]
        if isinstance(options := schema.get("enum"), list) and options:
            return self._option(options)
        return self._makers(_kind(schema))(schema, depth)

    def _makers(self, kind: str) -> Callable[[Schema, int], Any]:
        return {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._number,
            "boolean": lambda _schema, _depth: True,
        }.get(kind, lambda _schema, _depth: None)

    def _resolved(self, schema: Schema, depth: int) -> Schema:
        """References followed, alternatives decided, parts joined."""
        for _ in range(_DEEPEST):
            if isinstance(reference := schema.get("$ref"), str):
                schema = {**self._target(reference), **{key: value for key, value in schema.items() if key != "$ref"}}
            elif branches := schema.get("anyOf") or schema.get("oneOf"):
                rest = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf"}}
                schema = {**rest, **self._branch(branches, depth)}
            elif parts := schema.get("allOf"):
                schema = _joined([{key: value for key, value in schema.items() if key != "allOf"}, *parts])
            else:
                break
        return schema

    def _target(self, reference: str) -> Schema:
        found: Any = self.root
        for step in reference.lstrip("#").strip("/").split("/") if reference != "#" else ():
            found = found.get(step) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    def _branch(self, branches: Any, depth: int) -> Schema:
        usable = [branch for branch in branches if isinstance(branch, Mapping)] if isinstance(branches, list) else []
        if depth >= _DEEPEST:  # a recursive schema has a way out among its branches
            usable.sort(key=lambda branch: branch.get("type") != "null")
        return usable[0] if usable else {}

    def _option(self, options: list[Any]) -> Any:
        lowered = [hint.lower() for hint in self.hints]
        return next((option for option in options if str(option).lower() in lowered), options[0])

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        required = [name for name in schema.get("required", ()) if isinstance(name, str)]
        names = required if depth >= _DEEPEST else list(dict.fromkeys([*required, *properties]))
        return {name: self.make(properties.get(name, {"type": "string"}), depth + 1) for name in names}

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        least = int(schema.get("minItems", 0 if depth >= _DEEPEST else 1))
        most = int(schema.get("maxItems", max(least, 1)))
        prefix = schema.get("prefixItems")
        fixed = [self.make(part, depth + 1) for part in prefix] if isinstance(prefix, list) else []
        items = schema.get("items", {"type": "string"})
        wanted = min(max(least, len(fixed)), most) if fixed else min(least, most)
        return fixed[:most] + [self.make(items, depth + 1) for _ in range(min(wanted, 100) - len(fixed))]

    def _string(self, schema: Schema, _depth: int) -> str:
        if fixed := _FORMATS.get(str(schema.get("format", ""))):
            return fixed
        for candidate in self._candidates(schema):
            if not isinstance(pattern := schema.get("pattern"), str) or _meets(candidate, pattern):
                break
        least, most = int(schema.get("minLength", 0)), int(schema.get("maxLength", 10_000))
        return candidate.ljust(min(least, 10_000), "x")[:most]

    def _candidates(self, schema: Schema) -> list[str]:
        hint = [self.hints.pop(0) if len(self.hints) > 1 else self.hints[0]] if self.hints else []
        given = [schema.get("default"), *(schema.get("examples") or ())]
        return [*hint, *(text for text in given if isinstance(text, str)), "simulated", "A1", "1", "a"]

    def _number(self, schema: Schema, _depth: int) -> float | int:
        low, high = _bounds(schema)
        for number in self.numbers:
            if low <= number <= high:
                self.numbers.remove(number)
                return int(number) if number.is_integer() else number
        nearest = min(max(1.0, low), high)
        return int(nearest) if nearest.is_integer() else nearest

    def _integer(self, schema: Schema, depth: int) -> int:
        step = schema.get("multipleOf")
        value = int(self._number(schema, depth))
        low = _bounds(schema)[0]
        value = value + 1 if value < low else value
        if isinstance(step, int) and step > 0 and value % step:
            value += step - value % step
        return value


def _bounds(schema: Schema) -> tuple[float, float]:
    """Inclusive; exclusive ones are moved in by one, or halfway where that leaves nothing."""
    low = float(schema.get("minimum", -1e15))
    high = float(schema.get("maximum", 1e15))
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if isinstance(above, int | float) and not isinstance(above, bool):
        low = max(low, above + (1 if high - above > 1 else (high - above) / 2))
    if isinstance(below, int | float) and not isinstance(below, bool):
        high = min(high, below - (1 if below - low > 1 else (below - low) / 2))
    return low, high


def _joined(parts: list[Any]) -> Schema:
    whole: dict[str, Any] = {}
    for part in parts:
        if not isinstance(part, Mapping):
            continue
        for key, value in part.items():
            old = whole.get(key)
            if isinstance(old, Mapping) and isinstance(value, Mapping):
                whole[key] = {**old, **value}
            elif isinstance(old, list) and isinstance(value, list):
                whole[key] = [*old, *value]
            else:
                whole[key] = value
    return whole


def _kind(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "required" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def _meets(text: str, pattern: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False
