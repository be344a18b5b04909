"""Names from outside: bounded wherever they come from, and cheap to turn down."""

from __future__ import annotations

import asyncio
import time

import pytest

from rotation.gateway import models
from rotation.gateway.envelope import Refusal
from rotation.gateway.names import near_names
from rotation.ledger.lines import LONGEST
from tests.cast import Offer
from tests.gateway.scripted import ME, NOWHERE, ask, gate_for, pages

MODEL = "gpt-4o-mini"


@pytest.mark.parametrize("chain", [["x" * 201], ["a\r\nb"], ["auto"] * 51, ["y" * 5_000_000]])
def test_the_names_of_a_chain_are_bounded_like_the_first(chain: list[str]) -> None:
    async def story() -> None:
        async with gate_for(Offer("openai", MODEL, base_url=NOWHERE)) as gate:
            status, body, _ = await ask(gate, model=MODEL, models=chain)
            assert (status, body["error"]["param"]) == (400, "models")
            assert len(str(pages(gate))) < LONGEST / 100

    asyncio.run(story())


def test_a_long_name_in_a_path_is_cut_in_the_answer() -> None:
    async def story() -> None:
        async with gate_for(Offer("openai", MODEL, base_url=NOWHERE)) as gate:
            with pytest.raises(Refusal) as told:
                models.one(gate.snapshot, ME, "a/" * 30_000)
            assert len(told.value.message) < 500

    asyncio.run(story())


def test_comparing_is_done_once_for_the_same_name_and_names() -> None:
    many = (*(f"vendor{n}/some-model-{n}-instruct:free" for n in range(2000)), MODEL)
    started = time.process_time()
    assert all(near_names("gpt-4o-minni", many) == [MODEL] for _ in range(2000))
    assert time.process_time() - started < 1.0  # by itself each would take five milliseconds


@pytest.mark.parametrize("name", ["", "x", "日本語", "z" * 60_000])
def test_any_name_may_be_asked_for(name: str) -> None:
    started = time.process_time()
    assert near_names(name, (MODEL, "auto") * 500) is not None
    assert time.process_time() - started < 1.0
