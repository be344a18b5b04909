"""Targets that are not admitted when their turn comes: preferred others, a last resort, and what the client is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from rotation.core.failures import Failure, FailureKind
from rotation.core.selection import State
from rotation.gateway.leave import Permit, Work
from rotation.gateway.snapshot import Block
from rotation.providers.base import Limit, Usage
from rotation.simulator.serve import Running
from tests.cast import Offer
from tests.gateway.parts import Rig, target
from tests.gateway.scripted import NOWHERE, ask, gate_for, message, pages, upstream, whole

DAILY = Limit("requests", 50, 86_400)


async def answer(writer: asyncio.StreamWriter) -> None:
    writer.write(whole(message()))


def test_the_only_target_answers_in_its_slow_start_too() -> None:
    """Slow start only asks to prefer others; with nobody else there it must not cost a second, let alone the call."""

    async def story() -> None:
        async with upstream(answer) as url, gate_for(Offer("generic", "m", base_url=url)) as gate:
            gate.health.rand = lambda: 0.95  # the dice are against it
            for _ in range(20):
                breaker = gate.health._breaker("deployment:1", Work().policy)
                breaker._ramp_until = gate.now() + 29.0
                assert (await ask(gate, "900"))[0] == 200

    asyncio.run(story())


def test_what_a_provider_has_said_meanwhile_counts_when_its_turn_comes() -> None:
    rig = Rig()
    rig.fails(target(), FailureKind.RATE_LIMITED, retry_after=100.0)
    refused = rig.refused(target())
    assert refused.until == rig.clock() + 100.0
    assert (refused.state, refused.limited) == (State.COOLING, True)
    rig.refused(target(), last_resort=True)


def test_what_we_only_guess_may_be_overruled() -> None:
    rig = Rig()
    rig.fails(target(), FailureKind.RATE_LIMITED)
    rig.admitted(target(), last_resort=True)


def test_an_outage_of_the_network_uses_up_no_quota() -> None:
    rig = Rig()
    rig.health.limits.learn(target(), [DAILY], rig.clock())
    rig.fails(target(), FailureKind.UNREACHABLE)
    assert left(rig) == 50
    rig.fails(target(), FailureKind.OVERLOADED)
    assert left(rig) == 49


def test_what_was_sent_before_the_client_hung_up_is_counted() -> None:
    rig = Rig()
    rig.health.limits.learn(target(), [DAILY], rig.clock())
    rig.health.release(rig.admitted(target()), sent=True, usage=Usage(10, 10))
    assert left(rig) == 49
    rig.health.release(rig.admitted(target()))
    assert left(rig) == 49


def left(rig: Rig) -> float:
    return rig.health.limits.quotas["account:1/deployment:1"].standing(rig.clock())[0].left


def test_one_slow_model_does_not_take_its_provider_with_it() -> None:
    rig = Rig()
    permits = [rig.admitted(target(1)) for _ in range(12)]
    rig.clock.forward(31.0)
    for permit in permits:
        rig.health.answered(permit, first=None, usage=None)
    assert rig.health.standing(target(1)).state is State.RESTING
    assert rig.health.standing(target(2)).state is State.READY


def test_a_provider_that_answers_anything_can_be_reached() -> None:
    """Connections that fail now and then among refusals are no outage."""
    rig = Rig()
    for number in range(8):
        rig.fails(target(1), FailureKind.UNREACHABLE)
        for other in range(3):
            rig.fails(target(2 + 3 * number + other), FailureKind.RATE_LIMITED, status=429)
    assert isinstance(rig.health.admit(target(99), Work()), Permit)


def test_a_spent_quota_is_told_as_429_with_the_moment_and_the_reason() -> None:
    async def story() -> None:
        async with gate_for(Offer("generic", "m", base_url=NOWHERE)) as gate:
            only = gate.snapshot.targets[1][0]
            gate.health.limits.learn(only, [Limit("requests", 50, 86_400, remaining=0)], gate.now())
            status, body, refusal = await ask(gate)
            assert refusal is not None
            assert (status, body["error"]["code"]) == (429, "all_targets_rate_limited")
            assert 1700 <= int(refusal.headers["retry-after"]) <= 1729
            assert body["error"]["candidates"][0]["state"] == "cooling"
            assert pages(gate)[0]["trace"][0]["why"] == "its quota is used up"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("fault", "status"),
    [("quota_day", 429), ("credits_gone", 503), ("key_revoked", 503), ("model_gone", 503), ("no_permission", 503)],
)
def test_the_first_refusal_and_the_next_say_the_same_and_when_to_come_back(
    sim: Running, fault: str, status: int
) -> None:
    async def story() -> None:
        async with gate_for(Offer("openai", "gpt-4o-mini"), url=sim.url) as gate:
            for _ in range(2):
                found, _, refusal = await ask(gate)
                assert refusal is not None
                assert found == status
                assert int(refusal.headers["retry-after"]) >= 10

    sim.faults({"fault": fault})
    asyncio.run(story())


def test_a_breaker_that_opens_while_a_call_is_under_way_may_still_be_a_last_resort() -> None:
    rig = Rig()
    for _ in range(5):
        rig.health.failed(rig.admitted(target()), Failure(FailureKind.OVERLOADED))
    assert rig.refused(target()).soft
    rig.admitted(target(), last_resort=True)


@pytest.mark.parametrize(("seconds", "retry"), [(30, "true"), (60, "true"), (90, "false")])
def test_clients_are_told_to_retry_only_what_they_would_wait_for(seconds: int, retry: str) -> None:
    """Told to retry in an hour, OpenAI's library does so within a second."""

    async def story() -> None:
        async with gate_for(Offer("generic", "m", base_url=NOWHERE)) as gate:
            until = gate.now() + seconds
            gate.adopt(replace(gate.snapshot, blocks=[Block("key:111", until, FailureKind.RATE_LIMITED, "limited")]))
            _, _, refusal = await ask(gate)
            assert refusal is not None
            assert refusal.headers["x-should-retry"] == retry
            assert int(refusal.headers["retry-after"]) in (seconds, seconds - 1)

    asyncio.run(story())
