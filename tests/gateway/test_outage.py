"""When nobody answers, one is asked at a time, in turn; the first answer ends it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.failures import FailureKind
from rotation.core.policy import BALANCED
from rotation.core.selection import NEVER, Candidate, Standing, State
from rotation.core.targets import Target
from rotation.gateway.leave import Permit
from rotation.gateway.outage import HOPE, Outage
from rotation.gateway.outlook import peers_of
from tests.cast import Offer
from tests.gateway.parts import MORNING, Rig, target
from tests.gateway.scripted import ask, gate_for, upstream, whole

REST = 30.0


def dark(many: int) -> tuple[Outage, list[Target]]:
    peers = [target(n) for n in range(1, many + 1)]
    return Outage({f"deployment:{n}" for n in range(1, many + 1)}), peers


def test_with_one_closed_breaker_everybody_may_be_asked() -> None:
    outage, peers = dark(3)
    others = [*peers, target(9)]
    assert outage.over(others, MORNING)
    for peer in others:
        outage.asked(peer, MORNING)
        assert outage.turn_at(peer, others, REST, MORNING) == MORNING


def test_a_late_answer_is_hope_for_a_while() -> None:
    outage, peers = dark(3)
    outage.answered(peers[0], MORNING)
    assert outage.over(peers, MORNING + HOPE - 0.1)
    assert not outage.over(peers, MORNING + HOPE)


def test_in_an_outage_of_all_each_is_asked_once_per_rest_and_the_turns_are_spread_over_it() -> None:
    outage, peers = dark(3)
    assert outage.turn_at(peers[0], peers, REST, MORNING) == MORNING
    outage.asked(peers[0], MORNING)
    assert [outage.turn_at(p, peers, REST, MORNING) - MORNING for p in peers] == [30.0, 10.0, 10.0]


def test_a_call_that_belongs_to_no_pool_is_asked_for_as_ever() -> None:
    outage, peers = dark(1)
    assert outage.over((), MORNING)
    assert outage.turn_at(peers[0], (), REST, MORNING) == MORNING


@given(st.integers(1, 8), st.lists(st.tuples(st.integers(0, 7), st.floats(0.01, 20)), max_size=80))
def test_however_many_ask_nobody_is_asked_more_than_once_per_rest(many: int, story: list[tuple[int, float]]) -> None:
    outage, peers = dark(many)
    now, asked = MORNING, dict[int, list[float]]()
    for number, passed in story:
        now += passed
        peer = peers[number % many]
        if outage.turn_at(peer, peers, REST, now) <= now:
            outage.asked(peer, now)
            asked.setdefault(peer.deployment.id, []).append(now)
    for times in asked.values():
        assert all(later - at >= REST for at, later in pairwise(times))
    every = sorted(at for times in asked.values() for at in times)
    assert all(later - at >= REST / many - 1e-6 for at, later in pairwise(every))


def test_health_asks_one_of_many_broken_ones_at_a_time_and_all_again_after_an_answer() -> None:
    rig = Rig()
    peers = tuple(target(n) for n in range(1, 4))
    for peer in peers:
        for _ in range(5):
            rig.fails(peer, FailureKind.OVERLOADED)
    rig.work = replace(rig.work, peers=peers)
    first = rig.admitted(peers[0], last_resort=True)
    refused = rig.refused(peers[1], last_resort=True)
    assert refused.until == pytest.approx(rig.clock() + BALANCED.rest / 3)
    assert not refused.soft
    rig.health.answered(first, first=None, usage=None)
    assert isinstance(rig.health.admit(peers[1], rig.work, last_resort=True), Permit)


def test_whom_a_call_could_go_to() -> None:
    standings = {
        1: Standing(State.READY),
        2: Standing(State.RESTING, MORNING + 90, guessed=True),
        3: Standing(State.COOLING, MORNING + 5),
        4: Standing(State.COOLING, MORNING + 900),
        5: Standing(State.BENCHED, NEVER),
        6: Standing(State.UNFIT, NEVER),
    }
    found = peers_of([Candidate(target(n), s) for n, s in standings.items()], MORNING + 10)
    assert [t.deployment.id for t in found] == [1, 2, 3]


def test_a_caller_is_not_kept_waiting_for_what_has_no_hope() -> None:
    async def down(writer: asyncio.StreamWriter) -> None:
        writer.write(whole({"error": {"message": "down"}}, 503))

    async def story() -> None:
        async with upstream(down) as url, gate_for(*(Offer("generic", m, base_url=url) for m in "abcd")) as gate:
            while gate.health.outage.over([t for ts in gate.snapshot.targets.values() for t in ts], gate.now()):
                await ask(gate, "1000")
            before = gate.now()
            for _ in range(10):
                status, body, refusal = await ask(gate)
                assert refusal is not None
                assert (status, body["error"]["code"]) == (503, "no_healthy_upstream")
                assert 1 <= int(refusal.headers["retry-after"]) <= 30 / 4 + 1
                assert {c["state"] for c in body["error"]["candidates"]} <= {"resting", "tried"}
            assert gate.now() - before < 5, "ten refusals take no time"

    asyncio.run(story())
