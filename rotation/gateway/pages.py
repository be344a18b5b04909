"""Hands everything that is not a call on to the dashboard's process, over its unix socket, as it comes.

Bodies are streamed both ways; a client that hangs up ends the request over there too. One connection a page: a page
is worth 0.1 ms, and there is no pool to leak. It never looks inside what it carries.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import aiohttp
from yarl import URL

from rotation.asgi_words import Receive, Scope, Send

Headers = Iterable[tuple[bytes, bytes]]

OF_ONE_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
FORWARDED = frozenset(
    {b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port"}
)
OURS = frozenset({b"date", b"server"})  # our own server says these
AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
PATIENCE = aiohttp.ClientTimeout(total=None, sock_connect=5)
LONGEST_HEADER = 64 * 1024
STARTING = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>Rotation is starting</title>
</head><body><h1>The pages are starting</h1><p>Calls under /v1 are answered already. This page tries again by itself;
if it stays like this, look into the dashboard's log.</p></body></html>
"""


class ClientGone(Exception):
    """The browser hung up before its request was whole."""


class Upload:
    """The request's body, read as the other side takes it; afterwards a watch on the client."""

    def __init__(self, receive: Receive, headers: Headers) -> None:
        self.receive = receive
        names = {name for name, _ in headers}
        self.expected = bool(names & {b"content-length", b"transfer-encoding"})
        self.whole = asyncio.Event()

    async def chunks(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            more = message.get("more_body", False)
            if chunk := message.get("body", b""):
                yield chunk
        self.whole.set()

    async def hung_up(self) -> None:
        """Returns when the client is gone. Only one may listen at a time, so the body comes first."""
        if self.expected:
            await self.whole.wait()
        while (await self.receive())["type"] != "http.disconnect":
            pass


class PageForwarder:
    """ASGI application; `socket` is the path of the dashboard's unix socket."""

    def __init__(self, socket: str) -> None:
        self.socket = socket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        upload = Upload(receive, scope["headers"])
        answer = asyncio.create_task(self._answer(scope, upload, send))
        gone = asyncio.create_task(upload.hung_up())
        try:
            await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            answer.cancel()  # does nothing to one that is done
            await asyncio.wait({answer, gone})
        if not answer.cancelled():
            answer.result()

    async def _answer(self, scope: Scope, upload: Upload, send: Send) -> None:
        started = False
        try:
            async with (
                self._session() as session,
                session.request(
                    scope["method"],
                    address(scope),
                    headers=outgoing(scope),
                    data=upload.chunks() if upload.expected else None,
                    allow_redirects=False,
                ) as reply,
            ):
                started = True
                await send(
                    {"type": "http.response.start", "status": reply.status, "headers": incoming(reply.raw_headers)}
                )
                async for chunk in reply.content.iter_any():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (aiohttp.ClientError, OSError):
            if started:
                raise  # half a page is out: only a broken connection tells the browser so
            await say_starting(send)

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(self.socket, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=AUTOMATIC,
            timeout=PATIENCE,
            max_line_size=LONGEST_HEADER,
            max_field_size=LONGEST_HEADER,
        )


def address(scope: Scope) -> URL:
    """The path and query as the client wrote them."""
    path = scope.get("raw_path") or scope["path"].encode()
    path = path if path.startswith(b"/") else b"/" + path
    query = scope["query_string"]
    return URL.build(
        scheme="http", host="dashboard", path=path.decode("latin-1"), query_string=query.decode("latin-1"), encoded=True
    )


def outgoing(scope: Scope) -> list[tuple[str, str]]:
    """The client's headers, with our own word on who it is: what it says about that itself is not passed on."""
    kept = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"] if n not in OF_ONE_HOP | FORWARDED]
    client = scope.get("client")
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    told = [("x-forwarded-for", client[0] if client else ""), ("x-forwarded-proto", scope.get("scheme", "http"))]
    return [*kept, *((name, value) for name, value in [*told, ("x-forwarded-host", host)] if value)]


def incoming(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in headers if name.lower() not in OF_ONE_HOP | OURS]


async def say_starting(send: Send) -> None:
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(STARTING)).encode()),
        (b"cache-control", b"no-store"),
        (b"retry-after", b"2"),
    ]
    await send({"type": "http.response.start", "status": 502, "headers": headers})
    await send({"type": "http.response.body", "body": STARTING, "more_body": False})
