"""Half the world is broken, and hardly a caller notices."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from statistics import median

import httpx2

from rotation.simulator.serve import running
from tests.cast import ALICE, Offer, Serving, serving, snapshot_of, wait_for
from tests.gateway.asking import chat

TWELVE = [
    "meta-llama/llama-3.3-8b-instruct:free",
    "cognitivecomputations/dolphin-mistral-24b-venice-edition:free",
    "cognitivecomputations/dolphin3.0-mistral-24b:free",
    "meta-llama/llama-4-maverick:free",
    "meituan/longcat-flash-chat:free",
    "minimax/minimax-m2:free",
    "meta-llama/llama-3.3-70b-instruct:free",
    "deepseek/deepseek-r1-0528-qwen3-8b:free",
    "arliai/qwq-32b-arliai-rpr-v1:free",
    "microsoft/mai-ds-r1:free",
    "google/gemma-2-9b-it:free",
    "deepseek/deepseek-chat-v3.1:free",
]
SPEED = 20.0  # of the simulator and of the gateway's clock alike, so that hints and rests mean what they say
BROKEN = [
    {"fault": "upstream_busy", "probability": 0.15, "kind": "openrouter", "hint": "none"},
    {"fault": "upstream_busy", "probability": 0.15, "kind": "openrouter", "hint": "retry_after", "seconds": 2},
    {"fault": "server_error", "status": 502, "probability": 0.10, "kind": "openrouter"},
    {"fault": "stall", "after": 0, "probability": 0.05, "kind": "openrouter"},
]


async def many(served: Serving, count: int, *, at_once: int, stream: bool) -> Counter[str]:
    """So many calls, a bounded number at a time; outcomes counted."""
    gate = asyncio.Semaphore(at_once)
    found: Counter[str] = Counter()
    limits = httpx2.Limits(max_connections=at_once)
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {ALICE}"}, timeout=60, limits=limits) as client:

        async def one() -> None:
            async with gate:
                reply = await client.post(f"{served.url}/v1/chat/completions", json=chat(stream=stream))
            whole = b"[DONE]" in reply.content if stream else b'"finish_reason"' in reply.content
            found["answered" if reply.status_code == 200 and whole else f"{reply.status_code}: {reply.text[:200]}"] += 1

        await asyncio.gather(*(one() for _ in range(count)))
    return found


def test_with_30_percent_429_10_percent_5xx_and_5_percent_stalls_all_but_one_in_a_thousand_are_answered(
    tmp_path: Path,
) -> None:
    """2,000 calls over twelve models, streamed and whole; three ledgers agree call by call."""
    offers = [Offer("openrouter", model) for model in TWELVE]
    with (
        running(seed=11, speed=SPEED) as sim,
        serving(snapshot_of(sim.url, offers), tmp_path, speed=SPEED) as served,
    ):
        sim.control("POST", "/_sim/settings", {"limits": False})
        sim.faults(*BROKEN)
        found = asyncio.run(many(served, 1000, at_once=16, stream=False))
        found += asyncio.run(many(served, 1000, at_once=16, stream=True))
        assert found["answered"] >= 1998, found
        wait_for(lambda: len(served.records()) == 2000)
        records, upstream = served.records(), sim.ledger()
    sent = Counter(entry["request_id"] for entry in upstream)
    written = {call["id"]: len(call["attempts"]) for call in records}
    assert sent == Counter(written)
    assert sum(1 for call in records if call["outcome"] == "answered") == found["answered"]


def test_a_limited_primary_costs_at_most_50_ms_more_than_the_next_model_alone(tmp_path: Path) -> None:
    """The median of thirty interleaved pairs, so that a noisy machine weighs on both sides alike."""
    offers = [Offer("groq", "llama-3.1-8b-instant"), Offer("openai", "gpt-4o-mini")]
    with running(seed=5, speed=1000.0) as sim, serving(snapshot_of(sim.url, offers), tmp_path) as served:
        sim.control("POST", "/_sim/settings", {"limits": False})
        sim.faults({"kind": "groq", "fault": "rate_limit", "hint": "retry_after", "seconds": 0.001})
        more = []
        with httpx2.Client(headers={"authorization": f"Bearer {ALICE}"}, timeout=60) as client:
            url = f"{served.url}/v1/chat/completions"
            for _ in range(30):
                served.gate.health.cooldowns.clear()
                alone = client.post(url, json=chat("gpt-4o-mini")).elapsed.total_seconds()
                reply = client.post(url, json=chat("auto"))
                assert reply.headers["x-rotation-provider"] == "sim-openai"
                more.append(reply.elapsed.total_seconds() - alone)
        calls = [call for call in served.records() if call["pool"] == "auto"]
    assert all(call["attempts"][0]["outcome"] == "rate_limited" for call in calls)
    per_rotation = [extra / (len(call["attempts"]) - 1) for extra, call in zip(more, calls, strict=True)]
    assert median(per_rotation) < 0.05
