"""Before the first content: bounded in memory and in work, and an honest eye for answers that are meant to be empty."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rotation.core.failures import FailureKind
from rotation.providers.base import Event
from tests.cast import ALICE, Offer, serving, snapshot_of, wait_for
from tests.gateway.asking import chat
from tests.gateway.scripted import DONE, END, STREAM, ask, gate_for, pages, piece, said, upstream


async def empty_deltas_for_ever(writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM)
    while True:
        writer.write(said("") * 200)
        await writer.drain()


def test_a_stream_that_says_nothing_at_length_is_given_up_before_it_fills_the_memory() -> None:
    async def story() -> None:
        async with upstream(empty_deltas_for_ever) as url, gate_for(Offer("generic", "m", base_url=url)) as gate:
            await ask(gate, "20000", stream=True)
            first = pages(gate)[0]["attempts"][0]
            assert first["outcome"] == FailureKind.OVERLOADED
            assert "without saying anything" in first["message"]

    asyncio.run(story())


def test_what_was_read_is_not_looked_at_again_with_every_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event of a long prelude is asked once whether it says something."""
    looked = 0

    class Counted(Event):
        def __getattribute__(self, name: str) -> object:
            nonlocal looked
            looked += name == "failure"
            return object.__getattribute__(self, name)

    async def prelude(writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM)
        for _ in range(300):
            writer.write(said(""))
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(said("hi") + said("", finish_reason="stop") + DONE + END)

    monkeypatch.setattr("rotation.providers.stream.Event", Counted)

    async def story() -> None:
        async with upstream(prelude) as url, gate_for(Offer("generic", "m", base_url=url)) as gate:
            assert (await ask(gate, stream=True))[0] == 200
            assert looked < 300 * 10

    asyncio.run(story())


@pytest.mark.parametrize("end", [DONE + END, END], ids=["with [DONE]", "without"])
def test_an_answer_cut_short_before_its_first_word_is_an_answer(end: bytes) -> None:
    async def nothing_for_want_of_tokens(writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + said("", finish_reason="length") + end)

    async def story() -> None:
        async with upstream(nothing_for_want_of_tokens) as url, gate_for(Offer("generic", "m", base_url=url)) as gate:
            status, body, _ = await ask(gate, stream=True)
            assert status == 200
            assert body.endswith(b"data: [DONE]\n\n")
            assert [a["outcome"] for a in pages(gate)[0]["attempts"]] == ["ok"]

    asyncio.run(story())


def test_an_error_before_the_first_word_is_that_error() -> None:
    async def refused(writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + piece(b'data: {"error": {"message": "slow down", "code": 429}}\n\n') + END)

    async def story() -> None:
        async with upstream(refused) as url, gate_for(Offer("generic", "m", base_url=url)) as gate:
            await ask(gate, "500", stream=True)
            assert pages(gate)[0]["attempts"][0]["outcome"] == FailureKind.RATE_LIMITED

    asyncio.run(story())


def test_a_client_that_hangs_up_at_done_was_answered(tmp_path: Path) -> None:
    """Many do: they do not wait for the connection's end, and some providers take their time to close it."""

    async def lingering(writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + said("hi") + said("", finish_reason="stop") + DONE)
        await writer.drain()
        await asyncio.sleep(1)

    async def until_done(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = str(chat(stream=True)).replace("'", '"').replace("True", "true")
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {ALICE}\r\n"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
        got = b""
        while b"[DONE]" not in got:
            got += await reader.read(65536)
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def story() -> None:
        async with upstream(lingering) as url:
            with serving(snapshot_of("", [Offer("generic", "m", base_url=url)]), tmp_path) as served:
                await until_done(urlsplit(served.url).port or 0)
                await asyncio.to_thread(wait_for, served.records)
                [page] = served.records()
                assert (page["outcome"], page["attempts"][0]["outcome"]) == ("answered", "ok")

    asyncio.run(story())


@pytest.mark.parametrize("cut", [1, 2])
def test_a_last_event_without_its_blank_line_is_passed_on(cut: int) -> None:
    """Some servers end their last line and then the connection; nothing of the answer is missing."""
    last = said("", finish_reason="stop").split(b"\r\n")[1][:-cut]

    async def abrupt(writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + said("hi") + piece(last) + END)

    async def story() -> None:
        async with upstream(abrupt) as url, gate_for(Offer("generic", "m", base_url=url)) as gate:
            _, body, _ = await ask(gate, stream=True)
            assert body.endswith(b'"stop"}]}\n\ndata: [DONE]\n\n')
            assert pages(gate)[0]["outcome"] == "answered"

    asyncio.run(story())


def test_a_last_event_cut_in_the_middle_is_no_end() -> None:
    last = said("", finish_reason="stop").split(b"\r\n")[1][:-12]

    async def abrupt(writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + said("hi") + piece(last) + END)

    async def story() -> None:
        async with upstream(abrupt) as url, gate_for(Offer("generic", "m", base_url=url)) as gate:
            _, body, _ = await ask(gate, stream=True)
            assert b"[DONE]" not in body
            assert b"upstream_incomplete" in body

    asyncio.run(story())
