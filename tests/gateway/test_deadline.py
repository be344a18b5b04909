"""A caller's short deadline is the caller's affair: it ends the call, and is held against nobody."""

from __future__ import annotations

import asyncio

import pytest

from rotation.core.failures import FailureKind
from rotation.core.policy import policy_from
from tests.cast import Offer
from tests.gateway.scripted import STREAM, ask, gate_for, pages, said, upstream


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


async def one_word_and_silence(writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM + said("once"))
    await writer.drain()
    await asyncio.sleep(5)


@pytest.mark.parametrize("stream", [False, True])
def test_calls_with_short_deadlines_open_no_breaker(stream: bool) -> None:
    async def story() -> None:
        async with upstream(silence) as url, gate_for(Offer("generic", "m", base_url=url)) as gate:
            for _ in range(6):
                status, body, refusal = await ask(gate, "40", stream=stream)
                assert (status, body["error"]["code"]) == (504, "deadline_exceeded"), refusal
            assert not pages(gate, "breaker")
            assert [p["attempts"][0]["outcome"] for p in pages(gate)] == [FailureKind.CANCELLED] * 6
            assert gate.health.standing(gate.snapshot.targets[1][0]).state == "ready"

    asyncio.run(story())


def test_a_deadline_in_mid_stream_is_named_and_blames_nobody() -> None:
    async def story() -> None:
        async with upstream(one_word_and_silence) as url, gate_for(Offer("generic", "m", base_url=url)) as gate:
            for _ in range(6):
                _, body, _ = await ask(gate, "150", stream=True)
                assert b"[DONE]" not in body
                assert b"deadline_exceeded" in body
            assert {p["outcome"] for p in pages(gate)} == {"interrupted"}
            assert not pages(gate, "breaker")

    asyncio.run(story())


def test_a_target_that_uses_up_its_own_time_is_blamed_as_before() -> None:
    policy = policy_from("balanced", {"first_content_cap": 0.05, "first_content_floor": 0.05, "max_attempts": 1})

    async def story() -> None:
        async with upstream(silence) as url, gate_for(Offer("generic", "m", base_url=url), policy=policy) as gate:
            await ask(gate, "5000", stream=True)
            assert pages(gate)[0]["attempts"][0]["outcome"] == FailureKind.TIMED_OUT

    asyncio.run(story())


def test_a_pool_may_allow_its_calls_less_time_in_all() -> None:
    policy = policy_from("balanced", {"total": 0.1})

    async def story() -> None:
        async with upstream(silence) as url, gate_for(Offer("generic", "m", base_url=url), policy=policy) as gate:
            status, body, _ = await ask(gate)
            assert (status, body["error"]["code"]) == (504, "deadline_exceeded")
            assert pages(gate)[0]["total_ms"] < 3000

    asyncio.run(story())
