"""One call, from a pool to a reply: it rotates where that helps, and says where it went."""

from __future__ import annotations

import httpx2
import pytest

from rotation.core.failures import TABLE, FailureKind
from rotation.simulator.serve import Running
from tests.cast import Offer
from tests.gateway.asking import Open, ask, said

GROQ, OPENAI = "llama-3.1-8b-instant", "gpt-4o-mini"


def test_the_first_of_the_pool_answers_and_the_headers_say_so(client: httpx2.Client, gateway: Open) -> None:
    reply = ask(client, gateway())
    assert said(reply)
    assert reply.headers["x-rotation-model"] == GROQ
    assert reply.headers["x-rotation-provider"] == "sim-groq"
    assert reply.headers["x-rotation-attempts"] == "1"
    assert reply.headers["x-rotation-simulated"] == "1"
    assert "first;dur=" in reply.headers["server-timing"]


ROTATES = [
    ({"fault": "rate_limit", "hint": "retry_after", "seconds": 30}, FailureKind.RATE_LIMITED),
    ({"fault": "rate_limit", "hint": "none"}, FailureKind.RATE_LIMITED),
    ({"fault": "quota_day"}, FailureKind.QUOTA_DAY),
    ({"fault": "server_error", "status": 500}, FailureKind.OVERLOADED),
    ({"fault": "overloaded"}, FailureKind.OVERLOADED),
    ({"fault": "cut", "after": 0}, FailureKind.OVERLOADED),
    ({"fault": "empty"}, FailureKind.OVERLOADED),
    ({"fault": "html"}, FailureKind.OVERLOADED),
    ({"fault": "redirect"}, FailureKind.OVERLOADED),
    ({"fault": "garbage_bytes"}, FailureKind.OVERLOADED),
    ({"fault": "key_revoked"}, FailureKind.BAD_CREDENTIAL),
    ({"fault": "no_permission"}, FailureKind.NOT_PERMITTED),
    ({"fault": "model_gone"}, FailureKind.MODEL_GONE),
    ({"fault": "too_long"}, FailureKind.TOO_LONG),
]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("fault", "kind"), ROTATES, ids=lambda v: v["fault"] if isinstance(v, dict) else "")
def test_what_one_provider_cannot_do_the_next_does(
    client: httpx2.Client, gateway: Open, sim: Running, fault: dict[str, object], kind: FailureKind, stream: bool
) -> None:
    served = gateway()
    sim.faults({"kind": "groq", **fault})
    reply = ask(client, served, stream=stream)
    assert reply.status_code == 200, reply.text
    assert reply.headers["x-rotation-provider"] == "sim-openai"
    assert reply.headers["x-rotation-attempts"] == "2"
    [call] = served.records()
    assert [a["outcome"] for a in call["attempts"]] == [kind, "ok"]
    assert call["outcome"] == "answered"
    assert call["lost_ms"] > 0


def test_a_body_that_is_no_json_sends_the_call_elsewhere(client: httpx2.Client, gateway: Open, sim: Running) -> None:
    served = gateway()
    sim.faults({"kind": "groq", "fault": "malformed"})
    assert ask(client, served).headers["x-rotation-provider"] == "sim-openai"


def test_an_empty_purse_at_openai_sends_the_call_elsewhere(client: httpx2.Client, gateway: Open, sim: Running) -> None:
    served = gateway(Offer("openai", OPENAI), Offer("groq", GROQ))
    sim.faults({"kind": "openai", "fault": "credits_gone"})
    assert ask(client, served).headers["x-rotation-provider"] == "sim-groq"
    assert served.records()[0]["attempts"][0]["outcome"] == FailureKind.OUT_OF_CREDIT


def test_a_limited_account_is_left_for_the_other_account_of_the_same_model(
    client: httpx2.Client, gateway: Open, sim: Running
) -> None:
    served = gateway(Offer("groq", GROQ, accounts=2), Offer("openai", OPENAI))
    sim.faults({"kind": "groq", "account": "main", "fault": "rate_limit", "hint": "retry_after", "seconds": 60})
    for _ in range(4):
        assert ask(client, served).headers["x-rotation-model"] == GROQ
    limited = [e for e in sim.ledger(kind="groq") if e["status"] == 429]
    assert len(limited) == 1


