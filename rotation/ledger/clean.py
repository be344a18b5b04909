"""Values as Postgres can take them: texts without NUL or lone surrogates, numbers within their columns.

What can be mended is mended (cut, clamped, replaced), since one unfit value would fail the whole batch;
what has the wrong shape raises `Unfit`, and its line is set aside.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

INT2, INT4 = 2**15 - 1, 2**31 - 1
EARLIEST, LATEST = 946_684_800.0, 4_102_444_800.0  # the years 2000 to 2100: beyond them a clock is broken
SMALLEST_COST = Decimal("0.0000000001")  # costs are kept to ten places
DEAREST = Decimal(10_000)  # USD for one call: far beyond any, far below what would overflow a sum
TRACE_LONGEST = 64 * 1024
CODE_WORD = re.compile(r"[a-z][a-z0-9_]{0,29}")


class Unfit(ValueError):
    """A record that cannot become rows, and why."""


def text(value: object, longest: int) -> str:
    """Up to `longest` characters Postgres accepts; None is empty. Raises Unfit for lists and objects."""
    if value is None:
        return ""
    if not isinstance(value, str):
        if not isinstance(value, (int, float)):
            raise Unfit(f"text expected, got {type(value).__name__}")
        value = str(value)
    if "\0" in value:
        value = value.replace("\0", "\ufffd")
    if not value.isascii():
        value = value.encode("utf-8", "replace").decode() if _has_surrogate(value) else value
    return value if len(value) <= longest else value[: longest - 1] + "…"


def text_or_none(value: object, longest: int) -> str | None:
    return None if value is None else text(value, longest)


def _has_surrogate(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False


def whole(value: object, highest: int = INT4) -> int:
    """An integer between 0 and `highest`, clamped; None is 0. Raises Unfit for anything but a number."""
    if value is None:
        return 0
    if not isinstance(value, (int, float)):
        raise Unfit(f"number expected, got {type(value).__name__}")
    if isinstance(value, float) and not math.isfinite(value):
        return highest if value > 0 else 0
    return min(max(int(value), 0), highest)


def whole_or_none(value: object, highest: int = INT4) -> int | None:
    return None if value is None else whole(value, highest)


def row_id(value: object) -> int:
    """A database id. Raises Unfit for anything else: a clamped one would mean something else."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= INT4:
        raise Unfit(f"not a database id: {str(value)[:40]}")
    return value


def row_id_or_none(value: object) -> int | None:
    return None if value is None else row_id(value)


def number(value: object, highest: float = 1e12) -> float:
    """A finite float between 0 and `highest`, clamped; None is 0. Raises Unfit for anything but a number."""
    if value is None:
        return 0.0
    if not isinstance(value, (int, float)):
        raise Unfit(f"number expected, got {type(value).__name__}")
    return 0.0 if math.isnan(value) else float(min(max(value, 0.0), highest))


def number_or_none(value: object, highest: float = 1e12) -> float | None:
    return None if value is None else number(value, highest)


def money(value: object) -> Decimal | None:
    """USD rounded to the column's ten places, so that a sum over rows is the sum of what was added up."""
    if value is None:
        return None
    return min(Decimal(repr(number(value))), DEAREST).quantize(SMALLEST_COST)


def moment(value: object) -> datetime:
    """Epoch seconds as a time in UTC, to the microsecond. Raises Unfit outside the years 2000 to 2100."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not EARLIEST <= value < LATEST:
        raise Unfit(f"not a time of this century: {str(value)[:40]}")
    return datetime.fromtimestamp(value, UTC)


def moment_or_none(value: object) -> datetime | None:
    return None if value is None else moment(value)


def uuid(value: object) -> UUID:
    if not isinstance(value, str):
        raise Unfit("not a UUID")
    try:
        return UUID(value)
    except ValueError:
        raise Unfit(f"not a UUID: {value[:40]!r}") from None


def uuid_or_none(value: object) -> UUID | None:
    return None if value is None else uuid(value)


def json_list(value: object, longest: int = TRACE_LONGEST) -> str:
    """A JSON array jsonb accepts, its tail left out when it is longer than `longest` bytes."""
    if value is None:
        return "[]"
    if not isinstance(value, list):
        raise Unfit(f"list expected, got {type(value).__name__}")
    items: list[Any] = value
    body = _dumps(items)
    if b"\\u0000" in body:
        items = _without_nul(items)
        body = _dumps(items)
    while len(body) > longest:
        items = items[: len(items) // 2]
        body = _dumps(items)
    return body.decode()


def json_object(value: object, longest: int = TRACE_LONGEST) -> str:
    """A JSON object jsonb accepts; None is empty, and so is one longer than `longest` bytes."""
    if value is None:
        return "{}"
    if not isinstance(value, dict):
        raise Unfit(f"object expected, got {type(value).__name__}")
    body = _dumps(value)
    if b"\\u0000" in body:
        body = _dumps(_without_nul(value))
    return body.decode() if len(body) <= longest else "{}"


def json_figures(value: object) -> str:
    """The numbers, flags, nulls and code words (`chat`) of an object; texts and whatever else it holds are left out."""
    if not isinstance(value, dict):
        return json_object(value)
    return json_object({name: v for name, v in value.items() if _figure(v)})


def _figure(value: object) -> bool:
    if isinstance(value, str):
        return CODE_WORD.fullmatch(value) is not None
    return value is None or isinstance(value, (bool, int, float))


def _dumps(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError as error:  # nested deeper than orjson writes
        raise Unfit(str(error)) from None


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(item) for name, item in value.items()}
    return value
