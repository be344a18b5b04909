"""What the database and people tell health, beside what it knows itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from rotation.core.failures import Failure, FailureKind
from rotation.core.selection import State
from rotation.gateway import recall
from rotation.gateway.gate import Gate
from rotation.gateway.health import Permit, Work
from rotation.gateway.snapshot import Block
from tests.cast import Offer
from tests.gateway.scripted import NOWHERE, gate_for

REST = 30.0


def rested(gate: Gate) -> Block:
    """The row of an open breaker, as the database has it."""
    return Block("deployment:1", gate.now() + REST, FailureKind.OVERLOADED, "breaker open since before the start")


def fail(gate: Gate, kind: FailureKind, times: int = 1) -> None:
    for _ in range(times):
        permit = gate.health.admit(gate.snapshot.targets[1][0], Work())
        assert isinstance(permit, Permit)
        gate.health.failed(permit, Failure(kind))


def test_a_new_configuration_does_not_turn_an_open_breaker_into_somebodys_word() -> None:
    """Else nothing could be tried as a last resort after a reload in the middle of an outage."""

    async def story() -> None:
        async with gate_for(Offer("generic", "m", base_url=NOWHERE)) as gate:
            fail(gate, FailureKind.OVERLOADED, 5)
            before = gate.health.standing(gate.snapshot.targets[1][0])
            gate.adopt(replace(gate.snapshot, blocks=[rested(gate)]))
            after = gate.health.standing(gate.snapshot.targets[1][0])
            assert (before.state, before.guessed) == (State.RESTING, True)
            assert (after.state, after.guessed) == (State.RESTING, True)
            assert not gate.health.cooldowns

    asyncio.run(story())


@pytest.mark.parametrize(
    ("kind", "why", "guessed"),
    [
        (FailureKind.OVERLOADED, "breaker open since before the start", True),
        (FailureKind.RATE_LIMITED, "rate-limited; no hint, 3 in a row", True),
        (FailureKind.RATE_LIMITED, "rate-limited; the provider asked for 30 s", False),
        (FailureKind.BAD_CREDENTIAL, "the provider refused this key", False),
    ],
)
def test_a_memory_of_an_earlier_life_is_a_guess_if_it_was_one(kind: FailureKind, why: str, guessed: bool) -> None:
    async def story() -> None:
        async with gate_for(Offer("generic", "m", base_url=NOWHERE)) as gate:
            gate.adopt(replace(gate.snapshot, blocks=[Block("deployment:1", gate.now() + REST, kind, why)]))
            standing = gate.health.standing(gate.snapshot.targets[1][0])
            assert (standing.state, standing.guessed) == (State.COOLING, guessed)

    asyncio.run(story())


def test_a_guess_of_our_own_says_so_in_what_is_stored_of_it() -> None:
    async def story() -> None:
        async with gate_for(Offer("generic", "m", base_url=NOWHERE)) as gate:
            fail(gate, FailureKind.RATE_LIMITED)
            [(scope, cooldown)] = gate.health.cooldowns.items()
            gate.health.cooldowns.clear()
            row = Block(scope, cooldown.until, cooldown.kind, cooldown.reason)
            gate.adopt(replace(gate.snapshot, blocks=[row]))
            assert gate.health.standing(gate.snapshot.targets[1][0]).guessed

    asyncio.run(story())


@pytest.mark.parametrize("scope", ["key:111", "key:111/deployment:1", "account:11/deployment:1", "key:", "key:x"])
def test_a_person_may_end_a_cooldown_of_any_scope(scope: str) -> None:
    async def story() -> None:
        async with gate_for(Offer("generic", "m", base_url=NOWHERE)) as gate:
            gate.adopt(
                replace(gate.snapshot, blocks=[Block(scope, gate.now() + REST, FailureKind.NOT_PERMITTED, "no")])
            )
            recall.lift(gate.health, "cooldown", scope)
            assert not gate.health.cooldowns

    asyncio.run(story())
