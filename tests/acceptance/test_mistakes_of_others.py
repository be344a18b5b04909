"""What other gateways have got wrong, each as it should be. What tests elsewhere show already is not shown again.

Elsewhere: a later, shorter hint never shortens a cooldown, and a cooling target is left alone (core/test_cooldown,
gateway/test_complete); streams that break before or after their first content (gateway/test_stream); a client that
hangs up at any moment (chaos/test_hang_ups); a dead database and calls without it (e2e/test_the_database_may_die); a
full disk (gateway/test_journal); deletions in steps (jobs/test_upkeep); another account of the same model
(gateway/test_complete); a key's way back (test_an_operators_hand); state over a restart (gateway/test_levels,
gateway/test_breakers); keys of one account share its limits (test_quotas).
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from rotation.core.breaker import BreakerState
from tests.acceptance.virtual import World, lived, passed
from tests.cast import Offer

GROQ, OPENAI, TOGETHER = "llama-3.1-8b-instant", "gpt-4o-mini", "meta-llama/Llama-3.3-70B-Instruct-Turbo"
THREE = (Offer("groq", GROQ), Offer("openai", OPENAI), Offer("together", TOGETHER))
FREE = ("google/gemma-2-9b-it:free", "minimax/minimax-m2:free")

Story = Callable[[World], Coroutine[Any, Any, None]]
Told = Callable[..., Callable[[Story], None]]


@pytest.fixture
def over(tmp_path: Path) -> Told:
    """`@over(offers...)` lives a story in a world without limits, but for those its faults make."""

    def offers(*made: Offer) -> Callable[[Story], None]:
        def tell(story: Story) -> None:
            async def whole() -> None:
                world = World(tmp_path, made)
                world.simulator.world.limits = False
                await story(world)

            lived(whole)

        return tell

    return offers


def every(kind: str = "*", **fault: Any) -> dict[str, Any]:
    return {"kind": kind, **fault}


def deltas(body: bytes) -> list[dict[str, Any]]:
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n") if line.startswith(b"data: {")]
    return [choice["delta"] for line in lines for choice in json.loads(line).get("choices", [])]


# streams


@pytest.mark.parametrize("fault", ["error_in_stream", "truncate", "server_error", "rate_limit"])
def test_a_stream_none_of_whose_targets_says_a_word_is_an_error_and_no_half_open_stream(over: Told, fault: str) -> None:
    @over(*THREE)
    async def _(world: World) -> None:
        world.faults({"fault": fault, **({"after": 0} if "stream" in fault or fault == "truncate" else {})})
        status, headers, body = await world.answer(stream=True)
        assert status >= 429
        assert not body.startswith(b"data:")
        assert json.loads(body)["error"]["candidates"]
        assert "x-request-id" in headers


@pytest.mark.parametrize("fault", ["error_in_stream", "truncate"])
def test_a_stream_that_moved_on_says_everything_once(over: Told, fault: str) -> None:
    @over(*THREE)
    async def _(world: World) -> None:
        world.faults(every("groq", fault=fault, after=1), every("openai", fault=fault, after=0))
        status, headers, body = await world.answer(stream=True)
        alone = (await world.answer(TOGETHER, stream=True))[2]
        assert status == 200
        assert int(headers["x-rotation-attempts"]) >= 3
        said, expected = ("".join(d.get("content") or "" for d in deltas(b)) for b in (body, alone))
        assert said == expected != ""
        assert body.count(b"[DONE]") == 1
        assert len({json.loads(line[6:])["id"] for line in body.split(b"\n") if line.startswith(b"data: {")}) == 1


def test_what_a_stream_had_said_before_it_broke_is_counted(over: Told) -> None:
    @over(Offer("groq", GROQ))
    async def _(world: World) -> None:
        world.faults(every(fault="truncate", after=4))
        _, _, body = await world.answer(text="Tell a long story about the sea.", stream=True)
        assert b"[DONE]" not in body
        [call] = world.records()
        assert call["outcome"] == "interrupted"
        assert call["tokens_out"] >= 3
        assert call["tokens_in"] > 0


# who is blamed


def test_a_busy_upstream_costs_one_attempt_however_many_keys_there_are(over: Told) -> None:
    @over(Offer("openrouter", FREE[0], keys=5, accounts=2), Offer("openai", OPENAI))
    async def _(world: World) -> None:
        world.faults(every("openrouter", fault="upstream_busy", hint="none"))
        assert await world.attempts() == ["upstream_busy", "ok"]
        assert world.records("key") == []


def test_a_model_that_is_gone_is_asked_for_through_one_key_only(over: Told) -> None:
    @over(Offer("groq", GROQ, keys=5, accounts=2), Offer("openai", OPENAI))
    async def _(world: World) -> None:
        world.faults(every("groq", fault="model_gone"))
        assert await world.attempts() == ["model_gone", "ok"]
        assert await world.attempts() == ["ok"]
        assert Counter(r["status"] for r in world.records("deployment")) == {"gone": 1}


def test_a_model_that_always_breaks_takes_no_key_and_no_other_model_with_it(over: Told) -> None:
    @over(Offer("groq", GROQ, keys=3), Offer("groq", "llama-3.3-70b-versatile", keys=3))
    async def _(world: World) -> None:
        world.faults({"kind": "groq", "model": GROQ, "fault": "server_error", "status": 500})
        for _ in range(20):
            status, headers, _ = await world.answer()
            assert (status, headers["x-rotation-model"]) == (200, "llama-3.3-70b-versatile")
        assert {note["scope"] for note in world.records("breaker")} == {"deployment:1"}
        assert world.records("key") == world.records("cooldown") == []
        assert len(world.sent(model=GROQ)) <= 10, "a resting model is not asked on every call"


@pytest.mark.parametrize("fault", [{"fault": "server_error"}, {"fault": "key_revoked"}, {"fault": "malformed"}])
def test_one_failure_switches_nobody_off(over: Told, fault: dict[str, Any]) -> None:
    @over(*THREE)
    async def _(world: World) -> None:
        world.faults({"kind": "groq", "times": 1, **fault})
        assert (await world.attempts())[-1] == "ok"
        await asyncio.sleep(16)
        assert (await world.answer())[1]["x-rotation-model"] == GROQ
        breakers = world.gate.health.breakers.values()
        assert {breaker.state(world.gate.now()) for breaker in breakers} == {BreakerState.CLOSED}
        assert "invalid" not in [note["state"] for note in world.records("key")]


@pytest.mark.parametrize(
    "message",
    [
        "invalid_request_error: the quota of this model was exceeded",
        "maximum context length",
        "invalid api key",
        "billing hard limit: insufficient_quota",
    ],
)
def test_no_word_in_a_server_s_error_ends_the_call(over: Told, message: str) -> None:
    @over(*THREE)
    async def _(world: World) -> None:
        world.faults(every("groq", fault="server_error", status=500, message=message))
        assert (await world.attempts())[-1] == "ok"


# for how long


def test_a_minute_s_burst_is_over_after_a_minute(over: Told) -> None:
    @over(Offer("groq", GROQ))
    async def _(world: World) -> None:
        world.faults({"kind": "groq", "fault": "rate_limit", "hint": "retry_after", "seconds": 60, "times": 30})
        await asyncio.gather(*(world.answer() for _ in range(30)))
        assert max(c.until for c in world.gate.health.cooldowns.values()) <= world.gate.now() + 60
        world.faults()
        await asyncio.sleep(61)
        assert await world.ask() == (200, None)


def test_a_day_s_quota_is_not_tried_again_before_its_day_is_over(over: Told) -> None:
    @over(Offer("groq", GROQ))
    async def _(world: World) -> None:
        world.faults(every("groq", fault="quota_day", hint="none"))
        for _ in range(20):
            status, wait = await world.ask()
            assert status == 429
            assert wait is not None
            assert wait > 3_600
            await asyncio.sleep(600)
        assert len(world.sent()) == 1


def test_the_only_target_there_is_cools_like_any_other(over: Told) -> None:
    @over(Offer("groq", GROQ))
    async def _(world: World) -> None:
        world.faults(every("groq", fault="rate_limit", hint="retry_after", seconds=500))
        for _ in range(5):
            status, wait = await world.ask()
            assert status == 429
            assert wait is not None
            assert 480 < wait + passed() < 520
        assert len(world.sent()) == 1


def test_that_nobody_can_answer_is_held_against_nobody(over: Told) -> None:
    @over(*THREE)
    async def _(world: World) -> None:
        world.faults(every(fault="rate_limit", hint="retry_after", seconds=500))
        await world.ask()
        before, until = len(world.records("cooldown")), dict(world.gate.health.cooldowns)
        for _ in range(10):
            status, wait = await world.ask()
            assert status == 429
            assert wait
        assert len(world.records("cooldown")) == before == 3
        assert dict(world.gate.health.cooldowns) == until
        assert len(world.sent()) == 3


# the whole pool, and what is said of it


def test_the_last_of_ten_targets_answers_when_the_nine_before_it_fail(over: Told) -> None:
    nine = tuple(Offer("groq", model) for model in (
        GROQ, "llama-3.3-70b-versatile", "openai/gpt-oss-120b", "openai/gpt-oss-20b", "qwen/qwen3-32b",
        "meta-llama/llama-4-scout-17b-16e-instruct", "meta-llama/llama-4-maverick-17b-128e-instruct",
        "moonshotai/kimi-k2-instruct-0905", "groq/compound",
    ))  # fmt: skip

    @over(*nine, Offer("openai", OPENAI))
    async def _(world: World) -> None:
        world.faults(every("groq", fault="server_error"))
        assert await world.attempts() == ["overloaded"] * 9 + ["ok"]


@pytest.mark.parametrize("fault", ["server_error", "key_revoked", "rate_limit", "credits_gone", "html"])
def test_no_answer_tells_a_key_or_an_address(over: Told, fault: str) -> None:
    @over(*THREE)
    async def _(world: World) -> None:
        world.faults(every(fault=fault, message="at http://simulator/groq with sk-sim-groq-main-1"))
        status, headers, body = await world.answer()
        assert status >= 429
        said = body.decode() + json.dumps(headers) + json.dumps(world.records())
        assert "sk-sim" not in said
        assert "http://simulator" not in body.decode()
