"""What a person does in the admin reaches running calls: the real gateway, database, ledger and admin, end to end."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from django.conf import settings as django_settings
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from rotation import client_keys, starter
from rotation.gateway import consequences
from rotation.gateway.door import Door
from rotation.gateway.life import Life
from rotation.ledger.files import Journal
from rotation.ledger.loop import Ledger
from rotation.models import BreakerState, Cooldown, Deployment, Key, LearnedLimit
from rotation.simulator.serve import Running, running
from tests.cast import nothing_else
from tests.gateway.asking import chat

pytestmark = pytest.mark.django_db(transaction=True)

GROQ = "sim-groq/llama-3.1-8b-instant"
PATIENCE = 30  # seconds


@pytest.fixture
def sim() -> Iterator[Running]:
    with running(seed=7, speed=50.0) as simulator:
        yield simulator


class House:
    """An installation at work: a client, an operator, the simulated world."""

    def __init__(self, life: Life, client: httpx2.AsyncClient, sim: Running, operator: Client) -> None:
        self.life, self.client, self.sim, self.operator = life, client, sim, operator

    async def status(self, model: str = GROQ, **more: Any) -> int:
        return (await self.client.post("/v1/chat/completions", json=chat(model, **more))).status_code

    async def until(self, status: int, model: str = GROQ) -> None:
        """Ask until that is the answer."""
        async with asyncio.timeout(PATIENCE):
            while await self.status(model) != status:  # noqa: ASYNC110 - nothing here sets an event
                await asyncio.sleep(0.02)

    async def stored(self, truth: Callable[[], bool]) -> None:
        """Let the ledger run until the database says so."""
        async with asyncio.timeout(PATIENCE):
            while not await apart(partial(_stored, truth)):  # noqa: ASYNC110 - nor here
                await asyncio.sleep(0.02)

    async def acts(self, row: Any, action: str) -> None:
        """Olga chooses the row and the action."""
        await apart(partial(_acts, self.operator, row, action))

    async def changes(self, row: Any, **values: Any) -> None:
        await apart(partial(_changes, self.operator, row, values))

    def asked(self) -> int:
        """How often Groq was asked."""
        return len(self.sim.ledger(kind="groq"))


def _stored(truth: Callable[[], bool]) -> bool:
    Ledger(Journal(Path(django_settings.ROTATION_JOURNAL_DIR)), connection.settings_dict).once()
    return truth()


def _acts(operator: Client, row: Any, action: str) -> None:
    url = reverse(f"admin:rotation_{row._meta.model_name}_changelist")
    reply = operator.post(url, {"action": action, "_selected_action": [row.pk]}, follow=True)
    assert reply.status_code == 200


def _changes(operator: Client, row: Any, values: dict[str, Any]) -> None:
    url = reverse(f"admin:rotation_{row._meta.model_name}_change", args=[row.pk])
    assert operator.post(url, values).status_code == 302


async def apart(work: Callable[[], Any]) -> Any:
    def closed() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    return await asyncio.to_thread(closed)


@pytest.fixture
def told(
    settings: Any, tmp_path: Path, sim: Running, admin_client: Client
) -> Iterator[Callable[[Callable[[House], Awaitable[None]]], None]]:
    settings.ROTATION_HOME = tmp_path
    settings.ROTATION_JOURNAL_DIR = tmp_path / "journal"
    settings.ROTATION_SIMULATOR_URL = sim.url
    starter.load(simulated=True)
    _, key = client_keys.issue("laptop")

    async def one(story: Callable[[House], Awaitable[None]]) -> None:
        life = Life()
        await life.start()
        transport = httpx2.ASGITransport(app=Door(nothing_else, life))
        headers = {"authorization": f"Bearer {key}"}
        try:
            async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
                await story(House(life, client, sim, admin_client))
        finally:
            await life.stop()

    yield lambda story: asyncio.run(one(story))
    gc.unfreeze()


def groq_key() -> Key:
    return Key.objects.get(account__provider__name="sim-groq")


def test_a_key_that_is_disabled_is_not_used_and_one_that_is_enabled_again_is(told: Any) -> None:
    key = groq_key()

    async def story(house: House) -> None:
        assert await house.status() == 200
        await house.changes(key, label="tired")  # not ticked: disabled
        await house.until(503)
        before = house.asked()
        assert await house.status() == 503
        assert house.asked() == before
        await house.changes(key, label="rested", enabled="on")
        await house.until(200)

    told(story)


def test_a_key_is_invalid_after_two_proofs_and_comes_back_when_a_person_says_so(
    told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consequences, "CONFIRM_AFTER", 0.05)
    monkeypatch.setattr(consequences, "SUSPECT_REST", 0.1)
    key = groq_key()

    def is_now(state: str) -> bool:
        key.refresh_from_db()
        return key.state == state

    async def story(house: House) -> None:
        house.sim.faults({"kind": "groq", "fault": "key_revoked"})
        assert await house.status() == 503
        await house.stored(lambda: is_now("suspect"))
        await asyncio.sleep(0.12)
        assert await house.status() == 503
        await house.stored(lambda: is_now("invalid"))
        before = house.asked()
        assert await house.status() == 503
        assert house.asked() == before == 2, "two proofs are enough; it is left alone for a quarter of an hour"
        house.sim.faults()
        await house.acts(key, "as_ready")
        await house.until(200)

    told(story)


def test_a_key_without_credit_says_so_rests_an_hour_and_is_back_at_a_person_s_word(told: Any) -> None:
    key = groq_key()

    def state() -> str:
        key.refresh_from_db()
        return key.state

    async def story(house: House) -> None:
        house.sim.faults({"kind": "groq", "fault": "credits_gone"})
        assert await house.status() == 503
        await house.stored(lambda: state() == "exhausted")
        assert house.life.gate is not None
        assert all(c.until - c_now(house) > 3_500 for c in house.life.gate.health.cooldowns.values())
        house.sim.faults()
        await house.stored(Cooldown.objects.exists)
        await house.acts(key, "as_ready")
        await house.until(200)

    told(story)


def c_now(house: House) -> float:
    assert house.life.gate is not None
    return house.life.gate.now()


def test_a_cooldown_and_a_limit_are_lifted(told: Any) -> None:
    async def story(house: House) -> None:
        house.sim.faults({"kind": "groq", "fault": "rate_limit", "hint": "retry_after", "seconds": 500})
        assert await house.status() == 429
        house.sim.faults()
        await house.stored(Cooldown.objects.exists)
        before = house.asked()
        assert await house.status() == 429
        assert house.asked() == before
        await house.acts(await apart(Cooldown.objects.get), "lift")
        for limit in await apart(lambda: list(LearnedLimit.objects.all())):
            await house.acts(limit, "lift")
        await house.until(200)

    told(story)


def test_a_breaker_is_forced_open_switched_off_and_set_back_to_normal(told: Any) -> None:
    deployment = Deployment.objects.get(provider__name="sim-groq", model_id="llama-3.1-8b-instant")
    scope = f"deployment:{deployment.pk}"

    def state() -> str:
        return str(BreakerState.objects.get(scope=scope).state)

    async def story(house: House) -> None:
        assert await house.status() == 200
        await house.acts(deployment, "force_open")
        await house.until(503)
        before = house.asked()
        assert [await house.status() for _ in range(5)] == [503] * 5
        assert house.asked() == before, "not even as a last resort"
        await house.stored(lambda: state() == "forced_open")
        await house.acts(deployment, "switch_off")
        await house.until(200)
        house.sim.faults({"kind": "groq", "fault": "overloaded"})
        before = house.asked()
        chain = partial(house.status, models=["sim-openai/gpt-4o-mini"])
        assert [await chain() for _ in range(8)] == [200] * 8
        assert house.asked() >= before + 8, "failures no longer open it"
        await house.acts(deployment, "back_to_normal")
        house.sim.faults()
        await house.until(200)
        await house.stored(lambda: state() == "closed")

    told(story)
