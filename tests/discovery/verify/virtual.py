"""A verification in virtual time: the rows of a database, a gateway that read them, simulated providers, one loop.

Days pass in seconds, and every run is the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine
from django.db import connections

from rotation import client_keys
from rotation.discovery.verify import runs, worker
from rotation.discovery.verify.asking import Heard, sent
from rotation.discovery.verify.questions import Question
from rotation.gateway import accept
from rotation.gateway.envelope import Refusal
from rotation.gateway.loading import build, read
from rotation.gateway.reply import Whole
from rotation.models import Deployment, Provider, VerificationRun
from rotation.simulator.catalogue import Model
from tests.acceptance.virtual import MORNING, World, passed
from tests.acceptance.virtual import lived as virtually
from tests.jobs.offices import simulated
from tests.models import rows

START = datetime.fromtimestamp(MORNING, UTC)


def office(kind: str = "openrouter", *, plan: str = "", models: Iterable[str] = (), **claims: Any) -> Provider:
    """A simulated provider with one key, and these of its models as its listing would tell of them."""
    provider = simulated(kind)
    provider.accounts.update(plan=plan)
    for model in models:
        rows.deployment(provider=provider, model_id=model, free=model.endswith(":free"), **claims)
    return provider


def started(deployments: Iterable[Deployment], **more: Any) -> VerificationRun:
    """A run begun at the virtual morning."""
    with time_machine.travel(START, tick=False):
        return runs.start("ada", deployments, **more)


class Verifying(World):
    """The door is the gateway's own; make it inside `lived`, with DJANGO_ALLOW_ASYNC_UNSAFE set."""

    def __init__(self, folder: Path, **more: Any) -> None:
        client_keys.for_jobs()
        super().__init__(folder, [], start=MORNING, **more)
        self.reload()
        self.heard: list[tuple[str, Heard]] = []

    def reload(self) -> None:
        """The gateway reads the database again."""
        self.gate.adopt(build(read()))

    def listed(self, kind: str) -> dict[str, Model]:
        return {model.id: model for model in self.simulator.world.catalogues[kind]}

    def hide(self, kind: str, model: str, defect: Any) -> None:
        world = self.simulator.world
        world.hidden.hide(kind, model, defect, world.clock.now)

    def now(self) -> datetime:
        return START + timedelta(seconds=passed())

    async def heard_of(self, model: str, question: Question) -> Heard:
        heard = await self._ask(model, question)
        self.heard.append((model, heard))
        return heard

    async def _ask(self, model: str, question: Question) -> Heard:
        body, headers = sent(model, question)
        client = next(client for client in self.gate.snapshot.clients.values() if client.internal)
        begun = passed()
        told = {name: value for name, value in headers.items() if name.startswith("x-")}
        try:
            reply = await accept.chat(self.gate, client, body, told)
        except Refusal as refusal:
            return Heard(refusal.status, dict(refusal.headers), refusal.body(), None, passed() - begun)
        first = passed() - begun
        chunks = [reply.body] if isinstance(reply, Whole) else [chunk async for chunk in reply.chunks]
        return Heard(200, dict(reply.headers), b"".join(chunks), first, passed() - begun)

    async def ask_as_client(self, model: str) -> tuple[int, dict[str, str]]:
        """A short call of somebody who pays attention."""
        status, headers, _ = await self.answer(model)
        return status, headers

    async def verify(self, run: VerificationRun | None = None, **more: Any) -> str:
        """Until nothing is left to ask, however many days that takes."""
        more = {"patience": timedelta(days=30), **more}
        return await worker.work(TheDoor(self), run, now=self.now, rows=at_once, **more)


def lived(story: Callable[[], Awaitable[Any]]) -> Any:
    """A story that sees the test's own transaction: a loop would have a connection of its own."""
    ours = connections["default"]

    async def told() -> Any:
        connections["default"] = ours
        return await story()

    return virtually(told)


class TheDoor:
    """The door as a worker knows it."""

    def __init__(self, world: Verifying) -> None:
        self.world = world

    async def ask(self, model: str, question: Question) -> Heard:
        return await self.world.heard_of(model, question)


async def at_once(function: Any, *given: Any) -> Any:
    """The database in the loop's own thread: time must not jump while a query runs."""
    return function(*given)


def verdicts(deployment: Deployment) -> dict[str, str]:
    """Capability -> verdict, of the last run."""
    return {one.capability: one.verdict for one in deployment.verifications.order_by("at", "id")}
