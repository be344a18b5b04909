"""Everything is down for five minutes, then it is not: nobody is stormed, nobody is kept waiting, and it is noticed."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import httpx2
import openai

from rotation.simulator.serve import Running, running
from tests.cast import ALICE, Offer, Serving, serving, snapshot_of
from tests.chaos.test_half_the_world import TWELVE

SPEED = 20.0  # of the simulator, the gateway's clock and the clients' patience alike
CLIENTS = 200
THINKING = 40.0  # seconds between the calls of one client
OUTAGE = 300.0
SETTLED = 15.0  # seconds of rush, in which breakers open; then until the calls that began in it have ended
NOTICED = 5.0
AFTER = 60.0
JITTER = 0.25  # seconds on this machine's clock


class Hurried(openai.AsyncOpenAI):
    """The SDK with its default retries, living at the simulation's speed."""

    def _calculate_retry_timeout(self, *args: Any, **more: Any) -> float:
        return super()._calculate_retry_timeout(*args, **more) / SPEED


@dataclass
class Crowd:
    """What two hundred clients saw: each call's start and end, and whether it was answered."""

    calls: list[tuple[float, float, bool]] = field(default_factory=list)

    async def one(self, sdk: openai.AsyncOpenAI, number: int, until: asyncio.Event) -> None:
        await asyncio.sleep(THINKING / SPEED * number / CLIENTS)
        while not until.is_set():
            started = time.monotonic()
            try:
                await sdk.chat.completions.create(model="auto", messages=[{"role": "user", "content": "Hello."}])
                self.calls.append((started, time.monotonic(), True))
            except openai.APIStatusError:
                self.calls.append((started, time.monotonic(), False))
            await asyncio.sleep(THINKING / SPEED)


async def through(served: Serving, sim: Running, crowd: Crowd) -> tuple[float, float]:
    """When the outage began and when it ended."""
    limits = httpx2.Limits(max_connections=64)
    async with (
        httpx2.AsyncClient(limits=limits, timeout=60) as wire,
        Hurried(base_url=f"{served.url}/v1", api_key=ALICE, http_client=wire) as sdk,
    ):
        over = asyncio.Event()
        clients = [asyncio.create_task(crowd.one(sdk, number, over)) for number in range(CLIENTS)]
        await asyncio.sleep(THINKING / SPEED)
        await asyncio.to_thread(sim.faults, {"fault": "server_error", "status": 503, "probability": 1.0})
        began = time.monotonic()
        await asyncio.sleep(OUTAGE / SPEED)
        await asyncio.to_thread(sim.faults)
        ended = time.monotonic()
        await asyncio.sleep(AFTER / SPEED)
        over.set()
        await asyncio.gather(*clients)
    return began, ended


def test_an_outage_of_all_models_is_sat_out_and_its_end_noticed(tmp_path: Path) -> None:
    offers = [Offer("openrouter", model) for model in TWELVE]
    crowd = Crowd()
    with (
        running(seed=5, speed=SPEED) as sim,
        serving(snapshot_of(sim.url, offers), tmp_path, speed=SPEED) as served,
    ):
        sim.control("POST", "/_sim/settings", {"limits": False})
        began, ended = asyncio.run(through(served, sim, crowd))
        asked = [(e.arrived, e.model) for e in sim.simulator.world.ledger.select()]
        pages = served.records()
    probes = defaultdict(list)
    rush = began + SETTLED / SPEED
    settled = max(rush, *(end for start, end, _ in crowd.calls if start < rush))
    assert settled < (began + ended) / 2, "half of the outage must be left to look at"
    for at, model in asked:
        if settled < at < ended:
            probes[model].append(at * SPEED)
    gaps = [later - at for times in probes.values() for at, later in pairwise(times)]
    assert probes, "somebody must ask"
    # Seen where they arrive: a machine's hiccup of a twentieth of a second is a second here.
    gaps.sort()
    assert gaps[len(gaps) // 50] >= 30 - JITTER * SPEED, gaps[:20]
    assert gaps[0] >= 10, gaps[:20]  # a machine that stood still for half a second, once or twice
    assert all(len(times) <= (ended - began) * SPEED / 30 for times in probes.values())
    # As the gateway itself timed it: two hundred clients in one process with it would add their own queueing.
    refused = [page["total_ms"] / SPEED for page in pages if page["outcome"] == "failed" and not page["attempts"]]
    assert len(refused) > 1000
    assert median(refused) < 50
    after = [answered for at, _, answered in crowd.calls if at >= ended + NOTICED / SPEED + JITTER]
    assert len(after) >= CLIENTS // 4  # on a busy machine the crowd asks less often
    assert sum(after) >= 0.999 * len(after), (sum(after), len(after))
