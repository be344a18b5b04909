"""A file kept on disk while a call needs it: written while it comes, read again for every attempt.

It has no name in the file system, so nothing is left of it when it is closed or the process dies. Disk is touched in
other threads only. It knows nothing of forms or audio.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from collections.abc import AsyncIterator
from pathlib import Path

WRITE_AT_ONCE = 1024 * 1024  # bytes gathered before the disk is troubled
READ_AT_ONCE = 256 * 1024


class Spool:
    """Bytes on disk. `size` counts what has been put in; `close` it whatever happens."""

    def __init__(self, folder: Path) -> None:
        self.size = 0
        self._folder = folder
        self._gathered: list[bytes] = []
        self._waiting = 0
        self._file: int | None = None
        self._closed = False
        self._lock = threading.Lock()  # a cancelled call closes the file while a thread may still be writing to it

    def put(self, piece: bytes) -> None:
        """Take a piece in; `drain` brings it to the disk."""
        self._gathered.append(piece)
        self.size += len(piece)
        self._waiting += len(piece)

    async def drain(self, *, all_of_it: bool = False) -> None:
        """Write what has gathered once it is worth it. Raises OSError when the disk is full."""
        if self._waiting >= WRITE_AT_ONCE or (all_of_it and self._waiting):
            gathered, self._gathered, self._waiting = self._gathered, [], 0
            await asyncio.to_thread(self._write, b"".join(gathered))

    def _write(self, data: bytes) -> None:
        with self._lock:
            if self._closed:
                return
            if self._file is None:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._file = _nameless(self._folder)
            left = memoryview(data)
            while left:
                left = left[os.write(self._file, left) :]

    async def pieces(self) -> AsyncIterator[bytes]:
        """All of it from the start; any number of times. Raises ValueError once it is closed."""
        at = 0
        while at < self.size:
            piece = await asyncio.to_thread(self._read, at)
            at += len(piece)
            yield piece

    async def head(self, length: int) -> bytes:
        """The first bytes."""
        return (await asyncio.to_thread(self._read, 0))[:length] if self.size else b""

    def _read(self, at: int) -> bytes:
        with self._lock:
            if self._closed or self._file is None:
                raise ValueError("the file is closed")
            piece = os.pread(self._file, READ_AT_ONCE, at)
            if not piece:
                raise ValueError("the file is shorter than what was put in")
            return piece

    def close(self) -> None:
        """Let the disk space go. Twice is harmless."""
        with self._lock:
            self._closed = True
            self._gathered = []
            if self._file is not None:
                os.close(self._file)
                self._file = None

    @property
    def closed(self) -> bool:
        return self._closed


def _nameless(folder: Path) -> int:
    """A descriptor of a new file that has lost its name already."""
    descriptor, name = tempfile.mkstemp(prefix="upload-", dir=folder)
    os.unlink(name)  # noqa: PTH108 - the name is text, and this is the moment it goes
    return descriptor
