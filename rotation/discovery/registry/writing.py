"""A document as text: one line per fact, always in the same order, so that two versions differ by what changed.

Strings are plain where nobody can mistake them, else quoted on one line with everything invisible escaped: what a
reviewer sees is what there is.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import NoneType
from typing import Any

from rotation.discovery.registry import fields
from rotation.discovery.registry.document import Document, Model, Path, Pool, Values
from rotation.discovery.registry.fields import Field
from rotation.discovery.registry.reading import CONCLUSIVE

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./@+-]*(:[A-Za-z0-9_./@+-]+)*( [A-Za-z0-9_./@+()=%'-]+)*")
MEANS_MORE = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
LONGEST_KEY = 900  # what YAML takes without a question mark before it is 1,024
INDENT = "  "


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its indent; `path` is what it says something about."""

    path: Path
    depth: int
    text: str


def lines(document: Document) -> Iterator[Line]:
    """The whole document."""
    yield Line(("version",), 0, f"version: {document.version}")
    yield _opening(("models",), 0, empty=not document.models)
    for provider, models in sorted(document.models.items()):
        yield _opening(("models", provider), 1, empty=not models)
        for name, model in sorted(models.items()):
            yield from _model(("models", provider, name), model)
    yield _opening(("pools",), 0, empty=not document.pools)
    for name, pool in sorted(document.pools.items()):
        yield from _pool(("pools", name), pool)


def digest(document: Document) -> str:
    """Of everything but the version: two registries with one digest are the same."""
    told = "\n".join(line.text for line in lines(document) if line.path != ("version",))
    return hashlib.sha256(told.encode()).hexdigest()


def _model(path: Path, model: Model) -> Iterator[Line]:
    yield _opening(path, 2)
    yield from _facts(path, 3, model.fields, fields.MODEL, always=("status",))
    for verdict in CONCLUSIVE:
        seen = {name: one for name, one in sorted(model.verdicts.items()) if one["verdict"] == verdict}
        if seen:
            yield _opening((*path, verdict), 3)
        for capability, one in seen.items():
            told = [field.name for field in fields.VERDICT if one[field.name] != field.default]
            facts = ", ".join(f"{name}: {flow(one[name])}" for name in told)
            yield Line((*path, verdict, capability), 4, f"{_key(capability)}: {{{facts}}}")


def _pool(path: Path, pool: Pool) -> Iterator[Line]:
    yield _opening(path, 1)
    yield from _facts(path, 2, pool.fields, fields.POOL, always=("strategy",))
    path = (*path, "members")
    yield Line(path, 2, "members:" if pool.members else "members: []")
    for name, member in pool.in_order():
        yield Line((*path, name), 2, f"- model: {scalar(name)}")
        yield from _facts((*path, name), 3, member, fields.MEMBER)


def _facts(
    path: Path, depth: int, values: Values, table: Sequence[Field], always: Sequence[str] = ()
) -> Iterator[Line]:
    for one in table:
        value = values[one.name]
        if value != one.default or one.name in always:
            yield Line((*path, one.name), depth, f"{one.name}: {flow(value)}")


def _opening(path: Path, depth: int, *, empty: bool = False) -> Line:
    return Line(path, depth, f"{_key(path[-1])}:{' {}' if empty else ''}")


def _key(name: str) -> str:
    written = scalar(name)
    return written if len(written) < LONGEST_KEY else f"? {written}\n"


def flow(value: Any) -> str:
    """Any value on one line, the keys of a mapping sorted."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(str(key))}: {flow(one)}" for key, one in sorted(value.items())) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    """One value, as any YAML 1.1 or 1.2 reader takes it for the same."""
    for kind, write in WRITTEN:
        if isinstance(value, kind):
            return write(value)
    text = str(value)
    plain = PLAIN.fullmatch(text) and text.lower() not in MEANS_MORE
    return text if plain else '"' + "".join(map(_escaped, text)) + '"'


def _float(value: float) -> str:
    short = f"{value:g}"
    return short if "e" not in short and float(short) == value else repr(value)


#: The first kind that fits; a bool is an int too, and a moment is a date.
WRITTEN: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (NoneType, lambda _: "null"),
    (bool, lambda value: "true" if value else "false"),
    (dt.datetime, lambda value: value.isoformat().replace("+00:00", "Z")),
    (dt.date, dt.date.isoformat),
    (Decimal, "{:f}".format),
    (float, _float),
    (int, str),
)


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character == "\n":
        return "\\n"
    code = ord(character)
    if not character.isprintable():
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character
