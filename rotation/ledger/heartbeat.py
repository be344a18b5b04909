"""A small file that says the ledger lives, what it waits for and how far behind it is: for health checks and pages."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

NAME = ".ledger.json"
EVERY = 1.0
STALE = 60.0  # a batch may take half of it


@dataclass(frozen=True, slots=True)
class Beat:
    """`state`: "reading" or "waiting" for the database; `at`: epoch seconds; `written`, `bad`: lines since it began."""

    at: float
    pid: int
    state: str
    behind_bytes: int
    written: int
    bad: int

    def fresh(self, now: float) -> bool:
        return now - self.at < STALE


class Heartbeat:
    """Writes at most one beat a second, whole or not at all."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / NAME
        self._last = ("", 0.0)

    def beat(self, state: str, *, behind: int, written: int, bad: int) -> None:
        now = time.time()
        if self._last[0] == state and 0 <= now - self._last[1] < EVERY:
            return
        self._last = (state, now)
        draft = self.path.with_name(f"{NAME}.{os.getpid()}")
        draft.write_bytes(orjson.dumps(asdict(Beat(now, os.getpid(), state, behind, written, bad))))
        draft.replace(self.path)


def latest(directory: Path) -> Beat | None:
    """The last beat of whichever ledger reads this journal; None when there never was one."""
    try:
        return Beat(**orjson.loads((directory / NAME).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
