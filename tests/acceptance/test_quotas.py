"""What the limits allow is used, what they forbid is not tried: simulated hours against the providers' own tables."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.virtual import MORNING, World, lived, passed
from tests.cast import Offer

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
LATE = MORNING // DAY * DAY + DAY - HOUR  # an hour before midnight UTC
ENOUGH = 0.95
LONG = "word " * 1_600  # 2,000 tokens

GEMMA, MINIMAX = "google/gemma-2-9b-it:free", "minimax/minimax-m2:free"
SMALL, LARGE, LLAMA = "llama-3.1-8b-instant", "llama-3.3-70b-versatile", "meta-llama/Llama-3.3-70B-Instruct-Turbo"
OPENROUTER = (Offer("openrouter", GEMMA, keys=2, accounts=2), Offer("openrouter", MINIMAX, keys=2, accounts=2))
GROQ = (Offer("groq", SMALL), Offer("groq", LARGE))
TOGETHER = (Offer("together", LLAMA),)


def flowing(limit: float, window: float, seconds: float) -> float:
    """What a bucket that starts full gives in that time."""
    return limit + seconds * limit / window


def answered(world: World, model: str = "") -> int:
    return sum(1 for entry in world.sent(model=model) if entry["status"] == 200)


def tokens(world: World, model: str) -> int:
    return sum(e["tokens_in"] + e["tokens_out"] for e in world.sent(model=model) if e["status"] == 200)


@pytest.mark.parametrize("stream", [False, True])
def test_openrouter_s_free_models_are_used_to_the_last_call_of_each_account_and_day(
    tmp_path: Path, stream: bool
) -> None:
    """Two accounts, 50 a day each over all their keys and models, on both sides of midnight."""

    async def story() -> None:
        world = World(tmp_path, OPENROUTER, plan="free", start=LATE)
        world.plans(openrouter="free")
        assert await world.busy(2 * HOUR, stream=stream) == 4 * 50
        assert world.refused() == []
        minutes = Counter((e["account"], e["at"] // MINUTE) for e in world.sent())
        assert max(minutes.values()) == 20

    lived(story)


def test_groq_s_requests_a_minute_are_used_though_no_header_tells_of_them(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path, GROQ, plan="free")
        await world.busy(HOUR / 4)
        assert world.refused() == []
        for model in (SMALL, LARGE):
            assert answered(world, model) >= ENOUGH * flowing(30, MINUTE, HOUR / 4)

    lived(story)


@pytest.mark.parametrize("asked", [{"max_tokens": 300}, {"max_tokens": 3_000}, {}], ids=["little", "much", "open"])
def test_groq_s_tokens_a_minute_and_a_day_are_used_whatever_is_set_aside_for_the_answer(
    tmp_path: Path, asked: dict[str, int]
) -> None:
    async def story() -> None:
        world = World(tmp_path, GROQ, plan="free")
        await world.busy(2 * HOUR, text=LONG, **asked)
        assert world.refused() == []
        assert tokens(world, SMALL) >= ENOUGH * flowing(500_000, DAY, 2 * HOUR)
        assert tokens(world, LARGE) >= ENOUGH * flowing(100_000, DAY, 2 * HOUR) - 5_000  # what one call may need

    lived(story)


def test_together_s_one_a_second_is_used_every_second(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path, TOGETHER, plan="free")
        assert await world.busy(300) >= ENOUGH * flowing(1, 1, 300)
        assert world.refused() == []

    lived(story)


def test_a_thousand_calls_over_all_of_them_meet_no_refusal_that_was_foretold(tmp_path: Path) -> None:
    """As they come, one every few seconds: each goes where there is room, and none is turned away."""

    async def story() -> None:
        world = World(tmp_path, (*OPENROUTER, *GROQ, *TOGETHER), plan="free", start=LATE)
        world.plans(openrouter="free")

        async def arriving(number: int) -> int:
            await asyncio.sleep(number * 7.2)
            return (await world.ask(text=LONG if number % 10 == 0 else "Say hello."))[0]

        found = Counter(await asyncio.gather(*(arriving(number) for number in range(1_000))))
        assert found == {200: 1_000}
        assert world.refused() == []
        assert answered(world, GEMMA) + answered(world, MINIMAX) == 4 * 50

    lived(story)


# nothing known beforehand


@pytest.mark.parametrize(
    ("offers", "call", "seconds", "refusals", "capacity"),
    [
        (OPENROUTER, {}, 2 * HOUR, 2, 200),
        (GROQ[:1], {}, HOUR / 4, 8, flowing(30, MINUTE, HOUR / 4)),
        (TOGETHER, {}, 300.0, 8, flowing(1, 1, 300)),
        ((Offer("openai", "gpt-4o-mini"),), {}, HOUR, 8, flowing(3, MINUTE, HOUR)),
    ],
    ids=["openrouter", "groq", "together", "openai"],
)
def test_unknown_limits_are_learned_within_the_first_refusals_and_used_from_then_on(
    tmp_path: Path, offers: tuple[Offer, ...], call: dict[str, Any], seconds: float, refusals: int, capacity: float
) -> None:
    """No more refusals than calls were under way when the first came; and none after the first minute of need."""

    async def story() -> None:
        world = World(tmp_path, offers, start=LATE)
        world.plans(openrouter="free", openai="free")
        assert await world.busy(seconds, **call) >= ENOUGH * capacity
        refused = [entry["at"] for entry in world.refused()]
        assert 0 < len(refused) <= refusals
        assert max(refused) - min(refused) < MINUTE

    lived(story)


def test_a_stranger_who_uses_the_account_too_costs_no_more_refusals_than_his_calls(tmp_path: Path) -> None:
    """Another program takes a third of the tokens; headers and refusals tell of it."""

    async def story() -> None:
        world = World(tmp_path, GROQ[:1], plan="free")
        other = World(tmp_path / "other", GROQ[:1])
        other.gate.upstream = world.gate.upstream

        async def stranger() -> None:
            while passed() < HOUR:
                await asyncio.sleep(MINUTE)
                await other.ask(text=LONG, max_tokens=10)

        await asyncio.gather(world.busy(HOUR, text=LONG, max_tokens=10), stranger())
        assert len(world.refused()) <= 2 * 60
        assert tokens(world, SMALL) >= ENOUGH * flowing(6_000, MINUTE, HOUR)

    lived(story)


# many at once


def test_of_200_calls_at_once_on_five_free_slots_five_are_sent_there_and_the_rest_elsewhere(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path, (Offer("openrouter", GEMMA), Offer("openai", "gpt-4o-mini")), plan="free")
        world.plans(openai="none")
        await five_left(world)
        before = answered(world, GEMMA)
        found = await asyncio.gather(*(world.ask() for _ in range(200)))
        assert [status for status, _ in found] == [200] * 200
        assert answered(world, GEMMA) - before == 5
        assert answered(world, "gpt-4o-mini") == 195
        assert world.refused() == []

    lived(story)


def test_where_there_is_no_elsewhere_five_are_sent_and_195_are_told_when(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path, (Offer("openrouter", GEMMA),), plan="free")
        await five_left(world)
        before, at = len(world.sent()), passed()
        found = await asyncio.gather(*(world.ask() for _ in range(200)))
        statuses = Counter(status for status, _ in found)
        assert statuses == {200: 5, 429: 195}
        assert len(world.sent()) - before == 5
        turn = MINUTE - at % MINUTE
        assert all(turn <= wait <= turn + 2 for status, wait in found if status == 429 and wait is not None)
        assert None not in [wait for status, wait in found if status == 429]

    lived(story)


async def five_left(world: World) -> None:
    """Fifteen of the twenty a minute are used; the minute has long to go."""
    assert await asyncio.gather(*(world.ask(GEMMA) for _ in range(15))) == [(200, None)] * 15
    assert passed() < 45, "still the same minute"


def test_keys_of_one_account_take_turns_and_share_its_limits(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path, (Offer("openrouter", GEMMA, keys=4),), plan="free")
        assert await world.busy(MINUTE - 15) == 20
        used = Counter(entry["key"] for entry in world.sent())
        assert sorted(used.values()) == [5, 5, 5, 5]

    lived(story)
