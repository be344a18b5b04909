"""A model that is gone: the nearest living ones are named, and only where the operator wants it one answers instead."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from rotation.core.failures import FailureKind
from rotation.core.selection import NEVER
from rotation.gateway import accept, models
from rotation.gateway.clients import Client
from rotation.gateway.envelope import Refusal
from rotation.gateway.gate import Gate
from rotation.gateway.snapshot import Block
from tests.cast import Offer
from tests.gateway.asking import chat
from tests.gateway.scripted import ME, ask, gate_for, message, pages, upstream, whole

OLD, NEW, OTHER = "llama-3.1-70b-instruct", "llama-3.3-70b-instruct", "gpt-4o-mini"
AWAY = whole({"error": {"message": "The model does not exist", "code": "model_not_found"}}, 404)


def gone(gate: Gate, *deployments: int, successor: bool = False) -> None:
    """As the next configuration tells of them."""
    blocks = [Block(f"deployment:{i}", NEVER, FailureKind.MODEL_GONE, "gone: it said so") for i in deployments]
    switches = {"answer_from_successor": True} if successor else {}
    gate.adopt(replace(gate.snapshot, blocks=blocks, switches=switches))


async def answers(writer: asyncio.StreamWriter) -> None:
    writer.write(whole(message("it works")))


def offers(url: str) -> tuple[Offer, ...]:
    return tuple(Offer("generic", model, base_url=url) for model in (OLD, NEW, OTHER))


async def replied(gate: Gate, model: str, client: Client = ME, **more: Any) -> Mapping[str, str]:
    return (await accept.chat(gate, client, orjson.dumps(chat(model, **more)))).headers


@pytest.mark.parametrize("name", [OLD, f"sim-generic/{OLD}", f"{OLD}:fastest"])
def test_a_model_that_is_gone_is_a_404_that_names_the_nearest_living_ones(name: str) -> None:
    async def story() -> None:
        async with upstream(answers) as url, gate_for(*offers(url)) as gate:
            gone(gate, 1)
            status, body, _ = await ask(gate, model=name)
            error = body["error"]
            assert (status, error["code"], error["param"]) == (404, "model_not_found", "model")
            assert error["nearest"][0].removeprefix("sim-generic/") == NEW
            assert OLD not in error["nearest"]
            assert "is gone" in error["message"]
            assert NEW in error["message"]
            assert "it said so" not in error["message"]
            assert pages(gate)[0]["attempts"] == []

    asyncio.run(story())


def test_one_that_never_was_is_not_called_gone_and_who_may_use_pools_only_is_told_no_names() -> None:
    async def story() -> None:
        async with upstream(answers) as url, gate_for(*offers(url)) as gate:
            gone(gate, 1)
            _, body, _ = await ask(gate, model="llama-3.3-70b-instrukt")
            assert "not known here" in body["error"]["message"]
            assert body["error"]["nearest"] == [NEW]
            with pytest.raises(Refusal) as told:
                await replied(gate, OLD, Client(2, "bob", frozenset({"fast"})))
            assert told.value.status == 403
            assert NEW not in str(told.value.body())

    asyncio.run(story())


def test_a_chain_goes_on_with_who_is_left_of_it() -> None:
    async def story() -> None:
        async with upstream(answers) as url, gate_for(*offers(url)) as gate:
            gone(gate, 1)
            assert (await replied(gate, OLD, models=[OTHER]))["x-rotation-model"] == OTHER
            gone(gate, 1, 3)
            status, body, _ = await ask(gate, model=OLD, models=[OTHER])
            assert (status, OLD in body["error"]["message"]) == (404, True)

    asyncio.run(story())


@pytest.mark.parametrize("stream", [False, True])
def test_where_the_operator_wants_it_the_successor_answers_and_says_so(stream: bool) -> None:
    async def play(writer: asyncio.StreamWriter) -> None:
        if stream:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
            writer.write(b'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n')
            writer.write(b"data: [DONE]\n\n")
        else:
            await answers(writer)

    async def story() -> None:
        async with upstream(play) as url, gate_for(*offers(url)) as gate:
            gone(gate, 1, successor=True)
            reply = await accept.chat(gate, ME, orjson.dumps(chat(OLD, stream=stream)))
            if stream:
                assert b"[DONE]" in b"".join([piece async for piece in reply.chunks])  # type: ignore[union-attr]  # a stream
            assert reply.headers["x-rotation-successor"] == f"{OLD} -> {NEW}"
            assert reply.headers["x-rotation-model"] == NEW
            page = pages(gate)[0]
            assert (page["asked"], page["model"], page["policy"]["successor"]) == (OLD, NEW, NEW)
            assert "answers in its place" in page["trace"][0]["why"]
            assert "x-rotation-successor" not in await replied(gate, NEW) if not stream else True

    asyncio.run(story())


def test_a_model_that_turns_out_to_be_gone_in_mid_call_is_answered_by_its_successor_too() -> None:
    async def story() -> None:
        plays = [AWAY, whole(message()), AWAY]

        async def play(writer: asyncio.StreamWriter) -> None:
            writer.write(plays.pop(0))

        async with upstream(play) as url, gate_for(*offers(url)) as gate:
            gone(gate, successor=True)
            assert (await replied(gate, OLD))["x-rotation-successor"] == f"{OLD} -> {NEW}"
            assert [a["outcome"] for a in pages(gate)[0]["attempts"]] == ["model_gone", "ok"]
            plays.insert(0, whole(message()))
            assert (await replied(gate, OLD))["x-rotation-model"] == NEW, "remembered"
            gone(gate)  # the operator does not want it any more
            gate.health.cooldowns.clear()
            status, body, refusal = await ask(gate, model=OLD)
            assert (status, body["error"]["nearest"][0]) == (404, NEW)
            assert refusal is not None
            assert refusal.headers["x-request-id"] == pages(gate)[-1]["id"]

    asyncio.run(story())


def test_nothing_answers_for_a_model_nothing_is_like_nor_for_vectors_nor_for_a_job() -> None:
    async def story() -> None:
        async with upstream(answers) as url, gate_for(*offers(url)) as gate:
            gone(gate, 3, successor=True)
            assert (await ask(gate, model=OTHER))[0] == 404
            gone(gate, 1, successor=True)
            for told in (
                accept.plain(gate, ME, "embeddings", orjson.dumps({"model": OLD, "input": "x"})),
                replied(gate, OLD, Client(9, "jobs", internal=True)),
            ):
                with pytest.raises(Refusal) as no:
                    await told
                assert no.value.status == 404

    asyncio.run(story())


def test_a_chain_goes_on_after_a_pool() -> None:
    async def story() -> None:
        async with upstream(answers) as url, gate_for(*offers(url)) as gate:
            pool = replace(gate.snapshot.pools["fast"], placements=gate.snapshot.pools["fast"].placements[:1])
            gate.adopt(replace(gate.snapshot, pools={**gate.snapshot.pools, "fast": pool}))
            gate.health.benched = {"deployment:1": Block("deployment:1", NEVER, FailureKind.LACKS_FEATURE, "out")}
            assert (await replied(gate, "fast", models=[OTHER]))["x-rotation-model"] == OTHER
            page = pages(gate)[0]
            assert (page["pool"], page["policy"]["models"], page["policy"]["version"]) == ("fast", [OTHER], 1)
            status, _, _ = await ask(gate, model="fast")
            assert status == 503

    asyncio.run(story())


def test_what_is_out_of_service_is_neither_listed_nor_named_nor_a_successor() -> None:
    async def story() -> None:
        async with upstream(answers) as url, gate_for(*offers(url)) as gate:
            blocks = [
                Block("deployment:1", NEVER, FailureKind.MODEL_GONE, "archived: a year ago"),
                Block("deployment:2", NEVER, FailureKind.LACKS_FEATURE, "incompatible: it cannot"),
            ]
            gate.adopt(replace(gate.snapshot, blocks=blocks, switches={"answer_from_successor": True}))
            listed = [one["id"] for one in orjson.loads(models.listing(gate.snapshot, ME))["data"]]
            assert [name for name in listed if "/" in name] == [f"sim-generic/{OTHER}"]
            status, body, _ = await ask(gate, model=OLD)
            assert (status, body["error"]["nearest"]) == (404, [])

    asyncio.run(story())
