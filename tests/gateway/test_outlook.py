"""When nobody answers, the client is told the truth: who, why, until when, and where else to turn."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from rotation.core.failures import Failure, FailureKind
from rotation.core.targets import Placement, Pool
from rotation.gateway.gate import Gate
from rotation.gateway.leave import Permit, Work
from rotation.providers.base import Limit
from rotation.simulator.serve import Running
from tests.cast import Offer
from tests.gateway.scripted import NOWHERE, ask, gate_for, message, pages, upstream, whole

IMAGES = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}] * 6}]
BLIND = {"images": False}


def fails(gate: Gate, deployment: int, kind: FailureKind, **said: Any) -> None:
    permit = gate.health.admit(gate.snapshot.targets[deployment][0], Work())
    assert isinstance(permit, Permit)
    gate.failed(permit, Failure(kind, **said))


def test_the_earliest_moment_counts_the_quotas_and_each_candidate_says_its_own() -> None:
    async def story() -> None:
        async with gate_for(*(Offer("generic", m, base_url=NOWHERE) for m in "abc")) as gate:
            fails(gate, 1, FailureKind.RATE_LIMITED, retry_after=20)
            gate.health.limits.learn(gate.snapshot.targets[1][0], [Limit("requests", 24, 86_400, 0)], gate.now())
            fails(gate, 2, FailureKind.RATE_LIMITED, retry_after=900)
            fails(gate, 3, FailureKind.MODEL_GONE)
            _, body, refusal = await ask(gate)
            assert refusal is not None
            until = {c["target"]: c["until"] for c in body["error"]["candidates"]}
            assert until["sim-generic/a"] > 900, "its cooldown is short, its daily quota is not"
            assert 890 < until["sim-generic/b"] <= 900
            assert int(refusal.headers["retry-after"]) == pytest.approx(900, abs=2)
            assert refusal.headers["x-should-retry"] == "false"

    asyncio.run(story())


def test_what_is_ready_again_soon_may_be_retried() -> None:
    async def story() -> None:
        async with gate_for(Offer("generic", "a", base_url=NOWHERE)) as gate:
            fails(gate, 1, FailureKind.RATE_LIMITED, retry_after=20)
            _, body, refusal = await ask(gate)
            assert refusal is not None
            assert refusal.headers["x-should-retry"] == "true"
            assert 18 <= body["error"]["candidates"][0]["until"] <= 20 <= int(refusal.headers["retry-after"])

    asyncio.run(story())


def test_a_request_too_large_for_every_model_is_413_and_not_to_be_repeated() -> None:
    async def too_large(writer: asyncio.StreamWriter) -> None:
        error = {"message": "Request too large for model `m` in organization `o` on tokens per minute (TPM): "
                            "Limit 6000, Requested 9000", "type": "tokens", "code": "rate_limit_exceeded"}  # fmt: skip
        writer.write(whole({"error": error}, 413))

    async def story() -> None:
        async with upstream(too_large) as url, gate_for(Offer("groq", "m", base_url=url)) as gate:
            status, body, refusal = await ask(gate)
            assert refusal is not None
            assert (status, body["error"]["code"]) == (413, "request_too_large")
            assert body["error"]["type"] == "invalid_request_error"
            assert refusal.headers["x-should-retry"] == "false"
            assert "retry-after" not in refusal.headers
            assert gate.health.standing(gate.snapshot.targets[1][0]).state == "ready"
            assert pages(gate)[0]["outcome"] == "refused"

    asyncio.run(story())


def test_too_large_for_one_is_answered_by_the_other() -> None:
    async def too_large(writer: asyncio.StreamWriter) -> None:
        writer.write(whole({"error": {"message": "Request Entity Too Large", "code": "request_too_large"}}, 413))

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(whole(message()))

    async def story() -> None:
        async with (
            upstream(too_large) as small,
            upstream(answer) as large,
            gate_for(Offer("groq", "m", base_url=small), Offer("openai", "m", base_url=large)) as gate,
        ):
            assert (await ask(gate))[0] == 200

    asyncio.run(story())


def test_what_is_larger_than_a_known_quota_is_413_before_anything_is_sent() -> None:
    async def story() -> None:
        async with gate_for(Offer("generic", "a", base_url=NOWHERE)) as gate:
            gate.health.limits.learn(gate.snapshot.targets[1][0], [Limit("tokens", 100, 60)], gate.now())
            status, body, refusal = await ask(gate, text="long " * 400)
            assert refusal is not None
            assert (status, body["error"]["code"], refusal.headers["x-should-retry"]) == (
                413,
                "request_too_large",
                "false",
            )
            assert pages(gate)[0]["attempts"] == []

    asyncio.run(story())


def test_what_nobody_here_can_serve_is_400_with_every_reason_and_the_pool_that_could() -> None:
    async def story() -> None:
        offers = [Offer("groq", "a", base_url=NOWHERE), Offer("generic", "b", base_url=NOWHERE, features=BLIND),
                  Offer("openai", "c", base_url=NOWHERE)]  # fmt: skip
        async with gate_for(*offers) as gate:
            pools = {
                "auto": Pool(1, "auto", (Placement(1, 1), Placement(2, 2))),
                "big": Pool(2, "big", (Placement(2, 1), Placement(3, 2))),
                "small": Pool(3, "small", (Placement(2, 1),)),
            }
            gate.adopt(replace(gate.snapshot, pools=pools))
            status, body, refusal = await ask(gate, messages=IMAGES)
            assert refusal is not None
            error = body["error"]
            assert (status, error["code"], error["pools"]) == (400, "no_fit", ["big"])
            assert "6 images, this provider takes 5" in error["message"]
            assert "uses images, which this model does not support" in error["message"]
            assert "served by: big" in error["message"]
            assert refusal.headers["x-should-retry"] == "false"
            assert [c["state"] for c in error["candidates"]] == ["unfit", "unfit"]

    asyncio.run(story())


def test_pictures_go_where_so_many_are_taken() -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(whole(message()))

    async def story() -> None:
        async with (
            upstream(answer) as url,
            gate_for(Offer("groq", "a", base_url=url), Offer("openai", "b", base_url=url)) as gate,
        ):
            assert (await ask(gate, messages=IMAGES))[0] == 200
            assert (await ask(gate, n=2))[0] == 200
            assert [page["deployment"] for page in pages(gate)] == [2, 2]

    asyncio.run(story())


def test_a_form_of_response_that_was_refused_is_not_asked_of_that_model_again(sim: Running) -> None:
    sim.faults({"fault": "lacks_json", "kind": "groq"})

    async def story() -> None:
        offers = [Offer("groq", "llama-3.1-8b-instant"), Offer("openai", "gpt-4o-mini")]
        async with gate_for(*offers, url=sim.url) as gate:
            schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
            for form in (schema, {"type": "json_object"}):
                for _ in range(2):
                    assert (await ask(gate, response_format=form))[0] == 200
            assert (await ask(gate))[0] == 200
            tried = [[a["deployment"] for a in page["attempts"]] for page in pages(gate)]
            lacks = gate.snapshot.deployments[1].lacks
            assert tried[:2] == [[1, 2], [2]], lacks
            assert tried[-1] == [1]

    asyncio.run(story())
