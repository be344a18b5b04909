"""Hours in seconds: gateway and simulator in one event loop whose time jumps to the next thing that is due.

Nothing waits for the wall's clock, so overlapping calls, latencies and limits behave as at speed one, and every run is
the same. What is left out is the sockets: requests reach the simulated providers through their ASGI application, after
a journey of up to `JOURNEY` seconds.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import orjson

from rotation.core.policy import BALANCED, Policy
from rotation.core.targets import Account, Target
from rotation.gateway import accept
from rotation.gateway.clients import Client
from rotation.gateway.clock import Clock
from rotation.gateway.envelope import Refusal
from rotation.gateway.gate import Gate
from rotation.gateway.journal import Journal
from rotation.gateway.reply import Whole
from rotation.gateway.snapshot import Snapshot
from rotation.gateway.upstream import Upstream
from rotation.ledger.lines import decode
from rotation.simulator.app import Simulator, create
from rotation.simulator.clock import Clock as TheirClock
from rotation.simulator.rules import read_rules
from tests.cast import Offer, snapshot_of

MORNING = 1_760_000_400.0  # 2025-10-09 09:00:00 UTC
JOURNEY = 0.02
CLIENT = Client(1, "alice")


class Jumping(selectors.DefaultSelector):
    """Where a loop would sleep, its time moves on instead."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout:
            self.passed += timeout
        return ready


class Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.jumping = Jumping()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.passed


def passed() -> float:
    """Seconds since this loop's beginning."""
    return asyncio.get_running_loop().time()


class OurClock(Clock):
    def __init__(self, start: float) -> None:
        super().__init__()
        self._start = start

    def now(self) -> float:
        return self._start + passed()


class SimulatorsClock(TheirClock):
    """The same time, told by the same calendar."""

    @property
    def now(self) -> float:
        return self._base + passed()


class Road(httpx2.AsyncBaseTransport):
    """The way to the simulated providers."""

    def __init__(self, simulator: Simulator) -> None:
        self._there, self._chance = httpx2.ASGITransport(app=simulator), random.Random(3)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(self._chance.random() * JOURNEY)
        return await self._there.handle_async_request(request)


class World:
    """A gate over a simulator, both in virtual time. Make it inside `lived`."""

    def __init__(self, folder: Path, offers: Iterable[Offer], *, plan: str = "", start: float = MORNING,
                 policy: Policy = BALANCED) -> None:  # fmt: skip
        self.folder = folder
        self.simulator = create(seed=5, start=start)
        self.simulator.world.clock = SimulatorsClock(start=start)
        snapshot = on_plan(snapshot_of("http://simulator", offers, policy=policy), plan)
        self.gate = Gate(snapshot, Journal(folder), rand=random.Random(7).random, clock=OurClock(start))
        road = Upstream()
        road._open = lambda: Road(self.simulator)  # type: ignore[assignment,return-value,method-assign]  # no sockets
        self.gate.upstream = road

    def plans(self, **plans: str) -> None:
        """The providers' own idea of the accounts' plans."""
        self.simulator.world.plans.update(plans)

    async def answer(
        self, model: str = "auto", text: str = "Say hello.", **more: Any
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and the whole body of one call."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        try:
            reply = await accept.chat(self.gate, CLIENT, orjson.dumps(body))
        except Refusal as refusal:
            return refusal.status, dict(refusal.headers), refusal.body()
        if isinstance(reply, Whole):
            return reply.status, dict(reply.headers), reply.body
        return reply.status, dict(reply.headers), b"".join([chunk async for chunk in reply.chunks])

    async def ask(self, model: str = "auto", text: str = "Say hello.", **more: Any) -> tuple[int, float | None]:
        """(status, the seconds a client is asked to wait) of one call."""
        status, headers, _ = await self.answer(model, text, **more)
        return status, float(headers["retry-after"]) if "retry-after" in headers else None

    def faults(self, *rules: dict[str, Any]) -> None:
        """In the place of all others."""
        self.simulator.world.faults.clear()
        self.simulator.world.faults.add(read_rules(list(rules)))

    def records(self, kind: str = "call") -> list[dict[str, Any]]:
        """What the gateway wrote down."""
        lines = [line for path in sorted(self.folder.glob("*.jsonl")) for line in path.read_bytes().splitlines(True)]
        return [record for record in map(decode, lines) if isinstance(record, dict) and record["t"] == kind]

    async def attempts(self, **call: Any) -> list[str]:
        """One call's outcomes, attempt by attempt."""
        await self.answer(**call)
        return [attempt["outcome"] for attempt in self.records()[-1]["attempts"]]

    async def insist(self, until: float, **call: Any) -> int:
        """One client that asks again and again, and comes back when it is told to; how often it was answered."""
        answered = 0
        while passed() < until:
            status, wait = await self.ask(**call)
            answered += status == 200
            if status != 200:
                await asyncio.sleep(wait if wait is not None else 1.0)
        return answered

    async def busy(self, seconds: float, *, clients: int = 8, **call: Any) -> int:
        """That many clients at once for so long; how many answers they got."""
        return sum(await asyncio.gather(*(self.insist(passed() + seconds, **call) for _ in range(clients))))

    def sent(self, **which: Any) -> list[dict[str, Any]]:
        """What the providers were asked."""
        return [entry.told() for entry in self.simulator.world.ledger.select(**which)]

    def refused(self) -> list[dict[str, Any]]:
        return [entry for entry in self.sent() if entry["status"] in (413, 429)]


def on_plan(snapshot: Snapshot, plan: str) -> Snapshot:
    """The same configuration with every account on this plan; OpenRouter's `:free` models are free."""

    def planned(target: Target) -> Target:
        account = Account(target.account.id, target.account.provider, target.account.label, plan)
        deployment = replace(target.deployment, free=target.deployment.model.endswith(":free"))
        return replace(target, account=account, deployment=deployment)

    targets = {number: tuple(map(planned, found)) for number, found in snapshot.targets.items()}
    return replace(snapshot, targets=targets, deployments={n: t[0].deployment for n, t in targets.items()})


def lived(story: Callable[[], Awaitable[Any]]) -> Any:
    """Runs a story in a loop of its own, with all the time it needs."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(story())  # type: ignore[arg-type]  # a coroutine
