"""The journal directory: which files there are, their next lines, which are finished, and what is set aside.

Reading is by offset and in bounded pieces; nothing here knows how far the database has got (`session.py` does).
The gateway only appends, and holds an exclusive flock on the file it writes: a file without one is finished.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from rotation.ledger.lines import LONGEST, Bad, decode

PIECE = 1024 * 1024  # bytes read at once
MOST_LINES, MOST_BYTES = 2000, 2 * PIECE  # in one batch
BAD_KEPT = 256 * 1024  # bytes of one damaged line that are kept
YOUNG = 60.0  # seconds: an empty file this new may be about to be locked by its writer


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a file: the bytes from `start` to `end` (its newline included)."""

    file: str
    start: int
    end: int
    record: dict[str, Any] | Bad


class Journal:
    """A directory of journal files; creates it (private) when it is not there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.bad = directory / "bad"
        self.bad.mkdir(parents=True, exist_ok=True, mode=0o700)

    def names(self) -> list[str]:
        """Journal files in the order they were begun."""
        with os.scandir(self.directory) as found:
            return sorted(e.name for e in found if e.name.endswith(".jsonl") and not e.name.startswith("."))

    def identity(self) -> int:
        """A number that is this directory's own, however it is mounted: what its readers lock on."""
        path = self.directory / ".identity"
        if not path.exists():
            draft = path.with_name(f".identity.{os.getpid()}")
            draft.write_text(os.urandom(8).hex())
            with contextlib.suppress(FileExistsError):  # another ledger was quicker: its number is the number
                path.hardlink_to(draft)
            draft.unlink()
        return int(path.read_bytes(), 16) % 2**62

    def read(self, offsets: Mapping[str, int], most: int = MOST_LINES) -> list[Entry]:
        """Up to `most` next whole lines (and about MOST_BYTES), oldest file first, each file to its end."""
        entries: list[Entry] = []
        size = 0
        for name in self.names():
            offset = offsets.get(name, 0)
            while len(entries) < most and size < MOST_BYTES:
                more = self._next(name, offset, most - len(entries))
                if not more:
                    break
                size, offset = size + more[-1].end - offset, more[-1].end
                entries += more
        return entries

    def behind(self, offsets: Mapping[str, int]) -> int:
        """Bytes not read yet."""
        return sum(max(self._size(name) - offsets.get(name, 0), 0) for name in self.names())

    def finished(self, offsets: Mapping[str, int]) -> list[str]:
        """Files read to their end whose writer is gone."""
        return [name for name in self.names() if self._is_finished(name, offsets.get(name, 0))]

    def remove(self, name: str) -> None:
        (self.directory / name).unlink(missing_ok=True)

    def set_aside(self, entry: Entry, why: str) -> None:
        """Keeps a line nobody can use in `bad/<file>`, once, however often the ledger is killed around it."""
        path = self.bad / entry.file
        if entry.start <= _last_start(path):
            return
        line = entry.record.line[:BAD_KEPT].decode("utf-8", "backslashreplace") if isinstance(entry.record, Bad) else ""
        kept = {"start": entry.start, "end": entry.end, "why": why, "line": line or _without_prompt(entry.record)}
        with path.open("ab") as file:
            file.write(orjson.dumps(kept) + b"\n")

    def _next(self, name: str, offset: int, most: int) -> list[Entry]:
        with _opened(self.directory / name) as fd:
            if fd is None or os.fstat(fd).st_size <= offset:
                return []
            piece = os.pread(fd, PIECE, offset)
            if b"\n" not in piece and len(piece) == PIECE:
                piece = os.pread(fd, LONGEST, offset)
            if b"\n" in piece:
                return list(_lines(name, offset, piece, most))
            if len(piece) >= LONGEST:
                return [Entry(name, offset, offset + len(piece), Bad(piece, f"no newline within {LONGEST} bytes"))]
            if not _writer_gone(fd) or os.fstat(fd).st_size != offset + len(piece):
                return []
            return [Entry(name, offset, offset + len(piece), Bad(piece, "torn: its writer ended in mid-line"))]

    def _is_finished(self, name: str, offset: int) -> bool:
        with _opened(self.directory / name) as fd:
            if fd is None or os.fstat(fd).st_size > offset or not _writer_gone(fd):
                return False
            seen = os.fstat(fd)  # again: the writer may have written its last line before it went
            young = seen.st_size == 0 and time.time() - seen.st_mtime < YOUNG
            return seen.st_size <= offset and not young

    def _size(self, name: str) -> int:
        try:
            return (self.directory / name).stat().st_size
        except OSError:
            return 0


def _lines(name: str, offset: int, piece: bytes, most: int) -> Iterator[Entry]:
    start = 0
    for _ in range(most):
        end = piece.find(b"\n", start) + 1
        if not end:
            return
        yield Entry(name, offset + start, offset + end, decode(piece[start:end]))
        start = end


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    """A descriptor to read from; None when the file is gone."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        yield fd
    finally:
        os.close(fd)


def _without_prompt(record: dict[str, Any] | Bad) -> dict[str, Any]:
    """What lies in `bad/` stays there; a prompt, sealed or not, must not."""
    return {name: value for name, value in record.items() if name != "prompt"} if isinstance(record, dict) else {}


def _writer_gone(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(fd, fcntl.LOCK_UN)
    return True


def _last_start(path: Path) -> int:
    """Where the last line already set aside from this file began; -1 when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - 2 * BAD_KEPT - PIECE, 0))
            last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
        return int(orjson.loads(last)["start"])
    except (FileNotFoundError, orjson.JSONDecodeError, KeyError):
        return -1
