"""Every way a wire can break, against a server that does exactly what it is told, byte by byte."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import trustme

from rotation.core.failures import FailureKind
from rotation.core.targets import Provider
from rotation.gateway.upstream import BODY_CAP, Response, Upstream
from rotation.gateway.wires import WireError
from rotation.providers.base import Outgoing

OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nhi"
BODY = b'{"say": "hello"}'
MEBI = 2**20


@dataclass
class Wire:
    """One connection of the server's: `heads` are the requests that came, as text."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    heads: list[str] = field(default_factory=list)

    async def request(self) -> str:
        """The next request, body and all; its head."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next((line for line in head.split("\r\n") if line.startswith("content-length:")), "content-length: 0")
        await self.reader.readexactly(int(length.split(":")[1]))
        self.heads.append(head)
        return head

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


Play = Callable[[Wire], Awaitable[None]]


@dataclass
class Server:
    port: int
    wires: list[Wire]

    @property
    def heads(self) -> list[str]:
        return [head for wire in self.wires for head in wire.heads]


@asynccontextmanager
async def server(play: Play, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A listener that plays this for every connection, then closes it."""
    wires: list[Wire] = []
    playing: set[asyncio.Task[None]] = set()

    async def serve(wire: Wire) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await play(wire)
        wire.writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await wire.writer.wait_closed()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wires.append(Wire(reader, writer, len(wires)))
        task = asyncio.create_task(serve(wires[-1]))
        playing.add(task)
        task.add_done_callback(playing.discard)

    listener = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=tls)
    try:
        yield Server(listener.sockets[0].getsockname()[1], wires)
    finally:
        listener.close()
        for task in list(playing):
            task.cancel()
        await asyncio.gather(*playing, return_exceptions=True)


@asynccontextmanager
async def client() -> AsyncIterator[Upstream]:
    upstream = Upstream()
    try:
        yield upstream
    finally:
        await upstream.close()
        await asyncio.sleep(0.01)  # transports say goodbye on the loop


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def to(port: int, *, scheme: str = "http", host: str = "127.0.0.1") -> Outgoing:
    headers = {"authorization": "Bearer sk-secret", "content-type": "application/json"}
    return Outgoing("POST", f"{scheme}://{host}:{port}/v1/chat", headers, BODY)


async def got(upstream: Upstream, port: int, **how: Any) -> tuple[int, bytes]:
    response = await upstream.send(to(port, **how), connect=5, request="req-1")
    try:
        return response.status, await response.read()
    finally:
        await response.close()


async def broken(sending: Awaitable[Any], kind: FailureKind, words: str) -> WireError:
    with pytest.raises(WireError) as caught:
        await sending
    assert caught.value.failure.kind is kind
    assert words in caught.value.failure.message
    assert "127.0.0.1" not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


async def greet(wire: Wire) -> None:
    """Answers everything, and keeps the connection."""
    while True:
        await wire.request()
        await wire.say(OK)


# what is sent


def test_what_is_sent_is_what_the_adapter_wrote_and_the_requests_id() -> None:
    async def story() -> None:
        async with server(greet) as there, client() as upstream:
            assert await got(upstream, there.port) == (200, b"hi")
            [head] = there.heads
            names = {line.split(":")[0] for line in head.split("\r\n")[1:] if line}
            assert names == {"host", "authorization", "content-type", "content-length", "x-request-id"}
            assert head.startswith("post /v1/chat http/1.1")
            assert "x-request-id: req-1" in head

    run(story)


def test_a_connection_is_kept_and_only_the_first_call_pays_for_it() -> None:
    async def story() -> None:
        async with server(greet) as there, client() as upstream:
            took = []
            for _ in range(3):
                response = await upstream.send(to(there.port), connect=5)
                assert response.headers["content-type"] == "text/plain"
                took.append(response.connect_ms)
                await response.read()
                await response.close()
            assert len(there.wires) == 1
            assert took[0] is not None
            assert took[0] > 0
            assert took[1:] == [0.0, 0.0]

    run(story)


