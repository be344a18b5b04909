"""A client that stops reading without hanging up does not hold a provider's connection for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from rotation.gateway import door
from rotation.gateway.door import Door
from tests.cast import ALICE, FixedLife, Offer, nothing_else, snapshot_of
from tests.gateway.asking import chat
from tests.gateway.scripted import STREAM, said, upstream

HEADERS = [(b"host", b"localhost"), (b"authorization", f"Bearer {ALICE}".encode())]


async def talk_for_ever(writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM)
    while True:
        writer.write(said("and then "))
        await writer.drain()
        await asyncio.sleep(0.01)


def test_a_stream_nobody_reads_is_let_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(door, "READER_PATIENCE", 0.2)
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": HEADERS}
    asked = [{"type": "http.request", "body": orjson.dumps(chat(stream=True)), "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        return asked.pop() if asked else await asyncio.Event().wait()

    async def send(told: Any) -> None:
        sent.append(told)
        if len(sent) == 3:
            await asyncio.Event().wait()  # its buffers are full, and nobody empties them

    async def story() -> None:
        async with upstream(talk_for_ever) as url:
            life = FixedLife(snapshot_of("", [Offer("generic", "m", base_url=url)]), tmp_path)
            await life.start()
            async with asyncio.timeout(10):
                await Door(nothing_else, life)(scope, receive, send)
            assert len(sent) == 3
            assert b'"cancelled"' in b"".join(path.read_bytes() for path in tmp_path.glob("*.jsonl"))
            await life.stop()

    asyncio.run(story())


def test_a_stream_that_outlives_the_server_s_patience_ends_with_an_error_event(tmp_path: Any) -> None:
    """What uvicorn does when the time for running streams is over: it cancels them."""
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": HEADERS}
    asked = [{"type": "http.request", "body": orjson.dumps(chat(stream=True)), "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        return asked.pop() if asked else await asyncio.Event().wait()

    flows = asyncio.Event()

    async def send(told: Any) -> None:
        sent.append(told)
        if len(sent) == 3:
            flows.set()

    async def story() -> None:
        async with upstream(talk_for_ever) as url:
            life = FixedLife(snapshot_of("", [Offer("generic", "m", base_url=url)]), tmp_path)
            await life.start()
            serving = asyncio.create_task(Door(nothing_else, life)(scope, receive, send))
            await flows.wait()
            serving.cancel()
            await serving
            assert b'"code":"gateway_stopping"' in sent[-2]["body"]
            assert sent[-1] == {"type": "http.response.body", "body": b""}
            assert not any(b"[DONE]" in told.get("body", b"") for told in sent)
            await life.stop()

    asyncio.run(story())
