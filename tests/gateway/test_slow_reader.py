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


async def talk_for_ever(writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM)
    while True:
        writer.write(said("and then "))
        await writer.drain()
        await asyncio.sleep(0.01)


def test_a_stream_nobody_reads_is_let_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(door, "READER_PATIENCE", 0.2)
    headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {ALICE}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": headers}
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
