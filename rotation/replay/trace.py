"""Traces: recorded traffic from elsewhere as CSV, read strictly, kept as normalised CSV under gzip.

A header names the columns, in any order and case, among others a time, the prompt's tokens and the answer's; further
columns are passed over. A time is ISO 8601 (UTC unless it says otherwise), epoch seconds or milliseconds, or seconds
from the start. One broken line and nothing is imported: the message names lines and what is wrong with them.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from rotation.core.targets import Needs
from rotation.replay.traffic import Asked

LARGEST = 64 * 1024 * 1024  # bytes of a file
MOST = 1_000_000  # calls of a trace
LONGEST_CALL = 10_000_000  # tokens
SHOWN = 5  # broken lines named in a message
MILLISECONDS = 1e11  # a number from here on is epoch milliseconds
LATEST = 253_402_300_800.0  # the year 10000

#: Usual names of the columns, compared without case, spaces, dots, hyphens and underscores.
TIME = ("timestamp", "time", "at", "arrivedat", "arrivaltime", "arrival", "starttime", "createdat", "datetime", "date")
PROMPT = ("contexttokens", "prompttokens", "inputtokens", "tokensin", "numprompttokens", "prompt", "input",
          "inputlength", "requesttokens", "promptlen", "inputlen")  # fmt: skip
ANSWER = ("generatedtokens", "completiontokens", "outputtokens", "tokensout", "answertokens", "responsetokens",
          "numdecodetokens", "answer", "output", "outputlength", "outputlen")  # fmt: skip
STREAM = ("stream", "streamed", "streaming")
YES, NO = frozenset({"1", "true", "yes", "y", "t"}), frozenset({"0", "false", "no", "n", "f", ""})


class BrokenTrace(ValueError):
    """The file is not taken; the message says why, for people."""


class Row(NamedTuple):
    """One call: epoch seconds (or seconds from the start), tokens; `stream` None where the file does not say."""

    at: float
    prompt: int
    answer: int
    stream: bool | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Where what stands in a line."""

    time: int
    prompt: int
    answer: int
    stream: int | None


def read(raw: bytes) -> list[Row]:
    """The calls by time. Raises `BrokenTrace`."""
    if len(raw) > LARGEST:
        raise BrokenTrace(f"The file has {len(raw) / 2**20:.0f} MiB; a trace may have {LARGEST / 2**20:.0f} MiB.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = raw[: wrong.start].count(b"\n") + 1
        raise BrokenTrace(f"Line {line} is not UTF-8 text: save the trace as CSV in UTF-8.") from None
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        columns = _columns(next(lines, []))
        rows = list(_rows(lines, columns))
    except csv.Error as wrong:
        raise BrokenTrace(f"Line {lines.line_num} is not CSV: {wrong}.") from None
    if not rows:
        raise BrokenTrace("The trace has a header and no calls.")
    return sorted(rows, key=_place)


def _place(row: Row) -> tuple[float, int, int, bool, bool]:
    """Two calls may be alike but for what only one says."""
    return (row.at, row.prompt, row.answer, row.stream is not None, bool(row.stream))


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _columns(header: Sequence[str]) -> Columns:
    plain = ["".join(c for c in name.lower() if c.isalnum()) for name in header]

    def place(names: Iterable[str]) -> int | None:
        return next((plain.index(name) for name in names if name in plain), None)

    time, prompt, answer = place(TIME), place(PROMPT), place(ANSWER)
    missing = [word for word, found in (("time", time), ("prompt tokens", prompt), ("answer tokens", answer))
               if found is None]  # fmt: skip
    if time is None or prompt is None or answer is None:
        there = ", ".join(name.strip()[:40] for name in header[:12]) or "nothing"
        raise BrokenTrace(
            f"The first line must name the columns, for example TIMESTAMP,ContextTokens,GeneratedTokens; no column "
            f"for {' and '.join(missing)} is among {there}."
        )
    return Columns(time, prompt, answer, place(STREAM))


def _rows(lines: Iterator[list[str]], columns: Columns) -> Iterator[Row]:
    """Raises `BrokenTrace` after the last line, naming the first broken ones."""
    broken: list[str] = []
    more = count = 0
    for number, line in enumerate(lines, 2):
        if not any(cell.strip() for cell in line):
            continue
        count += 1
        if count > MOST:
            raise BrokenTrace(f"A trace may have {MOST:,} calls; cut the file into parts.")
        try:
            yield _row(line, columns)
        except ValueError as wrong:
            if len(broken) < SHOWN:
                broken.append(f"line {number}: {wrong}")
            more += 1
    if broken:
        rest = f"; and {more - len(broken):,} more" if more > len(broken) else ""
        raise BrokenTrace(f"Nothing was imported, {more:,} of {count:,} lines are broken: {'; '.join(broken)}{rest}.")


def _row(line: Sequence[str], columns: Columns) -> Row:
    needed = max(columns.time, columns.prompt, columns.answer)
    if len(line) <= needed:
        raise ValueError(f"it has {len(line)} columns where {needed + 1} are needed")
    stream = None
    if columns.stream is not None and len(line) > columns.stream:
        stream = _flag(line[columns.stream])
    return Row(
        _moment(line[columns.time]), _tokens(line[columns.prompt], "prompt"), _tokens(line[columns.answer], "answer"),
        stream,
    )  # fmt: skip


def _moment(cell: str) -> float:
    text = cell.strip()
    try:
        number = float(text)
    except ValueError:
        try:
            found = datetime.fromisoformat(text)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            raise ValueError(f"{text[:40]!r} is no time") from None
    number = number / 1000 if number >= MILLISECONDS else number
    if not (math.isfinite(number) and 0 <= number < LATEST):
        raise ValueError(f"{text[:40]!r} is no time")
    return number


def _tokens(cell: str, what: str) -> int:
    text = cell.strip()
    try:
        number = float(text)
        whole = int(number)
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:40]!r} is no number of {what} tokens") from None
    if whole != number or not 0 <= whole <= LONGEST_CALL:
        raise ValueError(f"{text[:40]!r} is no number of {what} tokens")
    return whole


def _flag(cell: str) -> bool:
    word = cell.strip().lower()
    if word not in YES | NO:
        raise ValueError(f"{word[:40]!r} does not say whether it was streamed")
    return word in YES


def packed(rows: Iterable[Row]) -> bytes:
    """As it is kept: `at,prompt,answer,stream` a line, the last 1, 0 or nothing. The same rows give the same bytes."""
    said: Mapping[bool | None, str] = {True: "1", False: "0", None: ""}
    text = "".join(f"{r.at!r},{r.prompt},{r.answer},{said[r.stream]}\n" for r in rows)
    return gzip.compress(text.encode(), mtime=0)


def unpacked(body: bytes) -> list[Row]:
    """The inverse of `packed`."""
    said: Mapping[str, bool | None] = {"1": True, "0": False, "": None}
    cells = (line.split(",") for line in gzip.decompress(body).decode().splitlines())
    return [Row(float(at), int(prompt), int(answer), said[stream]) for at, prompt, answer, stream in cells]


def asked(rows: Iterable[Row], *, stream: bool) -> tuple[Asked, ...]:
    """The calls as traffic; where the trace does not say, streamed as `stream` says."""
    return tuple(
        Asked(r.at, Needs(prompt_tokens=r.prompt, stream=stream if r.stream is None else r.stream), r.answer)
        for r in rows
    )
