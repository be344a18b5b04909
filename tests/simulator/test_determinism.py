"""The same seed gives the same world; another seed another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rotation.simulator.catalogue import Model
from rotation.simulator.clock import Clock
from rotation.simulator.latency import timing, uniforms
from rotation.simulator.serve import running
from rotation.simulator.shelves import stock
from tests.simulator.asking import KINDS, MODELS, Client

START = 1_761_393_600.0
RULES: tuple[dict[str, Any], ...] = (
    {"kind": "*", "fault": "rate_limit", "probability": 0.3},
    {"kind": "*", "fault": "server_error", "probability": 0.1},
)


@pytest.fixture
def worlds() -> Callable[[int], list[Any]]:
    def world(seed: int) -> list[Any]:
        with running(seed=seed, speed=1e-6, start=START, limits=False) as sim, Client(sim.url) as client:
            sim.settings(latency=0)
            sim.faults(*RULES)
            answers = [client.chat(kind, stream=stream) for kind in KINDS for stream in (False, True) for _ in range(4)]
            return [(answer.status_code, answer.text) for answer in answers]

    return world


def test_two_worlds_of_one_seed_answer_alike_to_the_byte(worlds: Callable[[int], list[Any]]) -> None:
    first = worlds(7)
    assert first == worlds(7)
    assert first != worlds(8)


def test_a_reset_begins_the_same_world_again() -> None:
    with running(seed=3, speed=1e-6, start=START, limits=False) as sim, Client(sim.url) as client:
        sim.settings(latency=0)
        first = [client.chat("groq").text for _ in range(3)]
        assert len(set(first)) == 3
        sim.reset()
        assert [client.chat("groq").text for _ in range(3)] == first
        sim.reset(seed=4)
        assert client.chat("groq").text != first[0]


def test_the_catalogue_is_decided_by_the_seed_and_always_has_the_starter_s_models() -> None:
    one, same, other = (stock("openrouter", seed) for seed in (1, 1, 2))
    assert list(one) == list(same)
    assert list(one) != list(other)
    for catalogue in (one, other):
        assert len(catalogue) == 347
        assert len({model.family for model in catalogue}) == 55
        assert sum(model.free for model in catalogue) == 53
        primary = catalogue.get(MODELS["openrouter"])
        assert primary is not None
        assert primary.seconds == 0.88


def test_latencies_lie_around_the_model_s_own_median() -> None:
    model = Model("m", seconds=3.01)
    times = sorted(
        timing(model, draw=uniforms(0, "m", number), tokens_in=10, tokens_out=32).total for number in range(2_000)
    )
    assert times[1_000] == pytest.approx(3.01, rel=0.05)
    assert 3.01 / 3 < times[0] < times[100] < 2.4
    assert 3.6 < times[1_900] < times[-1] < 3.01 * 3


def test_longer_answers_and_longer_prompts_take_longer() -> None:
    model = Model("m", seconds=2.0)
    draw = uniforms(0, "m")
    short = timing(model, draw=draw, tokens_in=10, tokens_out=10)
    assert timing(model, draw=draw, tokens_in=10, tokens_out=100).total > short.total * 2
    assert timing(model, draw=draw, tokens_in=20_000, tokens_out=10).first > short.first * 1.9
    assert 0 < short.first < short.total


def test_latency_is_divided_by_speed() -> None:
    with running(speed=50, limits=False) as sim, Client(sim.url) as client:
        client.chat("openrouter", model="microsoft/mai-ds-r1:free")
        slow = sim.ledger()[-1]["total_ms"]
        sim.settings(speed=5_000)
        sim.reset()
        client.chat("openrouter", model="microsoft/mai-ds-r1:free")
        assert sim.ledger()[-1]["total_ms"] < slow
        assert slow > 100  # 12 s / 50 = 0.24 s


def test_simulated_time_runs_with_its_speed_and_is_pushed_but_never_turned_back() -> None:
    clock = Clock(speed=1_000, start=START)
    assert clock.start == START
    clock.advance(3_600)
    assert clock.elapsed >= 3_600
    before = clock.now
    clock.set_speed(0.001)
    assert clock.now >= before
    assert clock.wall(10) == 10_000
    for wrong in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError):
            clock.advance(wrong)
    for wrong in (0, -1, float("nan"), 1e9):
        with pytest.raises(ValueError):
            clock.set_speed(wrong)


def test_faults_share_one_draw_so_that_their_rates_add_up() -> None:
    with running(speed=500, limits=False) as sim, Client(sim.url) as client:
        sim.settings(latency=0)
        sim.faults(*RULES)
        statuses = [client.chat("groq").status_code for _ in range(600)]
        assert statuses.count(429) / 600 == pytest.approx(0.3, abs=0.06)
        assert statuses.count(500) / 600 == pytest.approx(0.1, abs=0.04)
        assert [entry["status"] for entry in sim.ledger()] == statuses
