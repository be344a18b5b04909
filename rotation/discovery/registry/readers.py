"""How single values of a registry file are read: a reader takes a node and returns a value, or raises ValueError with
what to write instead.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime

from rotation.discovery.registry.nodes import Mapping, Node, Scalar, Sequence

Reader = Callable[[Node], Any]
INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
FLOAT = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
LARGEST = 2**31 - 1
WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def word(node: Node) -> str:
    if not isinstance(node, Scalar):
        raise ValueError("write one value, not a list or a mapping")
    return node.text


def text(longest: int) -> Reader:
    def read(node: Node) -> str:
        found = word(node)
        if len(found) > longest:
            raise ValueError(f"longer than {longest:,} characters")
        if UNSTORABLE.search(found):
            raise ValueError("holds a character that cannot be stored (NUL or half a character)")
        return found

    return read


def flag(node: Node) -> bool:
    if word(node) not in ("true", "false"):
        raise ValueError("write true or false")
    return word(node) == "true"


def whole(low: int = 0, high: int = LARGEST) -> Reader:
    def read(node: Node) -> int:
        if not INTEGER.fullmatch(word(node)) or not low <= int(word(node)) <= high:
            raise ValueError(f"write a whole number from {low} to {high}")
        return int(word(node))

    return read


def number(low: float, high: float = math.inf, digits: int = 4) -> Reader:
    wanted = f"from {low:g} to {high:g}" if math.isfinite(high) else f"of {low:g} or more"

    def read(node: Node) -> float:
        if not FLOAT.fullmatch(word(node)) or not low <= float(word(node)) <= min(high, 1e300):
            raise ValueError(f"write a number {wanted}")
        return round(float(word(node)), digits)

    return read


def price(node: Node) -> Decimal:
    try:
        found = Decimal(word(node)).quantize(Decimal("0.000001"))
    except InvalidOperation:
        found = Decimal(-1)
    if not 0 <= found < 10**8:
        raise ValueError("write US dollars per million tokens, 0 or more, for example 0.15")
    return found.normalize() + 0


def words(node: Node) -> list[str]:
    if not isinstance(node, Sequence):
        raise ValueError("write a list, for example [text, image]")
    return [text(60)(item) for item in node.items]


def choice(*names: str) -> Reader:
    def read(node: Node) -> str:
        if word(node) not in names:
            raise ValueError(f"write one of: {', '.join(names)}")
        return word(node)

    return read


def day(node: Node) -> dt.date:
    try:
        found = parse_date(word(node))
    except ValueError:
        found = None
    if found is None:
        raise ValueError("write a date that exists, for example 2026-03-31")
    return found


def moment(node: Node) -> dt.datetime:
    """To the second, in UTC."""
    try:
        found = parse_datetime(word(node))
        found = found and found.astimezone(dt.UTC).replace(microsecond=0) if found and found.tzinfo else None
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise ValueError("write a moment with its zone, for example 2026-03-31T12:00:00Z")
    return found


def anything(node: Node) -> Any:
    """JSON: plain words are numbers, true, false or null where they look like it."""
    if isinstance(node, Mapping):
        return {text(200)(key): anything(value) for key, value in node.entries.values()}
    if isinstance(node, Sequence):
        return [anything(item) for item in node.items]
    found = text(10_000)(node)
    return _meant(found) if node.plain else found


def _meant(found: str) -> Any:
    """What a plain word is in JSON."""
    if found in WORDS:
        return WORDS[found]
    if INTEGER.fullmatch(found):
        return int(found)
    return float(found) + 0.0 if FLOAT.fullmatch(found) and math.isfinite(float(found)) else found


def mapping(node: Node) -> dict[str, Any]:
    found = anything(node)
    if not isinstance(found, dict):
        raise ValueError("write a mapping, for example {free: true}, or {} for none")
    return found
