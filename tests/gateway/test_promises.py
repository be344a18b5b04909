"""What users were promised: tasks answered whoever is dead, and parameters that do not get in the way."""

from __future__ import annotations

import time
from statistics import median

import httpx2
import pytest

from rotation.simulator.serve import Running
from tests.cast import Offer
from tests.gateway.asking import Open, ask, said

CODE = (
    Offer("together", "Qwen/Qwen2.5-Coder-32B-Instruct"),
    Offer("openai", "gpt-4o"),
    Offer("groq", "llama-3.3-70b-versatile"),
)
TASKS = (
    "Write a Python function that reverses a string.",
    "Write a Python function that returns the first n Fibonacci numbers.",
    "Write a Python function that checks whether a number is prime.",
    "Write a Python function that counts the words of a text.",
    "Write a Python class for a stack with push and pop.",
)
DEAD: list[dict[str, object]] = [
    {"fault": "refuse_connection"},
    {"fault": "server_error", "status": 503},
    {"fault": "rate_limit", "hint": "retry_after", "seconds": 60},
    {"fault": "key_revoked"},
    {"fault": "credits_gone"},
]


@pytest.mark.parametrize("kind", ["together", "openai", "groq"])
@pytest.mark.parametrize("how", DEAD, ids=[str(d["fault"]) for d in DEAD])
def test_five_code_tasks_are_answered_with_any_one_provider_dead(
    client: httpx2.Client, gateway: Open, sim: Running, kind: str, how: dict[str, object]
) -> None:
    sim.settings(limits=False)
    served = gateway(*CODE, pool="code")
    sim.faults({"kind": kind, **how})
    for task in TASKS:
        reply = ask(client, served, model="code", text=task)
        assert said(reply)
        assert reply.headers["x-rotation-provider"] != f"sim-{kind}"
    assert [call["outcome"] for call in served.records()] == ["answered"] * len(TASKS)


def test_failover_costs_less_than_200_ms_beyond_the_next_models_own_time(
    client: httpx2.Client, gateway: Open, sim: Running
) -> None:
    """The median of nine, so that one hiccup of the machine decides nothing."""
    sim.settings(limits=False)
    served = gateway(*CODE, pool="code")
    more = []
    for number in range(9):
        sim.faults({"kind": "together", "fault": "server_error", "status": 503, "times": 1})
        started = time.monotonic()
        assert ask(client, served, model="code", text=TASKS[0]).headers["x-rotation-attempts"] == "2"
        took = (time.monotonic() - started) * 1000
        more.append(took - served.records()[number]["attempts"][1]["total_ms"])
        served.gate.health.breakers.clear()
    assert median(more) < 200


def test_a_parameter_a_provider_is_known_to_refuse_is_left_out_and_the_answer_says_so(
    client: httpx2.Client, gateway: Open
) -> None:
    served = gateway(Offer("groq", "llama-3.1-8b-instant"))
    plain = ask(client, served)
    assert "x-rotation-dropped" not in plain.headers
    reply = ask(client, served, logprobs=True, temperature=0.5)
    assert said(reply)
    assert reply.headers["x-rotation-dropped"] == "logprobs"
