"""Error answers as tables: one row per trouble and kind. What differs by more than words is a method of the kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rotation.simulator.oops import Oops, Trouble

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """`message` and `param` are templates over the oops, called `o`. An empty message passes the oops's own through."""

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
        message=(row.message.format(o=oops) if row.message else "") or oops.message or "Invalid request.",
        type=row.type,
        code=oops.code or row.code,
        param=oops.param or (row.param.format(o=oops) if row.param else None),
    )