def test_no_cookie_is_kept() -> None:
    async def play(wire: Wire) -> None:
        while True:
            await wire.request()
            await wire.say(OK.replace(b"\r\n\r\n", b"\r\nset-cookie: a=b; path=/\r\n\r\n", 1))

    async def story() -> None:
        async with server(play) as there, client() as upstream:
            for _ in range(2):
                await got(upstream, there.port)
            assert not any("cookie" in head for head in there.heads)

    run(story)


def test_the_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with server(greet) as there, server(greet) as proxy, client() as upstream:
            for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            monkeypatch.delenv("no_proxy", raising=False)
            monkeypatch.delenv("NO_PROXY", raising=False)
            assert (await got(upstream, there.port))[0] == 200
            assert proxy.wires == []

    run(story)


def test_a_redirect_is_an_answer_and_the_key_does_not_travel() -> None:
    async def story() -> None:
        async with server(greet) as canary, client() as upstream:
            moved = f"HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:{canary.port}/\r\ncontent-length: 0\r\n\r\n"

            async def play(wire: Wire) -> None:
                await wire.request()
                await wire.say(moved.encode())

            async with server(play) as there:
                assert await got(upstream, there.port) == (307, b"")
            assert canary.wires == []

    run(story)


# nobody there


def test_a_refused_connection_is_unreachable() -> None:
    async def story() -> None:
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            async with client() as upstream:
                await broken(got(upstream, deaf.getsockname()[1]), FailureKind.UNREACHABLE, "no connection")

    run(story)


def test_a_name_that_is_none_is_unreachable() -> None:
    async def story() -> None:
        async with client() as upstream:
            asked = got(upstream, 443, scheme="https", host="provider.invalid")
            await broken(asked, FailureKind.UNREACHABLE, "")  # the resolver says no, or nothing in time

    run(story)


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:99999/v1", "ftp://127.0.0.1/", "/v1", "http://"])
def test_an_address_that_is_none_is_unreachable(url: str) -> None:
    async def story() -> None:
        async with client() as upstream:
            sending = upstream.send(Outgoing("POST", url, {}, BODY), connect=5)
            await broken(sending, FailureKind.UNREACHABLE, "not a valid URL")

    run(story)


def test_a_connection_that_does_not_stand_in_time_is_unreachable() -> None:
    """The port accepts, but nobody speaks TLS there: the handshake is part of connecting."""

    async def play(wire: Wire) -> None:
        await asyncio.sleep(60)

    async def story() -> None:
        async with server(play) as there, client() as upstream:
            sending = upstream.send(to(there.port, scheme="https"), connect=0.1)
            await broken(sending, FailureKind.UNREACHABLE, "in time")

    run(story)


def test_a_certificate_of_nobody_we_know_is_unreachable_and_the_key_is_not_sent() -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost", "127.0.0.1").configure_cert(tls)

    async def story() -> None:
        async with server(greet, tls) as there, client() as upstream:
            upstream.resolver.adopt([Provider(1, "ours", "generic", "https://localhost/v1")])
            sending = got(upstream, there.port, scheme="https", host="localhost")
            await broken(sending, FailureKind.UNREACHABLE, "certificate")
            assert there.heads == []

    run(story)


def test_a_server_that_speaks_no_tls_is_unreachable() -> None:
    async def play(wire: Wire) -> None:
        await wire.say(b"HTTP/1.1 400 plain HTTP here\r\n\r\n")

    async def story() -> None:
        async with server(play) as there, client() as upstream:
            await broken(got(upstream, there.port, scheme="https"), FailureKind.UNREACHABLE, "TLS")

    run(story)


# connections that close


def test_a_kept_connection_that_was_closed_meanwhile_is_replaced_unnoticed() -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.say(OK)
        if wire.number == 0:
            await wire.request()
            return  # closed without a byte, as a server does whose keep-alive has just run out
        await wire.request()

    async def story() -> None:
        async with server(play) as there, client() as upstream:
            assert (await got(upstream, there.port))[0] == 200
            assert (await got(upstream, there.port))[0] == 200
            assert [len(wire.heads) for wire in there.wires] == [2, 1]

    run(story)