def test_a_cooling_target_is_not_asked_again_before_its_time(
    client: httpx2.Client, gateway: Open, sim: Running
) -> None:
    served = gateway()
    sim.faults({"kind": "groq", "fault": "rate_limit", "hint": "retry_after", "seconds": 3000})
    for _ in range(5):
        assert ask(client, served).status_code == 200
    assert len(sim.ledger(kind="groq")) == 1
    [cooldown] = served.records("cooldown")
    assert cooldown["kind"] == FailureKind.RATE_LIMITED


def test_a_callers_mistake_is_passed_on_once_and_nobody_is_blamed(client: httpx2.Client, gateway: Open) -> None:
    served = gateway()
    body = {"model": "auto", "messages": [{"role": "user", "content": 17}]}
    reply = client.post(f"{served.url}/v1/chat/completions", json=body)
    assert reply.status_code == 400
    assert "messages[0].content" in reply.json()["error"]["message"]
    assert reply.headers["x-should-retry"] == "false"
    assert served.records()[0]["outcome"] == "refused"
    assert not served.records("cooldown")
    assert ask(client, served).headers["x-rotation-model"] == GROQ


def test_when_all_are_limited_the_answer_is_429_and_says_when_to_come_back(
    client: httpx2.Client, gateway: Open, sim: Running
) -> None:
    served = gateway()
    sim.faults({"fault": "rate_limit", "hint": "retry_after", "seconds": 6000})
    reply = ask(client, served)
    assert reply.status_code == 429
    assert 60 <= int(reply.headers["retry-after"]) <= 86_400
    error = reply.json()["error"]
    assert error["code"] == "all_targets_rate_limited"
    assert {c["target"] for c in error["candidates"]} == {f"sim-groq/{GROQ}", f"sim-openai/{OPENAI}"}


def test_when_all_are_down_the_answer_is_503(client: httpx2.Client, gateway: Open, sim: Running) -> None:
    served = gateway()
    sim.faults({"fault": "server_error", "status": 500})
    reply = client.post(
        f"{served.url}/v1/chat/completions",
        json={"model": "auto", "messages": [{"role": "user", "content": "hi"}]},
        headers={"x-deadline-ms": "1500"},
    )
    assert reply.status_code in (503, 504)
    assert reply.json()["error"]["code"] in ("no_healthy_upstream", "deadline_exceeded")


def test_a_model_may_be_asked_for_by_name_with_and_without_its_provider(client: httpx2.Client, gateway: Open) -> None:
    served = gateway()
    assert ask(client, served, model=OPENAI).headers["x-rotation-model"] == OPENAI
    assert ask(client, served, model=f"sim-openai/{OPENAI}").headers["x-rotation-model"] == OPENAI
    chained = ask(client, served, model=OPENAI, models=[GROQ])
    assert chained.headers["x-rotation-model"] == OPENAI


def test_tools_go_to_a_model_that_can_use_them(client: httpx2.Client, gateway: Open) -> None:
    served = gateway(Offer("groq", GROQ, features={"tools": False}), Offer("openai", OPENAI))
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    assert ask(client, served, tools=[tool]).headers["x-rotation-model"] == OPENAI
    [row] = [t for t in served.records()[0]["trace"] if t["state"] == "unfit"]
    assert "tools" in row["why"]


def test_the_page_of_a_call_agrees_with_what_the_provider_saw(
    client: httpx2.Client, gateway: Open, sim: Running
) -> None:
    served = gateway()
    ids = [ask(client, served).headers["x-request-id"] for _ in range(5)]
    assert [c["id"] for c in served.records()] == ids
    assert [e["request_id"] for e in sim.ledger()] == ids


def test_every_kind_that_rotates_is_tried_above_or_cannot_be_forced_here() -> None:
    tried = {kind for _, kind in ROTATES}
    elsewhere = {
        FailureKind.UPSTREAM_BUSY, FailureKind.TIMED_OUT, FailureKind.STALLED, FailureKind.UNREACHABLE,
        FailureKind.OUT_OF_CREDIT, FailureKind.LACKS_FEATURE, FailureKind.TOO_LARGE_FOR_BUDGET,
        FailureKind.CONTENT_POLICY, FailureKind.GENERATION_FAILED, FailureKind.BAD_REQUEST,
        FailureKind.INTERRUPTED, FailureKind.CANCELLED, FailureKind.OUT_OF_TIME,
    }  # fmt: skip
    assert tried | elsewhere == set(TABLE)
