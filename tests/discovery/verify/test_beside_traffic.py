"""Sixty free models under twenty a minute and a thousand a day are verified in days, and traffic never notices."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from rotation.models import RunState, TaskState, Verdict, VerificationRun
from rotation.simulator.catalogue import Model
from tests.acceptance.virtual import passed

pytestmark = pytest.mark.django_db
LIVE = 3  # models that traffic uses, of the same account and the same limits
SIXTY = 60
HOUR = 3_600.0
CAPABILITIES = ["short_answer", "streaming"]  # 240 questions: more than a day's share


@pytest.fixture(autouse=True)
def unsafe(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    settings.ROTATION_SIMULATOR_URL = "http://simulator"


def names(what: str, count: int) -> list[str]:
    return [f"{what}{n % 7}/{what}-{n}:free" for n in range(count)]


async def traffic(world: Any, seconds: float) -> list[float]:
    """Calls as they come, eight a minute on average; how long each took."""
    chance, took = random.Random(11), []
    waiting: list[asyncio.Task[None]] = []

    async def call(model: str) -> None:
        begun = passed()
        status, _ = await world.ask_as_client(model)
        assert status == 200
        took.append(passed() - begun)

    while passed() < seconds:
        await asyncio.sleep(chance.expovariate(8 / 60))
        waiting.append(asyncio.create_task(call(chance.choice(names("live", LIVE)))))
    await asyncio.gather(*waiting)
    return took


def p95(took: list[float]) -> float:
    return sorted(took)[int(len(took) * 0.95)]


def test_sixty_models_beside_traffic(tmp_path: Path):
    from tests.discovery.verify.virtual import Verifying, lived, office, started

    provider = office(plan="credit", models=[*names("live", LIVE), *names("new", SIXTY)], tools=True)

    def world_at(folder: str) -> Any:
        (tmp_path / folder).mkdir()
        world = Verifying(tmp_path / folder)
        catalogue = world.simulator.world.catalogues["openrouter"]
        for name in [*names("live", LIVE), *names("new", SIXTY)]:
            catalogue.put(Model(name, seconds=1.5))
        world.plans(openrouter="credit")
        return world

    async def alone() -> list[float]:
        return await traffic(world_at("alone"), HOUR / 2)

    async def together(run: VerificationRun) -> list[float]:
        world = world_at("together")
        _, took = await asyncio.gather(world.verify(run), traffic(world, HOUR / 2))
        assert world.refused() == [], "no 429 that a known limit foretold"
        assert 15 * HOUR < passed() < 24 * HOUR, "begun at nine, the rest of it after midnight"
        return took

    before = lived(alone)
    run = started(provider.deployments.filter(model_id__startswith="new"), capabilities=CAPABILITIES)
    beside = lived(lambda: together(run))
    assert len(before) == len(beside) > 200
    assert p95(beside) <= p95(before) * 1.02
    run.refresh_from_db()
    assert run.state == RunState.DONE
    assert run.verdicts.count() == SIXTY * len(CAPABILITIES)
    assert not run.verdicts.exclude(verdict=Verdict.VERIFIED).exists()
    assert run.tasks.filter(state=TaskState.DONE).count() == SIXTY * len(CAPABILITIES) * 2
    assert not run.tasks.filter(asked__gt=1).exclude(state=TaskState.CANCELLED).exists()
