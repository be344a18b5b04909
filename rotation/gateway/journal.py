"""The data plane's memory of what happened: one appended line per call and per change of health.

Writing never blocks on the database and never fails a call. A full disk is waited out in memory, within bounds;
what had to be dropped is counted and said. The ledger reads the files (`rotation/ledger`).
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rotation.ledger.lines import encode

log = logging.getLogger("rotation.journal")

FILE_BYTES = 8 * 1024 * 1024
WAITING_BYTES = 10 * 1024 * 1024
TRIES = 20  # names, before a new file is given up for now
SAY_EVERY = 10.0  # seconds between two lines about the same trouble


class Journal:
    """Appends records to `<boot>-<seq>.jsonl`; holds a lock on the current file so that readers know it is alive."""

    def __init__(self, directory: Path, *, file_bytes: int = FILE_BYTES) -> None:
        self.directory = directory
        self.dropped = 0
        self._boot = f"{int(time.time() * 1000):012x}{os.getpid():08x}"
        self._seq = 0
        self._fd: int | None = None
        self._size = 0
        self._file_bytes = file_bytes
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._said = 0.0

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one record. Never raises for trouble with the disk."""
        line = encode(record)
        if self._waiting:
            self._hold(line)
            self.flush()
            return
        try:
            self._append(line)
        except OSError as error:
            self._hold(line)
            self._complain(error)

    def flush(self) -> bool:
        """Try to write what waits in memory; true when nothing waits any more."""
        while self._waiting:
            try:
                self._append(self._waiting[0])
            except OSError as error:
                self._complain(error)
                return False
            self._waiting_bytes -= len(self._waiting.popleft())
        return True

    def begin_anew(self) -> None:
        """The next line begins another file: this one may go once it has been read."""
        if self._fd is not None and self._size:
            os.close(self._fd)
            self._fd = None

    def close(self) -> None:
        """Write what waits, if it can be written, and let the file go."""
        self.flush()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _append(self, line: bytes) -> None:
        if self._fd is None or self._size + len(line) > self._file_bytes:
            self._next_file()
        assert self._fd is not None
        written = os.write(self._fd, line)
        self._size += written
        if written != len(line):  # the disk filled up in the middle: end the torn line, write it anew elsewhere
            os.close(self._fd)
            self._fd = None
            raise OSError("the disk took only part of a line")

    def _next_file(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        fd = next((found for _ in range(TRIES) if (found := self._locked()) is not None), None)
        if fd is None:
            raise OSError("no journal file could be locked")
        if self._fd is not None:
            os.close(self._fd)
        self._fd, self._size = fd, 0

    def _locked(self) -> int | None:
        """The next file, locked. None when somebody else holds it, a reader who looks or a namesake: never wait."""
        path = self.directory / f"{self._boot}-{self._seq:06d}.jsonl"
        self._seq += 1
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        except OSError:
            os.close(fd)
            raise
        return fd

    def _hold(self, line: bytes) -> None:
        self._waiting.append(line)
        self._waiting_bytes += len(line)
        while self._waiting_bytes > WAITING_BYTES:
            self._waiting_bytes -= len(self._waiting.popleft())
            self.dropped += 1

    def _complain(self, error: OSError) -> None:
        if time.monotonic() - self._said > SAY_EVERY:
            self._said = time.monotonic()
            log.error(
                "journal cannot be written (%s); %d lines wait in memory, %d dropped",
                error,
                len(self._waiting),
                self.dropped,
            )
