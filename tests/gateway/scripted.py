"""Upstreams that do exactly what a test says, byte by byte, and gates in front of them without server or database."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from rotation.gateway import accept
from rotation.gateway.clients import Client
from rotation.gateway.envelope import Refusal
from rotation.gateway.gate import Gate
from rotation.gateway.journal import Journal
from rotation.gateway.reply import Whole
from rotation.ledger.lines import decode
from tests.cast import Offer, snapshot_of
from tests.gateway.asking import chat

ME = Client(1, "me")
NOWHERE = "http://127.0.0.1:1/v1"  # nobody listens there
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"

Play = Callable[[asyncio.StreamWriter], Awaitable[None]]


def said(text: str, **more: Any) -> bytes:
    """One chunk of a stream, on the wire."""
    choice = {"index": 0, "delta": {"content": text}, **more}
    event = {"id": "1", "object": "chat.completion.chunk", "choices": [choice]}
    return piece(b"data: " + json.dumps(event).encode() + b"\n\n")


def piece(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


DONE = piece(b"data: [DONE]\n\n")


def whole(body: Any, status: int = 200) -> bytes:
    """A JSON reply."""
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} OK\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n"
    return head.encode() + b"connection: close\r\n\r\n" + data


def message(text: str = "hello") -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


@asynccontextmanager
async def upstream(play: Play) -> AsyncIterator[str]:
    """A provider on a free port that plays this for every request, then closes; yields its base URL."""

    playing: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _request(reader)
            await play(writer)
            await writer.drain()
        writer.close()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        playing.add(task)
        task.add_done_callback(playing.discard)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
        for task in playing:
            task.cancel()
        await asyncio.gather(*playing)
        await asyncio.sleep(0.01)  # connections say goodbye on the loop


async def _request(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    await reader.readexactly(int(lengths[0]) if lengths else 0)


@asynccontextmanager
async def gate_for(*offers: Offer, url: str = "", **more: Any) -> AsyncIterator[Gate]:
    """A gate over these offers, with a journal of its own."""
    with tempfile.TemporaryDirectory(prefix="rotation-gate-") as folder:
        gate = Gate(snapshot_of(url, offers, **more), Journal(Path(folder)))
        try:
            yield gate
        finally:
            await gate.close()


async def ask(
    gate: Gate, deadline: str | None = None, *, told: Mapping[str, str] | None = None, **more: Any
) -> tuple[int, Any, Refusal | None]:
    """Status, body and, where the call was turned down, the refusal."""
    try:
        headers = {**({"x-deadline-ms": deadline} if deadline else {}), **(told or {})}
        reply = await accept.chat(gate, ME, orjson.dumps(chat(**more)), headers)
    except Refusal as refusal:
        return refusal.status, orjson.loads(refusal.body()), refusal
    if isinstance(reply, Whole):
        return reply.status, orjson.loads(reply.body), None
    return reply.status, b"".join([chunk async for chunk in reply.chunks]), None


def pages(gate: Gate, kind: str = "call") -> list[Any]:
    """What its journal holds of one kind."""
    lines = [line for path in sorted(gate.journal.directory.glob("*.jsonl")) for line in path.read_bytes().splitlines()]
    found = [decode(line) for line in lines]
    return [record for record in found if not isinstance(record, dict) or record["t"] == kind]
