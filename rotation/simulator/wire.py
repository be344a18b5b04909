"""One connection as the simulator uses it: read the body, wait, write, break off. ASGI in, bytes and silence out.

Breaking a connection for real needs the transport. `protocol.py` puts it into the scope; under another server
the simulator still runs, and then ends a broken answer by raising, which makes servers close the connection.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Iterable[tuple[str, str]]

TRANSPORT = "rotation.transport"
_LINGER_NOT = struct.pack("ii", 1, 0)  # close with RST, throw unsent bytes away


class ClientGone(Exception):
    """The client closed its connection before the answer was complete."""


class Broken(Exception):
    """The simulator broke the connection on purpose, and no transport was there to do it quietly."""


class BodyTooLarge(Exception):
    """The request body passed the limit; reading stopped there."""


class Line:
    """One HTTP exchange."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._transport: Any = (scope.get("extensions") or {}).get(TRANSPORT)
        self._watch: asyncio.Task[None] | None = None
        self.closed_at: float | None = None  # monotonic seconds

    async def body(self, limit: int) -> bytes:
        """The whole body. Raises BodyTooLarge after `limit` bytes, ClientGone when the client leaves first."""
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.closed_at = time.monotonic()
                raise ClientGone
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise BodyTooLarge(size)
            chunks.append(chunk)
            if not message.get("more_body"):
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def pause(self, seconds: float) -> None:
        """Sleeps wall `seconds`; raises ClientGone the moment the client leaves."""
        if seconds > 0:
            await asyncio.wait((self._watching(),), timeout=seconds)
        self._still_there()

    async def hang(self) -> None:
        """Says nothing more and holds the connection until the client leaves."""
        await self._watching()
        self._still_there()

    async def start(self, status: int, headers: Headers, length: int | None) -> None:
        """The status line and headers; chunked when `length` is None."""
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if length is not None:
            raw.append((b"content-length", str(length).encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def push(self, chunk: bytes, *, more: bool = True) -> None:
        self._still_there()
        await self._send({"type": "http.response.body", "body": chunk, "more_body": more})

    async def write_raw(self, chunk: bytes) -> None:
        """Bytes that are no HTTP at all. Without a transport nothing is written."""
        if self._transport is not None:
            self._transport.write(chunk)

    async def cut(self, *, reset: bool) -> None:
        """Ends the connection where it is: with a TCP reset, or with an ordinary close that leaves the body short."""
        if self._transport is None:
            raise Broken
        await asyncio.sleep(0.005)  # lets what was written be read: a reset may overtake it
        if reset:
            _reset_on_close(self._transport)
            self._transport.abort()
        else:
            self._transport.close()
        await self._watching()
        self.closed_at = None  # our own doing

    async def done(self) -> None:
        """Stops watching for the client. Call it last, whatever happened."""
        if self._watch is not None and not self._watch.done():
            self._watch.cancel()
            await asyncio.wait((self._watch,))

    def _watching(self) -> asyncio.Task[None]:
        if self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._until_disconnect())
        return self._watch

    async def _until_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.closed_at = time.monotonic()

    def _still_there(self) -> None:
        if self._watch is not None and self._watch.done():
            raise ClientGone


def _reset_on_close(transport: Any) -> None:
    """SO_LINGER 0 through a duplicate descriptor: event loops hide the socket itself."""
    descriptor = transport.get_extra_info("socket").fileno()
    twin = socket.socket(fileno=os.dup(descriptor))
    try:
        if twin.family != socket.AF_UNIX:
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    finally:
        twin.close()
