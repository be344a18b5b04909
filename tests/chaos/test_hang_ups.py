"""Ten thousand clients hang up, at any moment, and nothing of them is left behind."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from rotation.simulator.serve import Running, running
from tests.cast import ALICE, Offer, Serving, serving, snapshot_of, wait_for
from tests.gateway.asking import chat

MODEL = "llama3.2:latest"
CALLS = 10_000
AT_ONCE = 50


def request_bytes(stream: bool) -> bytes:
    body = json.dumps(chat(MODEL, "Tell me a long story.", stream=stream)).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {ALICE}\r\n"
    return head.encode() + f"content-length: {len(body)}\r\n\r\n".encode() + body


async def hang_up(port: int, stream: bool, patience: float) -> None:
    """Send a call, wait so many seconds, close; negative patience closes in the middle of the request."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    data = request_bytes(stream)
    writer.write(data if patience >= 0 else data[:-20])
    await writer.drain()
    await asyncio.sleep(max(patience, 0.0))
    writer.transport.abort()


async def storm(port: int, dice: random.Random) -> None:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(stream: bool, patience: float) -> None:
        async with slots:
            await hang_up(port, stream, patience)

    await asyncio.gather(*(one(dice.random() < 0.7, dice.uniform(-0.005, 0.03)) for _ in range(CALLS)))


def connections(served: Serving) -> int:
    """Sockets of the gateway's client that are in somebody's hands."""
    transport = served.gate.upstream._transport  # there is no public count
    connector = transport.client.connector  # type: ignore[union-attr]  # a session, once a call was sent
    return len(connector._acquired)  # type: ignore[union-attr]  # as above


def tasks_of(served: Serving) -> int:
    return len(asyncio.all_tasks(served.loop))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_ten_thousand_hang_ups_leave_nothing_behind(tmp_path: Path) -> None:
    offers = [Offer("generic", MODEL)]
    with running(seed=2, speed=25.0) as sim, serving(snapshot_of(sim.url, offers), tmp_path) as served:
        port = urlsplit(served.url).port or 0
        asyncio.run(hang_up(port, True, 0.5))
        wait_for(lambda: sim.open() == 0 and len(served.records()) == 1)
        tasks, files = tasks_of(served), open_files()
        asyncio.run(storm(port, random.Random(4)))
        wait_for(lambda: sim.open() == 0 and connections(served) == 0, seconds=60)
        wait_for(lambda: tasks_of(served) <= tasks, seconds=60)
        assert open_files() <= files + 2 * AT_ONCE
        assert_the_ledgers_agree(sim, served)
        assert served.gate.health.standing(served.gate.snapshot.targets[1][0]).state == "ready"
        assert not served.records("cooldown")


def assert_the_ledgers_agree(sim: Running, served: Serving) -> None:
    """One page per call that was accepted; whatever reached the provider has its page."""
    pages = served.records()
    assert max(Counter(page["id"] for page in pages).values()) == 1
    assert {entry["request_id"] for entry in sim.ledger()} <= {page["id"] for page in pages}
    assert {page["outcome"] for page in pages} <= {"cancelled", "answered"}
    assert sum(page["outcome"] == "cancelled" for page in pages) > CALLS / 4


def test_the_provider_is_let_go_within_250_ms(tmp_path: Path) -> None:
    """Half of a hundred hang-ups, streamed and not, are over there within that time, whatever else runs here."""
    with running(seed=2) as sim, serving(snapshot_of(sim.url, [Offer("generic", MODEL)]), tmp_path) as served:
        sim.faults(
            {"fault": "stall", "after": 2, "probability": 0.5}, {"fault": "slow", "seconds": 60, "probability": 0.5}
        )
        port = urlsplit(served.url).port or 0
        took = []
        for number in range(30):
            asyncio.run(hang_up(port, number % 2 == 0, 0.05))
            started = time.monotonic()
            wait_for(lambda: sim.open() == 0)
            took.append(time.monotonic() - started)
        assert median(took) < 0.25
