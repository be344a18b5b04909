"""A valid instance of a JSON schema: the common keywords, deterministic, with values from the question where they fit.

Not a validator, and no generator of strings for arbitrary patterns: `pattern` is met only where a plain text,
an example or a default meets it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rotation.simulator import ranges

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
    numbers = [float(number) for number in _NUMBER.findall(text)[:20]]
    return _Maker(schema, numbers, list(hints), text.lower()).make(schema, 0)


@dataclass(slots=True)
class _Maker:
    root: Schema
    numbers: list[float]
    hints: list[str]
    text: str = ""
    left: int = 5_000

    def make(self, schema: Any, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth > 2 * _DEEPEST:
            return None  # a schema that never ends, or that asks for millions of values
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
            "integer": lambda part, _depth: ranges.number(part, self.numbers, whole=True),
            "number": lambda part, _depth: ranges.number(part, self.numbers, whole=False),
            "boolean": lambda _schema, _depth: True,
        }.get(kind, lambda _schema, _depth: None)

    def _resolved(self, schema: Schema, depth: int) -> Schema:
        """References followed, alternatives decided, parts joined."""
        for _ in range(_DEEPEST):
            if isinstance(reference := schema.get("$ref"), str):
                schema = {**self._target(reference), **{key: value for key, value in schema.items() if key != "$ref"}}
            elif branches := _list(schema, "anyOf") or _list(schema, "oneOf"):
                rest = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf"}}
                schema = {**rest, **self._branch(branches, depth)}
            elif parts := _list(schema, "allOf"):
                schema = _joined([{key: value for key, value in schema.items() if key != "allOf"}, *parts])
            else:
                break
        return schema

    def _target(self, reference: str) -> Schema:
        found: Any = self.root
        for step in reference.lstrip("#").strip("/").split("/") if reference != "#" else ():
            found = found.get(step) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    def _branch(self, branches: list[Any], depth: int) -> Schema:
        usable = [branch for branch in branches if isinstance(branch, Mapping)]
        if depth >= _DEEPEST:  # a recursive schema has a way out among its branches
            usable.sort(key=lambda branch: branch.get("type") != "null")
        return usable[0] if usable else {}

    def _option(self, options: list[Any]) -> Any:
        lowered = [hint.lower() for hint in self.hints]
        hinted = next((option for option in options if str(option).lower() in lowered), None)
        named = (option for option in options if isinstance(option, str) and option and option.lower() in self.text)
        return hinted if hinted is not None else next(named, options[0])

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        required = [name for name in _list(schema, "required") if isinstance(name, str)]
        names = required if depth >= _DEEPEST else list(dict.fromkeys([*required, *properties]))
        return {name: self.make(properties.get(name, {"type": "string"}), depth + 1) for name in names}

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        least = int(ranges.given(schema, "minItems", 0 if depth >= _DEEPEST else 1))
        most = int(ranges.given(schema, "maxItems", max(least, 1)))
        fixed = [self.make(part, depth + 1) for part in _list(schema, "prefixItems")]
        items = schema.get("items", {"type": "string"})
        wanted = min(max(least, len(fixed)), most) if fixed else min(least, most)
        return fixed[:most] + [self.make(items, depth + 1) for _ in range(min(wanted, 100) - len(fixed))]

    def _string(self, schema: Schema, _depth: int) -> str:
        if fixed := _FORMATS.get(str(schema.get("format", ""))):
            return fixed
        for candidate in self._candidates(schema):
            if not isinstance(pattern := schema.get("pattern"), str) or _meets(candidate, pattern):
                break
        least, most = ranges.given(schema, "minLength", 0), ranges.given(schema, "maxLength", 10_000)
        return candidate.ljust(min(int(least), 10_000), "x")[: int(most)]

    def _candidates(self, schema: Schema) -> list[str]:
        hint = [self.hints.pop(0) if len(self.hints) > 1 else self.hints[0]] if self.hints else []
        given = [schema.get("default"), *_list(schema, "examples")]
        return [*hint, *(text for text in given if isinstance(text, str)), "simulated", "A1", "1", "a"]


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


def _list(schema: Schema, name: str) -> list[Any]:
    value = schema.get(name)
    return value if isinstance(value, list) else []


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
