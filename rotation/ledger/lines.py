"""The journal's line: `crc32 json\\n`, written by the gateway and read by the ledger.

A line is 8 hex digits (CRC32 of the JSON bytes), one space, the JSON object, a newline; JSON escapes newlines,
so a line is whole exactly when it ends in one. This file knows bytes and nothing else: what a record
means stands in `rows.py` and `events.py`, where lines come from in `files.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import orjson

LONGEST = 4 * 1024 * 1024  # a line beyond this is damage: the gateway cuts every text it writes


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that is not a record: its bytes without the newline, and why."""

    line: bytes
    why: str


def encode(record: Mapping[str, Any]) -> bytes:
    """One whole line, newline included. Never raises for text or numbers, however hostile.

    NaN and infinities become null; lone surrogates become U+FFFD; integers are held within 64 bits.
    """
    try:
        body = orjson.dumps(record)
    except (TypeError, RecursionError):  # orjson.JSONEncodeError is a TypeError
        body = orjson.dumps(_writable(record))
    return b"%08x %b\n" % (crc32(body), body)


def decode(line: bytes) -> dict[str, Any] | Bad:
    """The record of one line (with or without its newline), or what is wrong with it."""
    line = line.removesuffix(b"\n")
    if len(line) < 10 or line[8:9] != b" ":
        return Bad(line, "too short for a line" if len(line) < 10 else "no checksum in front")
    body = line[9:]
    if line[:8] != b"%08x" % crc32(body):
        return Bad(line, "checksum does not match")
    try:
        record = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return Bad(line, f"not JSON: {error}")
    return record if isinstance(record, dict) else Bad(line, "not a JSON object")


def _writable(value: object, depth: int = 0) -> object:
    """`value` in what JSON can say; the slow way, taken only when orjson refused the record."""
    if depth > 50:
        return "…"
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {str(_writable(str(k))): _writable(v, depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_writable(v, depth + 1) for v in value]
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    return min(max(value, -(2**63)), 2**63 - 1) if isinstance(value, int) else _writable(str(value))
