"""A provider's list of models, checked as a whole before one entry of it is believed.

A listing decides which models are taken for gone, so a broken one is refused whole with one clear line. The fields
of an entry are each kind's own; here are the readers they share.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from rotation.providers.envelope import complaint
from rotation.providers.redact import plain, redact
from rotation.providers.wire import bare, html_title, is_html, parse

MOST = 20_000  # the largest known have some hundreds
LONGEST_ID = 255
_ODD = re.compile(r"[<>\"'`\\]|\A\s|\s\Z")
_MOST_TOKENS = 1_000_000_000
_DEAREST = 1.0  # USD per token; more is a price in another unit


def entries(
    body: bytes, *, places: tuple[str, ...] = ("data",), ids: tuple[str, ...] = ("id",)
) -> list[dict[str, Any]]:
    """The entries of a listing, each with a sound id under "id", in order, doubles left out. Raises ValueError.

    `places`: the fields that may hold the list, the first one present; a bare list is taken too.
    """
    found = _list(_parsed(bare(body)), places)
    if len(found) > MOST:
        raise ValueError(f"the listing has {len(found)} entries; more than {MOST} are not believed")
    unique: dict[str, dict[str, Any]] = {}
    for place, entry in enumerate(found, 1):
        name = _id(entry, ids, place)
        unique.setdefault(name, {**entry, "id": name})
    return list(unique.values())


def _parsed(body: bytes) -> Any:
    if is_html(body):
        title = redact(html_title(body), longest=100)
        raise ValueError(f"the listing is a page, not JSON{f': {title}' if title else ''}")
    try:
        return parse(body)
    except ValueError:
        how = "empty" if not body else "broken or cut off" if body[:1] in {b"{", b"["} else "not JSON"
        raise ValueError(f"the listing is {how}") from None


def _list(parsed: Any, places: tuple[str, ...]) -> list[Any]:
    if isinstance(parsed, list):
        return parsed
    if isinstance(parsed, dict):
        place = next((place for place in places if place in parsed), None)
        if place is not None and (found := parsed[place]) is None:
            return []  # Ollama without a model
        if place is not None and isinstance(found, list):
            return found
        if problem := complaint(parsed):
            raise ValueError(f"the listing is an error: {redact(problem.told, longest=200)}")
    raise ValueError("the listing holds no list of models")


def _id(entry: Any, ids: tuple[str, ...], place: int) -> str:
    name = next((entry[key] for key in ids if entry.get(key)), None) if isinstance(entry, dict) else None
    if not isinstance(name, str):
        raise ValueError(f"entry {place} of the listing has no id")
    if len(name) > LONGEST_ID or not name.isprintable():
        raise ValueError(f"entry {place} of the listing has an id with control characters or of {len(name)} characters")
    if _ODD.search(name):
        raise ValueError(f"entry {place} of the listing has an id with quotes, brackets or blanks no model id has")
    return name


def tokens(*values: Any) -> int | None:
    """The first of these that is a sensible number of tokens."""
    for value in values:
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if type(number) is int and 0 < number <= _MOST_TOKENS:
            return number
    return None


def price(value: Any, *, per: int = 1) -> float | None:
    """USD per token from a price per `per` tokens, rid of float noise; None when not given, variable (-1) or absurd."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        exact = Decimal(value if isinstance(value, str) else repr(round(value, 9))) / per
    except (InvalidOperation, OverflowError):
        return None
    number = float(exact)
    return number if math.isfinite(number) and 0 <= number <= _DEAREST else None


def texts(value: Any) -> tuple[str, ...]:
    """A list of short texts, or nothing."""
    return tuple(word for item in value[:200] if (word := plain(item, 60))) if isinstance(value, list) else ()


def fields(value: Any) -> Mapping[str, Any]:
    """A nested object, or nothing."""
    return value if isinstance(value, dict) else {}


def offers(supported: tuple[str, ...], *names: str) -> bool | None:
    """Whether one of `names` is among the features listed; None when none are listed."""
    return any(name in supported for name in names) if supported else None
