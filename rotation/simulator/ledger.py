"""What the simulator received and what it answered, request by request: the upstream's side of every comparison."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Entry:
    """One request received. Times `at` are simulated epoch seconds; every `_ms` is wall time since it arrived.

    `status` is what went out (0: no status line was sent). `client_closed_after_ms` is set when the client hung up
    before the simulator was done; a connection the simulator itself broke is not the client's doing.
    """

    number: int
    at: float
    kind: str
    operation: str
    key: str = ""
    account: str = ""
    model: str = ""
    request_id: str = ""
    status: int = 0
    fault: str = ""
    stream: bool = False
    events: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    first_ms: float | None = None
    total_ms: float | None = None
    client_closed_after_ms: float | None = None
    done: bool = False
    arrived: float = field(default_factory=time.monotonic)

    def since(self) -> float:
        return round((time.monotonic() - self.arrived) * 1000, 3)

    def told(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _TOLD}


_TOLD = tuple(name for name in Entry.__slots__ if name != "arrived")


class Ledger:
    """The last `keep` entries, oldest first. Numbers go on rising when old ones are let go."""

    def __init__(self, keep: int = 200_000) -> None:
        self._entries: deque[Entry] = deque(maxlen=keep)
        self._number = 0
        self.open = 0

    def begin(self, *, at: float, kind: str, operation: str) -> Entry:
        self._number += 1
        self.open += 1
        entry = Entry(number=self._number, at=at, kind=kind, operation=operation)
        self._entries.append(entry)
        return entry

    def end(self, entry: Entry) -> None:
        entry.total_ms = entry.since()
        entry.done = True
        self.open -= 1

    def clear(self) -> None:
        """Forgets all entries; the count of open requests stays true."""
        self._entries.clear()
        self._number = 0

    def select(self, *, since: int = 0, kind: str = "", model: str = "", request_id: str = "") -> Iterator[Entry]:
        """Entries numbered above `since` that fit every filter given."""
        for entry in self._entries:
            if entry.number <= since or (kind and entry.kind != kind):
                continue
            if (model and entry.model != model) or (request_id and entry.request_id != request_id):
                continue
            yield entry
