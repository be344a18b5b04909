"""The only place that opens a socket to a provider.

httpx2's transport interface over aiohttp, called at transport level: no client object, no redirects, no proxies
from the environment, no cookies. Broken wires become a `Failure` here and nowhere else (`WireError`).
"""

from __future__ import annotations

import ssl
import time
import zlib
from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import aiohttp
import httpx2
from httpx_aiohttp.httpx2 import AiohttpTransport

from rotation.core.failures import Failure, FailureKind
from rotation.gateway.resolving import Judged
from rotation.gateway.wires import WireError, wire_error
from rotation.providers.base import Outgoing

BODY_CAP = 32 * 1024 * 1024
STREAM_CAP = 64 * 1024 * 1024
KEEP_ALIVE = 30.0  # seconds an idle connection is kept; providers close theirs after 60 and more

connected_at: ContextVar[list[float] | None] = ContextVar("connected_at", default=None)


@dataclass(slots=True)
class Response:
    """An answer whose headers have come: status, lower-case headers, and a body to be read once."""

    status: int
    headers: Mapping[str, str]
    raw: httpx2.Response = field(repr=False)
    connect_ms: float | None = None

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes, decompressed. Raises `WireError`."""
        inflate = _inflater(self.headers.get("content-encoding", ""))
        try:
            async for chunk in self.raw.stream:  # type: ignore[union-attr]  # the aiohttp transport's stream is async
                yield inflate(chunk) if inflate else chunk
        except (httpx2.HTTPError, aiohttp.ClientError, OSError, zlib.error) as error:
            raise wire_error(error) from None

    async def read(self, cap: int = BODY_CAP) -> bytes:
        """The whole body, at most `cap` bytes of it decompressed. Raises `WireError`."""
        found, size = [], 0
        async for chunk in self.chunks():
            found.append(chunk)
            size += len(chunk)
            if size > cap:
                raise WireError(Failure(FailureKind.OVERLOADED, f"answered more than {cap // 2**20} MiB"))
        return b"".join(found)

    async def close(self) -> None:
        """Give the connection back, or close it when the body was not read to its end."""
        try:
            await self.raw.aclose()
        except (httpx2.HTTPError, aiohttp.ClientError, OSError):
            return  # it was broken already: there is nothing left to close


def _inflater(encoding: str) -> Any:
    """A bounded decompressor for one body; we ask for none, but some servers compress all the same."""
    if encoding.strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        return None
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)
    return lambda chunk: inflate.decompress(chunk, BODY_CAP + 1)


@lru_cache(maxsize=1024)
def _url(url: str) -> httpx2.URL:
    return httpx2.URL(url)


@lru_cache(maxsize=1)
def tls() -> ssl.SSLContext:
    """One TLS context per process: making one costs 17 ms."""
    return ssl.create_default_context()


class Upstream:
    """Sends requests from one event loop. Make one per loop; `close` it there."""

    def __init__(self, resolver: Judged | None = None) -> None:
        self.resolver = resolver or Judged()
        self._transport: AiohttpTransport | None = None

    async def send(self, out: Outgoing, *, connect: float, request: str = "") -> Response:
        """Send and wait for the answer's headers; the provider is told the `request` id. Raises `WireError`.

        A kept-alive connection that the server closed while we wrote is tried once more on another one:
        no byte of an answer had come, and a completion may safely be asked for twice.
        """
        try:
            return await self._send(out, connect, request)
        except WireError as error:
            if not error.clean:
                raise
        return await self._send(out, connect, request)

    async def _send(self, out: Outgoing, connect: float, request: str) -> Response:
        moments: list[float] = []
        token = connected_at.set(moments)
        started = time.perf_counter()
        try:
            raw = await self._open().handle_async_request(_request(out, connect, request))
        except (httpx2.HTTPError, httpx2.InvalidURL, aiohttp.ClientError, OSError, ValueError) as error:
            raise wire_error(error, reused=not moments) from None
        finally:
            connected_at.reset(token)
        seen = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in raw.headers.raw}
        return Response(raw.status_code, seen, raw, (moments[0] - started) * 1000 if moments else 0.0)

    def _open(self) -> AiohttpTransport:
        if self._transport is None:
            connector = aiohttp.TCPConnector(
                limit=0, ttl_dns_cache=60, keepalive_timeout=KEEP_ALIVE, ssl=tls(), resolver=self.resolver
            )
            session = aiohttp.ClientSession(
                connector=connector,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[_trace()],
                skip_auto_headers=("accept", "accept-encoding", "user-agent", "content-type"),
            )
            self._transport = AiohttpTransport(verify=tls(), trust_env=False, client=session)
        return self._transport

    async def close(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None


def _request(out: Outgoing, connect: float, request: str) -> httpx2.Request:
    headers = [*out.headers.items(), ("x-request-id", request)] if request else list(out.headers.items())
    times = {"connect": connect, "pool": connect}  # the latter bounds the name's resolution too
    content = out.stream.pieces() if out.stream is not None else out.body or None
    return httpx2.Request(out.method, _url(out.url), headers=headers, content=content, extensions={"timeout": times})


def _trace() -> aiohttp.TraceConfig:
    """Notes when a new connection stood; a reused one costs nothing and leaves no mark."""
    trace = aiohttp.TraceConfig()

    async def made(_session: aiohttp.ClientSession, _context: SimpleNamespace, _params: object) -> None:
        if (moments := connected_at.get()) is not None:
            moments.append(time.perf_counter())

    trace.on_connection_create_end.append(made)
    return trace
