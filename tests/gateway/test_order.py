"""In which order the targets of a pool are considered, from what the gateway has seen, knows and is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from rotation.core.policy import policy_from
from rotation.gateway.order import Order
from rotation.gateway.pace import Pace
from rotation.gateway.snapshot import Route
from rotation.simulator.serve import Running
from tests.cast import Offer
from tests.gateway.asking import Open, chat
from tests.gateway.parts import Hands, target

QUICK, SLOW = "llama-3.1-8b-instant", "gpt-4o-mini"


class Seen:
    """An order over deployments of which some times are known."""

    def __init__(self, **features: Mapping[str, Any]) -> None:
        self.clock, self.pace = Hands(), Pace()
        self.deployments = {n: target(n, **dict(features.get(f"_{n}", {}))).deployment for n in range(1, 5)}
        self.order = Order(self.pace, now=self.clock, rand=lambda: 0.5)

    def heard(self, deployment: int, seconds: float, *, stream: bool = False, times: int = 30) -> None:
        for _ in range(times):
            self.pace.learn(deployment, seconds if stream else None, seconds, now=self.clock())

    def of(self, strategy: str, *, stream: bool = False, **more: Any) -> tuple[int, ...]:
        return self.order.of(Route("p", (1, 2, 3, 4), strategy=strategy, **more), self.deployments, stream=stream)


def test_without_any_times_the_fastest_are_the_pools_first() -> None:
    assert Seen().of("fastest") == (1, 2, 3, 4)


def test_the_fastest_by_what_was_heard_of_late() -> None:
    seen = Seen()
    for deployment, seconds in ((1, 5.0), (2, 3.0), (3, 0.5), (4, 4.0)):
        seen.heard(deployment, seconds)
    assert seen.of("fastest") == (3, 2, 4, 1)


def test_streams_go_by_their_first_content_and_whole_answers_by_their_end() -> None:
    seen = Seen()
    for deployment in (1, 2, 3, 4):
        seen.heard(deployment, float(deployment))
        seen.heard(deployment, 1.0 / deployment, stream=True)
    assert seen.of("fastest") == (1, 2, 3, 4)
    assert seen.of("fastest", stream=True) == (4, 3, 2, 1)


def test_one_lucky_answer_does_not_outweigh_the_configured_latencies() -> None:
    seen = Seen(_1={"seed_seconds": 1.0}, _2={"seed_seconds": 4.0}, _3={"seed_seconds": 8.0}, _4={"seed_seconds": 9.0})
    seen.heard(4, 0.8, times=1)
    assert seen.of("fastest")[0] == 1
    seen.heard(4, 0.8, times=60)
    assert seen.of("fastest")[0] == 4


def test_a_slow_hour_is_forgotten() -> None:
    seen = Seen(_1={"seed_seconds": 1.0}, _2={"seed_seconds": 2.0}, _3={"seed_seconds": 3.0}, _4={"seed_seconds": 4.0})
    seen.heard(1, 30.0)
    assert seen.of("fastest") == (2, 3, 4, 1)
    seen.clock.forward(4000)
    assert seen.of("fastest") == (1, 2, 3, 4)


def test_the_cheapest_by_the_prices_known() -> None:
    seen = Seen(_1={"price_in": 1.0, "price_out": 1.0}, _2={"free": True}, _4={"price_in": 0.1, "price_out": 0.1})
    assert seen.of("cheapest") == (2, 4, 1, 3)


def test_turns_are_counted_by_pool() -> None:
    seen = Seen()
    firsts = [seen.of("round_robin")[0] for _ in range(5)]
    seen.order.of(Route("other", (1, 2), strategy="round_robin"), seen.deployments, stream=False)
    assert [*firsts, seen.of("round_robin")[0]] == [1, 2, 3, 4, 1, 2]


def test_a_pinned_one_keeps_its_place() -> None:
    seen = Seen()
    for deployment, seconds in ((1, 5.0), (2, 3.0), (3, 0.5), (4, 4.0)):
        seen.heard(deployment, seconds)
    assert seen.of("fastest", pinned=frozenset({1})) == (1, 3, 2, 4)


def test_strangers_are_tried_before_a_known_one_that_stands_behind_them() -> None:
    seen = Seen()
    seen.heard(3, 0.1)
    assert seen.of("fastest") == (1, 2, 3, 4)


def test_a_chain_is_followed_name_by_name() -> None:
    seen = Seen()
    seen.heard(1, 1.0)
    seen.heard(2, 0.1)
    chain = Route("", (4, 1, 2), members=(Route("", (4,)), Route("", (1, 2), strategy="fastest")))
    assert seen.order.of(chain, seen.deployments, stream=False) == (4, 2, 1)


@pytest.mark.parametrize("name", ["auto:fastest", "fast"])
def test_a_gateway_sends_calls_to_the_quickest(gateway: Open, sim: Running, client: Any, name: str) -> None:
    served = gateway(Offer("openai", SLOW), Offer("groq", QUICK))
    gate = served.gate
    fast = replace(gate.snapshot.pools["fast"], strategy="fastest")
    gate.adopt(replace(gate.snapshot, pools={**gate.snapshot.pools, "fast": fast}))
    for _ in range(20):
        gate.health.pace.learn(1, None, 3.0, now=gate.now())
        gate.health.pace.learn(2, None, 0.2, now=gate.now())
    url = f"{served.url}/v1/chat/completions"
    assert client.post(url, json=chat(name)).headers["x-rotation-model"] == QUICK
    assert client.post(url, json=chat("auto")).headers["x-rotation-model"] == SLOW


# out of turn


def everybody(_: int) -> bool:
    return True


def lead(seen: Seen, calls: int, *, ready: Any = everybody, **more: Any) -> list[tuple[int, ...]]:
    route = Route("p", (1, 2, 3, 4), **more)
    return [seen.order.of(route, seen.deployments, stream=False, ready=ready) for _ in range(calls)]


def test_one_call_in_a_hundred_asks_a_lower_one_first_and_says_why() -> None:
    seen = Seen()
    found = lead(seen, 100)
    assert found[:99] == [(1, 2, 3, 4)] * 99
    turn = seen.order.turn()
    assert found[99][0] == 2
    assert sorted(found[99]) == [1, 2, 3, 4]
    assert turn is not None
    assert "asked first as an exploration" in turn.words
    assert seen.order.turn() is None, "it is told once"


def test_the_lower_ones_take_turns_and_rest_while_they_are_fresh() -> None:
    seen = Seen()
    firsts = {order[0] for order in lead(seen, 320)}
    assert firsts == {1, 2, 3, 4}
    assert {order[0] for order in lead(seen, 500)} == {1}
    seen.clock.forward(61)
    assert len({order[0] for order in lead(seen, 320)}) == 4


def test_nobody_is_explored_who_is_not_ready() -> None:
    assert {order[0] for order in lead(Seen(), 500, ready=lambda one: one == 3)} == {1, 3}
    assert {order[0] for order in lead(Seen(), 500, ready=lambda _: False)} == {1}


def test_without_time_and_with_exploring_switched_off_nobody_goes_out_of_turn() -> None:
    off = policy_from("balanced", {"explore_share": 0})
    assert set(lead(Seen(), 500, ready=None)) == {(1, 2, 3, 4)}
    assert set(lead(Seen(), 500, policy=off)) == {(1, 2, 3, 4)}
    assert set(lead(Seen(), 500, policy=policy_from("seed"))) == {(1, 2, 3, 4)}


def test_what_is_pinned_first_stays_first_and_what_is_pinned_lower_is_left_alone() -> None:
    assert {order[0] for order in lead(Seen(), 500, pinned=frozenset({1}))} == {1}
    assert {order[0] for order in lead(Seen(), 500, pinned=frozenset({3}))} == {1, 2, 4}


def test_no_money_is_spent_on_exploring_where_the_first_is_free() -> None:
    paid = {"price_in": 1.0, "price_out": 1.0}
    assert {o[0] for o in lead(Seen(_1={"free": True}, _2=paid, _3={"free": True}, _4=paid), 500)} == {1, 3}


def test_a_model_asked_by_name_and_other_strategies_are_not_explored() -> None:
    seen = Seen()
    route = Route("", (1, 2, 3, 4))
    assert {seen.order.of(route, seen.deployments, stream=False, ready=everybody)[0] for _ in range(500)} == {1}
    assert {order[0] for order in lead(seen, 500, strategy="fastest")} == {1}


def test_a_canary_is_last_in_line_and_now_and_then_first() -> None:
    seen = Seen()
    chances = iter([0.5, 0.01] * 50)
    seen.order = Order(seen.pace, now=seen.clock, rand=lambda: next(chances))
    route = Route("p", (1, 2, 3, 4), policy=policy_from("seed"), canaries=((2, 0.03),))
    found = [seen.order.of(route, seen.deployments, stream=False, ready=everybody) for _ in range(2)]
    assert found == [(1, 3, 4, 2), (2, 1, 3, 4)]
    turn = seen.order.turn()
    assert turn is not None
    assert turn.cause == "canary"
    assert seen.order.of(route, seen.deployments, stream=False) == (1, 3, 4, 2)
    assert seen.order.of(route, seen.deployments, stream=False, ready=lambda _: False) == (1, 3, 4, 2)
    quick = replace(route, strategy="fastest")
    assert seen.order.of(quick, seen.deployments, stream=False)[-1] == 2


def test_an_exploration_is_answered_and_told_with_the_call(gateway: Open, sim: Running, client: Any) -> None:
    served = gateway(Offer("openai", SLOW), Offer("groq", QUICK))
    gate, url = served.gate, f"{served.url}/v1/chat/completions"
    written: list[Mapping[str, Any]] = []
    gate.write = written.append  # type: ignore[method-assign, assignment]  # the journal, read as it is written
    share = policy_from("balanced", {"explore_share": 0.1})
    auto = replace(gate.snapshot.pools["auto"], policy=share)
    gate.adopt(replace(gate.snapshot, pools={**gate.snapshot.pools, "auto": auto}))
    models = [client.post(url, json=chat("auto")).headers["x-rotation-model"] for _ in range(16)]
    assert set(models) == {SLOW, QUICK}
    page = next(record for record in written if record.get("model") == QUICK)
    assert page["policy"]["explored"] == {"deployment": page["deployment"], "cause": "contender"} or (
        page["policy"]["explored"]["cause"] == "stale"
    )
    assert "asked first as an exploration" in page["trace"][0]["why"]
    hurried = {"x-deadline-ms": "30000"}
    firsts = [client.post(url, json=chat("auto"), headers=hurried).headers["x-rotation-model"] for _ in range(20)]
    assert set(firsts) == {SLOW}
