"""The gateway starts with the database, without it, and without anything; and says honestly which."""

from __future__ import annotations

import asyncio
import datetime as dt
import fcntl
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.utils import timezone

from rotation import client_keys, starter
from rotation.asgi_words import Message
from rotation.gateway import life as module
from rotation.gateway import loading
from rotation.gateway.door import Door
from rotation.gateway.life import Life
from rotation.models import Cooldown
from rotation.simulator.serve import Running
from tests.cast import nothing_else
from tests.gateway.asking import chat

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def key(settings: Any, tmp_path: Path, sim: Running) -> Iterator[str]:
    """A client's key to an installation that knows the simulated world."""
    settings.ROTATION_HOME = tmp_path
    settings.ROTATION_JOURNAL_DIR = tmp_path / "journal"
    settings.ROTATION_SIMULATOR_URL = sim.url
    starter.load(simulated=True)
    _, plain = client_keys.issue("laptop")
    yield plain
    gc.unfreeze()


@contextmanager
def no_database(tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Whoever connects from now on finds nobody; what is yielded brings the database back."""
    address = connections.settings["default"]
    before = address["HOST"]
    address["HOST"] = str(tmp_path)

    def back() -> None:
        address["HOST"] = before

    try:
        yield back
    finally:
        back()


class Asking:
    """A living gateway and a client in front of its door."""

    def __init__(self, life: Life, client: httpx2.AsyncClient) -> None:
        self.life, self.client = life, client

    async def ready(self) -> tuple[int, str, list[str]]:
        reply = await self.client.get("/readyz")
        return reply.status_code, reply.json()["status"], reply.json()["degraded"]

    async def call(self) -> httpx2.Response:
        return await self.client.post("/v1/chat/completions", json=chat())

    async def until(self, truth: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not truth():  # noqa: ASYNC110 - what it waits for sets no event
                await asyncio.sleep(0.01)


@asynccontextmanager
async def living(key: str = "") -> AsyncIterator[Asking]:
    life = Life()
    await life.start()
    transport = httpx2.ASGITransport(app=Door(nothing_else, life))
    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        try:
            yield Asking(life, client)
        finally:
            await life.stop()


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def test_with_its_database_it_is_ready_answers_and_keeps_the_configuration(key: str) -> None:
    async def story() -> None:
        async with living(key) as gateway:
            assert await gateway.ready() == (200, "ok", [])
            assert (await gateway.call()).status_code == 200

    run(story)
    assert loading.kept_file().exists()


def test_without_it_the_kept_configuration_answers_and_the_mark_goes_when_it_is_back(
    key: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loading.keep(loading.read())

    async def story() -> None:
        with no_database(tmp_path) as back:
            async with living(key) as gateway:
                assert await gateway.ready() == (200, "ok", ["db"])
                assert (await gateway.call()).status_code == 200
                assert "starting with the configuration kept" in caplog.text
                back()
                await gateway.until(lambda: gateway.life.degraded == [])
                assert await gateway.ready() == (200, "ok", [])
                assert (await gateway.call()).status_code == 200

    run(story)


@pytest.mark.parametrize("sent", ["right", "wrong", ""])
def test_without_either_every_call_is_told_to_come_back_and_never_that_its_key_is_wrong(
    key: str, tmp_path: Path, sent: str
) -> None:
    async def story() -> None:
        with no_database(tmp_path):
            async with living({"right": key}.get(sent, sent)) as gateway:
                assert await gateway.ready() == (503, "starting", ["db"])
                assert (await gateway.client.get("/healthz")).status_code == 200
                for reply in (await gateway.call(), await gateway.client.get("/v1/models")):
                    assert reply.status_code == 503
                    assert reply.json()["error"]["code"] == "starting"
                    assert reply.headers["retry-after"] == "1"

    run(story)


def test_without_either_it_opens_as_soon_as_the_database_is_there(key: str, tmp_path: Path) -> None:
    async def story() -> None:
        with no_database(tmp_path) as back:
            async with living(key) as gateway:
                assert (await gateway.call()).status_code == 503
                back()
                await gateway.until(lambda: gateway.life.gate is not None)
                assert await gateway.ready() == (200, "ok", [])
                assert (await gateway.call()).status_code == 200

    run(story)


def test_what_a_person_lifts_and_changes_arrives_while_it_runs(key: str) -> None:
    until = timezone.now() + dt.timedelta(hours=1)
    row = Cooldown.objects.create(scope="provider:1", until=until, kind="rate_limited", reason="told")

    async def story() -> None:
        async with living(key) as gateway:
            gate = gateway.life.gate
            assert gate is not None
            assert "provider:1" in gate.health.cooldowns
            await asyncio.to_thread(apart, row.lift)
            await gateway.until(lambda: "provider:1" not in gate.health.cooldowns)
            _, other = await asyncio.to_thread(apart, lambda: client_keys.issue("another"))
            await gateway.until(lambda: client_keys.digest(other) in gate.snapshot.clients)

    run(story)


def apart(work: Callable[[], Any]) -> Any:
    """In a thread of its own, with a connection of its own that is closed afterwards."""
    try:
        return work()
    finally:
        connections.close_all()


# the server's protocol


def test_it_starts_and_stops_as_the_server_says(key: str, tmp_path: Path) -> None:
    life = Life()
    said: list[str] = []

    async def story() -> None:
        orders: asyncio.Queue[Message] = asyncio.Queue()
        answered = asyncio.Event()

        async def send(message: Message) -> None:
            said.append(message["type"])
            answered.set()

        alive = asyncio.create_task(Door(nothing_else, life)({"type": "lifespan"}, orders.get, send))
        await orders.put({"type": "lifespan.startup"})
        await answered.wait()
        assert life.gate is not None
        life.gate.write({"t": "cooldown"})
        await orders.put({"type": "lifespan.shutdown"})
        await alive

    run(story)
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert life.stopping
    [journal] = (tmp_path / "journal").glob("*.jsonl")
    with journal.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_while_it_stops_it_is_not_ready(key: str) -> None:
    async def story() -> None:
        async with living(key) as gateway:
            gateway.life.stopping = True
            assert (await gateway.ready())[0] == 503
            assert (await gateway.call()).status_code == 200

    run(story)


# the second door


def test_the_second_door_borrows_the_gate_that_lives_on_its_loop(key: str) -> None:
    async def story() -> None:
        async with living(key) as gateway, module.lent() as gate:
            assert gate is gateway.life.gate

    run(story)


def test_where_none_lives_it_gets_one_from_the_database_for_as_long_as_it_needs_it(key: str) -> None:
    async def story() -> None:
        async with module.lent() as gate:
            assert client_keys.digest(key) in gate.snapshot.clients
            gate.write({"t": "cooldown"})
        assert gate.journal._fd is None
        await sync_to_async(connections.close_all)()

    run(story)
