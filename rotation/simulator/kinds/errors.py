"""Error answers as tables: one row per trouble and kind. What differs by more than words is a method of the kind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rotation.simulator.durations import milliseconds_up
from rotation.simulator.oops import Oops, Trouble

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """`message` and `param` are templates over the oops, called `o`. A message of the oops's own comes first."""

    status: int
    message: str = ""
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A row filled in."""

    status: int
    message: str
    type: str
    code: str | None
    param: str | None


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    status: int
    headers: Pairs
    body: bytes


Rows = Mapping[Trouble, Row]


def fill(rows: Rows, oops: Oops) -> Said:
    row = rows[oops.what]
    return Said(
        status=oops.status or row.status,
        message=oops.message or (row.message.format(o=oops) if row.message else "Invalid request."),
        type=row.type,
        code=oops.code or row.code,
        param=oops.param or (row.param.format(o=oops) if row.param else None),
    )


def whole_seconds(seconds: float) -> str:
    """For `retry-after`: rounded up, at least one."""
    return str(max(1, math.ceil(milliseconds_up(seconds))))


def hint_headers(oops: Oops) -> Pairs | None:
    """Headers of a hint that was ordered; None when the kind is to tell it in its own way."""
    assert oops.refused is not None
    match oops.hint:
        case "retry_after":
            return (("retry-after", whole_seconds(oops.refused.wait)),)
        case "retry_after_ms":
            return (("retry-after-ms", str(round(oops.refused.wait * 1000))),)
        case "text" | "none":
            return ()
    return None
