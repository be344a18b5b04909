"""A restart, orderly or not, does not take a used quota for full again."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

from rotation.core.quota import Quota
from rotation.gateway import levels, life
from rotation.gateway.life import Life
from rotation.models import LearnedLimit
from tests.cast import wait_for

DAY = 86_400.0
SCOPE = "account:1/free"


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    settings.ROTATION_HOME = tmp_path
    settings.ROTATION_JOURNAL_DIR = tmp_path / "journal"
    return tmp_path


def used(count: float, now: float) -> dict[str, Quota]:
    quota = Quota()
    quota.configure("requests", 50, DAY, now, fixed=True)
    quota.reserve({"requests": count}, now)
    return {SCOPE: quota}


def test_what_was_kept_is_what_was_left() -> None:
    now = 1_760_000_000.0
    levels.keep(levels.picture(used(30, now)))
    (scope, quota), *rest = levels.kept().items()
    assert (scope, rest, quota.standing(now)[0].left) == (SCOPE, [], 20)
    assert levels.kept_file().stat().st_mode & 0o777 == 0o600
    assert SCOPE not in levels.kept_file().read_text(), "sealed"


@pytest.mark.parametrize("content", ["", "nonsense", None])
def test_without_a_file_that_can_be_read_nothing_is_known(content: str | None) -> None:
    if content is not None:
        levels.kept_file().write_text(content)
    assert levels.kept() == {}


@pytest.mark.parametrize("rows", [b"[]", b"null", b'{"a": [{}]}', b'{"a": 7}', b'{"a": [{"axis": "requests"}]}'])
def test_a_file_of_another_shape_is_no_file(rows: bytes) -> None:
    levels.keep(rows)
    assert levels.kept() == {}


def test_a_folder_that_cannot_be_written_is_complained_of(caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    settings.ROTATION_HOME = Path("/dev/null/home")
    levels.keep(b"{}")
    assert "could not be kept" in caplog.text


# a gateway's life


@pytest.fixture
def limit(transactional_db: None) -> LearnedLimit:
    return LearnedLimit.objects.create(scope=SCOPE, axis="requests", limit=50, window_s=DAY)


def lived(story: Any) -> None:
    async def life_of_one() -> None:
        one = Life()
        await one.start()
        assert one.gate is not None
        try:
            await story(one)
        finally:
            await one.stop()

    asyncio.run(life_of_one())
    gc.unfreeze()


def left(one: Life) -> float:
    assert one.gate is not None
    return one.gate.health.limits.quotas[SCOPE].standing(one.gate.now())[0].left


async def takes(one: Life, count: int) -> None:
    assert one.gate is not None
    one.gate.health.limits.quotas[SCOPE].reserve({"requests": count}, one.gate.now())


def test_a_day_s_quota_is_not_full_again_after_a_restart(limit: LearnedLimit) -> None:
    async def first(one: Life) -> None:
        assert left(one) == 50
        await takes(one, 30)

    async def second(one: Life) -> None:
        assert left(one) == 20
        await takes(one, 5)

    async def third(one: Life) -> None:
        assert left(one) == 15

    for story in (first, second, third):
        lived(story)


def test_it_is_written_down_while_it_runs_for_a_process_that_is_killed(
    limit: LearnedLimit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "LEVELS", 0.05)

    async def story(one: Life) -> None:
        await takes(one, 30)
        await asyncio.to_thread(wait_for, lambda: (kept := levels.kept()) and kept[SCOPE].standing(0)[0].left <= 20)

    lived(story)


def test_a_limit_lifted_while_the_gateway_was_away_does_not_come_back(limit: LearnedLimit) -> None:
    async def first(one: Life) -> None:
        await takes(one, 30)

    async def second(one: Life) -> None:
        assert one.gate is not None
        assert one.gate.health.limits.quotas == {}

    lived(first)
    limit.lift()
    lived(second)