def test_a_new_connection_that_is_closed_without_an_answer_is_not_tried_again() -> None:
    async def play(wire: Wire) -> None:
        await wire.request()

    async def story() -> None:
        async with server(play) as there, client() as upstream:
            await broken(got(upstream, there.port), FailureKind.OVERLOADED, "without an answer")
            assert len(there.heads) == 1

    run(story)


def test_a_replaced_connection_that_is_closed_too_is_the_end_of_it() -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        if wire.number == 0:
            await wire.say(OK)
            await wire.request()

    async def story() -> None:
        async with server(play) as there, client() as upstream:
            await got(upstream, there.port)
            await broken(got(upstream, there.port), FailureKind.OVERLOADED, "without an answer")
            assert [len(wire.heads) for wire in there.wires] == [2, 1]

    run(story)


@pytest.mark.parametrize("status", [b"200 OK", b"500 no"])
def test_an_answer_that_has_begun_is_not_asked_for_again(status: bytes) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 " + status + b"\r\ncontent-length: 100\r\n\r\nonly this")

    async def story() -> None:
        async with server(play) as there, client() as upstream:
            await broken(got(upstream, there.port), FailureKind.OVERLOADED, "in the middle")
            assert len(there.heads) == 1

    run(story)


def test_a_chunked_answer_without_its_end_is_broken_off() -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")

    async def story() -> None:
        async with server(play) as there, client() as upstream:
            await broken(got(upstream, there.port), FailureKind.OVERLOADED, "in the middle")

    run(story)


GARBAGE = [
    b"\x00\xff\xfe garbage\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 two hundred\r\n\r\n", b"<html>\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\nhello\r\n0\r\n\r\n",
]  # fmt: skip


@pytest.mark.parametrize("data", GARBAGE, ids=lambda data: repr(data[:24]))
def test_what_is_no_http_is_a_fault_of_the_deployment(data: bytes) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.say(data)

    async def story() -> None:
        async with server(play) as there, client() as upstream:
            await broken(got(upstream, there.port), FailureKind.OVERLOADED, "")

    run(story)


# bodies


def replying(body: bytes, *headers: str) -> Play:
    async def play(wire: Wire) -> None:
        while True:
            await wire.request()
            lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
            await wire.say("\r\n".join(lines).encode() + body)

    return play


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "GZIP": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes,
}  # fmt: skip


@pytest.mark.parametrize("encoding", PACKED)
def test_a_compressed_body_is_opened(encoding: str) -> None:
    async def story() -> None:
        body = PACKED[encoding](b"hello" * 1000)
        async with server(replying(body, f"Content-Encoding: {encoding}")) as there, client() as upstream:
            assert await got(upstream, there.port) == (200, b"hello" * 1000)

    run(story)


@pytest.mark.parametrize("body", [b"not gzip at all", b"\x1f\x8b\x08\x00" + b"\x00" * 30], ids=["text", "torn"])
def test_a_body_that_is_not_what_it_says_is_a_fault(body: bytes) -> None:
    async def story() -> None:
        async with server(replying(body, "Content-Encoding: gzip")) as there, client() as upstream:
            await broken(got(upstream, there.port), FailureKind.OVERLOADED, "")

    run(story)


def test_a_small_body_that_would_grow_without_bounds_is_cut_off() -> None:
    bomb = gzip.compress(b"\0" * (4 * BODY_CAP))

    async def story() -> None:
        async with server(replying(bomb, "Content-Encoding: gzip")) as there, client() as upstream:
            await broken(got(upstream, there.port), FailureKind.OVERLOADED, f"more than {BODY_CAP // MEBI} MiB")

    run(story)


def test_a_body_beyond_the_cap_is_not_read_to_its_end() -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            await wire.say(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")

    async def story() -> None:
        async with server(play) as there, client() as upstream:
            response: Response = await upstream.send(to(there.port), connect=5)
            await broken(response.read(cap=MEBI), FailureKind.OVERLOADED, "more than 1 MiB")
            await response.close()

    run(story)
