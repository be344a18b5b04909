"""A client's deadline: kept by trying whoever is quick enough, leaving time for another, or said to be hopeless."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from rotation.core.expectation import Heard
from rotation.core.failures import FailureKind
from rotation.gateway.gate import Gate
from rotation.gateway.patience import Patience
from tests.cast import Offer
from tests.gateway.scripted import STREAM, ask, gate_for, message, pages, piece, said, upstream, whole

WELL_KNOWN = 30


async def quick(writer: asyncio.StreamWriter) -> None:
    writer.write(whole(message("quick")))


async def quick_words(writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM + said("quick", finish_reason="stop") + piece(b"data: [DONE]\n\n") + b"0\r\n\r\n")


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(20)


def through(
    first: Callable[[asyncio.StreamWriter], Awaitable[None]],
    second: Callable[[asyncio.StreamWriter], Awaitable[None]],
    story: Callable[[Gate], Awaitable[Any]],
) -> Any:
    """A gate over two targets that behave so."""

    async def told() -> Any:
        async with (
            upstream(first) as one,
            upstream(second) as two,
            gate_for(Offer("generic", "one", base_url=one), Offer("generic", "two", base_url=two)) as gate,
        ):
            return await story(gate)

    return asyncio.run(told())


def knows(gate: Gate, deployment: int, seconds: float, *, stream: bool = False) -> None:
    for _ in range(WELL_KNOWN):
        gate.health.pace.learn(deployment, seconds if stream else None, seconds, now=gate.now())


def outcomes(gate: Gate) -> list[tuple[int, str]]:
    return [(a["deployment"], a["outcome"]) for a in pages(gate)[-1]["attempts"]]


@pytest.mark.parametrize("stream", [False, True])
def test_who_is_too_slow_for_the_deadline_is_not_tried_first(stream: bool) -> None:
    async def story(gate: Gate) -> None:
        knows(gate, 1, 30.0, stream=stream)
        knows(gate, 2, 0.05, stream=stream)
        status, _, _ = await ask(gate, "4000", stream=stream)
        assert status == 200
        assert outcomes(gate) == [(2, "ok")]

    through(silence, quick_words if stream else quick, story)


@pytest.mark.parametrize("stream", [False, True])
def test_a_silent_first_leaves_time_for_the_second_and_is_not_blamed(stream: bool) -> None:
    async def story(gate: Gate) -> None:
        for _ in range(6):
            status, _, _ = await ask(gate, "1600", stream=stream)
            assert status == 200
            assert outcomes(gate) == [(1, FailureKind.OUT_OF_TIME), (2, "ok")]
        assert not pages(gate, "breaker")
        assert gate.health.standing(gate.snapshot.targets[1][0]).state == "ready"

    through(silence, quick_words if stream else quick, story)


def test_a_known_one_that_is_far_slower_than_ever_is_blamed() -> None:
    async def story(gate: Gate) -> None:
        knows(gate, 1, 0.1)
        await ask(gate, "1600")
        assert outcomes(gate) == [(1, FailureKind.TIMED_OUT), (2, "ok")]

    through(silence, quick, story)


def test_without_a_deadline_of_the_clients_the_order_is_the_pools() -> None:
    async def story(gate: Gate) -> None:
        knows(gate, 1, 300.0)
        await ask(gate)
        assert outcomes(gate) == [(1, "ok")]

    through(quick, quick, story)


def test_a_deadline_nobody_can_meet_is_refused_at_once_with_what_is_to_be_expected() -> None:
    async def story(gate: Gate) -> None:
        knows(gate, 1, 9.0)
        knows(gate, 2, 4.0)
        status, body, refusal = await ask(gate, "1500")
        assert refusal is not None
        error = body["error"]
        assert (status, error["code"], error["param"]) == (400, "deadline_infeasible", "x-deadline-ms")
        assert (refusal.headers["x-should-retry"], error["expected_seconds"]) == ("false", 4.0)
        assert "1.5 s" in error["message"]
        [page] = pages(gate)
        assert (page["outcome"], page["attempts"]) == ("refused", [])

    through(silence, silence, story)


@pytest.mark.parametrize("deadline", ["3000", None])
def test_a_deadline_somebody_might_meet_is_tried(deadline: str | None) -> None:
    """A whole answer may be much shorter than those that were heard of."""

    async def story(gate: Gate) -> None:
        knows(gate, 1, 9.0)
        knows(gate, 2, 4.0)
        assert (await ask(gate, deadline))[0] == 200

    through(quick, quick, story)


def test_without_evidence_of_all_a_deadline_is_tried() -> None:
    async def story(gate: Gate) -> None:
        knows(gate, 1, 9.0)
        assert (await ask(gate, "1500"))[0] == 200
        assert outcomes(gate) == [(2, "ok")]

    through(silence, quick, story)


@pytest.mark.parametrize(
    ("patience", "seconds", "kind"),
    [
        (Patience(5.0, 60.0), 5.0, FailureKind.TIMED_OUT),
        (Patience(60.0, 3.0), 3.0, FailureKind.CANCELLED),
        (Patience(60.0, 3.0, None, another=True), 1.5, FailureKind.OUT_OF_TIME),
        (Patience(60.0, 3.0, Heard(0.1, 0.2, 0.4, 64), another=True), 1.5, FailureKind.TIMED_OUT),
        (Patience(60.0, 3.0, Heard(1.0, 1.5, 1.8, 64), another=True), 2.7, FailureKind.TIMED_OUT),
        (Patience(60.0, 3.0, Heard(1.0, 2.0, 9.0, 64), another=True), 3.0, FailureKind.CANCELLED),
        (Patience(1.0, 3.0, Heard(1.0, 2.0, 9.0, 64), another=True), 1.0, FailureKind.TIMED_OUT),
    ],
)
def test_what_it_means_to_be_waited_for_in_vain(patience: Patience, seconds: float, kind: FailureKind) -> None:
    assert patience.seconds == pytest.approx(seconds)
    assert patience.ended("answer").kind is kind
