"""Cuts a database connection that keeps its caller waiting too long.

A Postgres that is frozen, or gone without a word, leaves a blocked call blocked: no server-side timeout runs there.
Shutting the socket down ends the wait with an ordinary connection error, in whatever thread it happens.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator

import psycopg

STEP = 0.25


class Watch:
    """`with watch.over(connection): ...` may take `patience` seconds."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self._lock = threading.Lock()
        self._fd = -1
        self._due = 0.0
        self._latest = float("inf")
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def over(self, connection: psycopg.Connection) -> Iterator[None]:
        self._start()
        with self._lock:
            self._fd, self._due = connection.fileno(), min(time.monotonic() + self.patience, self._latest)
        try:
            yield
        finally:
            with self._lock:
                self._fd = -1

    def hurry(self, seconds: float) -> None:
        """From now on nothing may take longer than until `seconds` from now: we are about to stop."""
        # No lock: this is called from a signal handler, which may have interrupted the holder.
        self._latest = self._due = time.monotonic() + seconds

    def close(self) -> None:
        self._wake.set()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="ledger-watch", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._wake.wait(STEP):
            with self._lock:
                if self._fd >= 0 and time.monotonic() > self._due:
                    _shut(self._fd)
                    self._fd = -1


def _shut(fd: int) -> None:
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(fd)) as door:
        door.shutdown(socket.SHUT_RDWR)
