"""Broken wires: what is tried once more on another connection, what is not, and how long a connection may take."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from rotation.core.failures import FailureKind
from rotation.core.policy import policy_from
from tests.cast import Offer
from tests.gateway.scripted import ask, gate_for, message, pages, whole

ANSWER = whole(message()).replace(b"connection: close\r\n", b"")


def reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def close(writer: asyncio.StreamWriter) -> None:
    writer.close()


@asynccontextmanager
async def server(answers: int, end: Any) -> AsyncIterator[tuple[str, list[int]]]:
    """Answers so often on its first connection, ends that one as the next request comes, and is well from then on."""
    requests: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(0)
        mine, first = len(requests) - 1, len(requests) == 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await reader.read(65536)
                requests[mine] += 1
                if first and requests[mine] > answers:
                    end(writer)
                    return
                writer.write(ANSWER)
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1", requests
    finally:
        listener.close()


@pytest.mark.parametrize("end", [reset, close])
def test_a_kept_connection_that_was_closed_meanwhile_costs_nothing(end: Any) -> None:
    async def story() -> None:
        async with server(1, end) as (url, requests), gate_for(Offer("generic", "m", base_url=url)) as gate:
            assert (await ask(gate))[0] == 200
            assert (await ask(gate, "900"))[0] == 200
            assert [len(p["attempts"]) for p in pages(gate)] == [1, 1]
            assert requests == [2, 1]
        await asyncio.sleep(0.01)

    asyncio.run(story())


@pytest.mark.parametrize("end", [reset, close])
def test_a_new_connection_that_is_closed_without_an_answer_is_a_failed_attempt(end: Any) -> None:
    """Whoever breaks down over a request is not sent it twice behind everybody's back."""

    async def story() -> None:
        async with server(0, end) as (url, requests), gate_for(Offer("generic", "m", base_url=url)) as gate:
            await ask(gate, "500")
            assert pages(gate)[0]["attempts"][0]["outcome"] == FailureKind.OVERLOADED
            assert requests == [1]
        await asyncio.sleep(0.01)

    asyncio.run(story())


def test_a_name_that_does_not_resolve_in_time_is_no_connection() -> None:
    policy = policy_from("balanced", {"connect_timeout": 0.1, "patience": 0.0})

    async def never(*_: Any, **__: Any) -> Any:
        await asyncio.sleep(60)

    async def story() -> None:
        async with gate_for(Offer("generic", "m", base_url="http://slow.example/v1"), policy=policy) as gate:
            asyncio.get_running_loop().getaddrinfo = never  # type: ignore[method-assign]  # a resolver that hangs
            await ask(gate, "5000")
            assert pages(gate)[0]["attempts"][0]["outcome"] == FailureKind.UNREACHABLE

    asyncio.run(story())
