"""A job's own call takes what nobody misses, waits for nothing, and leaves nobody worse off."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.failures import Failure, FailureKind
from rotation.core.quota import NEVER, Quota
from rotation.core.selection import State
from rotation.gateway import accept
from rotation.gateway.clients import Client
from rotation.gateway.envelope import Refusal
from rotation.gateway.gate import Gate
from rotation.gateway.leave import Permit, Refused
from rotation.providers.base import Limit, Usage
from tests.cast import Offer
from tests.gateway.asking import chat
from tests.gateway.parts import Rig, target
from tests.gateway.scripted import gate_for, message, pages, upstream, whole

JOB = Client(9, "jobs", internal=True)
ONE = target(1)
MINUTE, DAY = 60.0, 86_400.0


class Quiet(Rig):
    """Health that a job asks leave of."""

    def __init__(self) -> None:
        super().__init__()
        self.clients, self.work = self.work, replace(self.work, quiet=True)

    def limited(self, limit: float, window: float, axis: str = "requests") -> None:
        self.health.limits.learn(ONE, [Limit(axis, limit, window, None)], self.clock())

    def used(self, many: int) -> None:
        for _ in range(many):
            leave = self.health.admit(ONE, self.clients)
            assert isinstance(leave, Permit)
            self.health.answered(leave, first=None, usage=None)


@pytest.mark.parametrize(("window", "wait"), [(MINUTE, 6.0), (DAY, 8640.0)])
def test_half_of_every_quota_is_left_to_clients(window: float, wait: float) -> None:
    rig = Quiet()
    rig.limited(10, window)
    for _ in range(5):
        rig.works(ONE)
    no = rig.refused(ONE)
    assert (no.state, no.limited, no.soft) == (State.COOLING, True, False)
    assert no.until - rig.clock() == pytest.approx(wait, abs=0.1)
    rig.used(5)
    no = rig.refused(ONE)
    assert no.until - rig.clock() == pytest.approx(6 * wait, abs=0.1)
    rig.clock.at = no.until
    rig.works(ONE)


def test_tokens_count_as_well_and_what_needs_more_than_half_is_never_let_in() -> None:
    rig = Quiet()
    rig.limited(1000, MINUTE, "tokens")
    rig.work = replace(rig.work, tokens=400)
    rig.works(ONE, usage=Usage(400, 0))
    assert rig.refused(ONE).until < NEVER
    rig.work = replace(rig.work, tokens=600)
    assert rig.refused(ONE).until == NEVER


@given(
    st.lists(st.tuples(st.sampled_from([60.0, 86_400.0]), st.floats(1, 1000)), max_size=3),
    st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 300)), max_size=30),
)
def test_whoever_keeps_a_share_leaves_it_and_is_told_the_truth(
    limits: list[tuple[float, float]], asked: list[tuple[float, float]]
) -> None:
    quota, now = Quota(), 1_760_000_000.0
    for window, limit in limits:
        quota.configure("tokens", limit, window, now)
    for passed, need in asked:
        now += passed
        at = quota.ready_at({"tokens": need}, now, keep=0.5)
        if now < at < NEVER:
            assert quota.ready_at({"tokens": need}, at, keep=0.5) <= at + 1e-3
        if at == now:
            quota.reserve({"tokens": need}, now)
            assert all(s.left >= s.limit / 2 - 1e-6 * s.limit for s in quota.standing(now))


def test_no_last_resort_no_second_try_and_nothing_from_the_retry_budget() -> None:
    rig = Quiet()
    before = dict(rig.health._budget._tokens)
    for _ in range(20):
        rig.works(ONE)
    rig.refused(ONE, again=True)
    rig.health.failed(_clients(rig), Failure(FailureKind.UPSTREAM_BUSY))
    for how in ({}, {"last_resort": True}):
        no = rig.refused(ONE, **how)
        assert (no.state, no.soft) == (State.COOLING, False)
    assert before == {}
    assert set(rig.health._budget._tokens) == {1}


def _clients(rig: Quiet) -> Permit:
    leave = rig.health.admit(ONE, rig.clients)
    assert isinstance(leave, Permit)
    return leave


def test_failures_of_jobs_open_no_breaker_and_their_answers_close_none() -> None:
    rig = Quiet()
    for _ in range(50):
        rig.fails(ONE, FailureKind.OVERLOADED)
        rig.fails(ONE, FailureKind.TIMED_OUT)
        rig.fails(ONE, FailureKind.UNREACHABLE)
    assert rig.health.all_well
    assert rig.notes.of("breaker") == []
    rig.works(ONE, took=90.0)
    assert rig.health.pace.heard(1, stream=False, now=rig.clock()) is None
    assert rig.health.outage._answered == {}


def test_a_limit_that_a_job_meets_is_learned_like_any_other() -> None:
    rig = Quiet()
    until = rig.fails(ONE, FailureKind.RATE_LIMITED, retry_after=30.0)
    assert until == pytest.approx(rig.clock() + 30.0, abs=5)
    assert isinstance(rig.health.admit(ONE, rig.clients), Refused)
    assert rig.notes.of("cooldown")[0]["kind"] == "rate_limited"


# calls


async def asked(gate: Gate, model: str = "auto", **more: Any) -> tuple[int, Any, Refusal | None]:
    try:
        reply = await accept.chat(gate, JOB, orjson.dumps(chat(model, **more)), {"x-rotation-pin": "sim-generic/m"})
    except Refusal as refusal:
        return refusal.status, orjson.loads(refusal.body())["error"], refusal
    return reply.status, reply, None


def test_a_job_s_call_is_marked_pinned_and_told_why_it_failed() -> None:
    plays = [whole(message()), whole({"error": {"message": "overloaded"}}, 503)]

    async def play(writer: asyncio.StreamWriter) -> None:
        writer.write(plays.pop(0))

    async def story() -> None:
        async with (
            upstream(play) as url,
            gate_for(Offer("generic", "m", base_url=url), Offer("openai", "gpt-4o-mini", base_url=url)) as gate,
        ):
            assert (await asked(gate))[0] == 200
            status, error, _ = await asked(gate)
            assert (status, error["failure"]["kind"], error["failure"]["status"]) == (503, "overloaded", 503)
            assert plays == []
            assert [(p["internal"], len(p["attempts"])) for p in pages(gate)] == [(True, 1), (True, 1)]
            assert gate.health.all_well

    asyncio.run(story())


def test_without_room_it_is_refused_at_once_and_told_when() -> None:
    async def story() -> None:
        async with gate_for(Offer("generic", "m", base_url="http://127.0.0.1:1/v1")) as gate:
            (one,) = gate.snapshot.targets[1]
            gate.health.limits.learn(one, [Limit("requests", 10, 600.0, 4)], gate.now())
            started = gate.now()
            status, error, refusal = await asked(gate)
            assert gate.now() - started < 1.0
            assert (status, error["code"]) == (429, "all_targets_rate_limited")
            assert refusal is not None
            assert 110 <= int(refusal.headers["retry-after"]) <= 121
            assert pages(gate)[0]["attempts"] == []

    asyncio.run(story())
