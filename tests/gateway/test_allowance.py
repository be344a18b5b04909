"""What a client key may use is held to in memory: a rate, and budgets that end with the day and the month."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.selection import READY, Candidate, State
from rotation.gateway import accept
from rotation.gateway.allowance import Allowances
from rotation.gateway.clients import Client
from rotation.gateway.costs import USUAL_OUTPUT, expected_cost
from rotation.gateway.envelope import Refusal
from rotation.gateway.gate import Gate
from rotation.gateway.purse import DAY, Hold, Spent, day_of, month_of
from tests.cast import Offer, snapshot_of
from tests.gateway.asking import chat
from tests.gateway.parts import Hands, target
from tests.gateway.scripted import NOWHERE, gate_for, message, pages, upstream, whole

LAST_DAY = datetime(2025, 10, 31, 22, tzinfo=UTC).timestamp()
KIM = Client(7, "kim", daily_budget=1.0, monthly_budget=5.0)
SLOW = Client(8, "slow", requests_per_minute=3)
PRICED = {"price_in": 1e-6, "price_out": 1e-3}


def allowances(at: Hands, *clients: Client, **spent: Spent) -> Allowances:
    found = Allowances(at)
    found.adopt(clients or (KIM, SLOW), {int(k[5:]): v for k, v in spent.items()})
    return found


def paid(known: Allowances, usd: float | None, client: Client = KIM) -> None:
    opened(known, client).settle(usd)


def opened(known: Allowances, client: Client = KIM) -> Hold:
    known.afforded(client, [Candidate(target(), READY)])
    hold = known.open(client)
    assert hold is not None
    return hold


def refused(known: Allowances, client: Client = KIM) -> Refusal:
    def comes() -> None:
        known.enter(client)
        known.afforded(client, [Candidate(target(), READY)])

    with pytest.raises(Refusal) as caught:
        comes()
    assert caught.value.status == 429
    return caught.value


def test_a_rate_refills_all_the_time_and_says_when_the_next_request_is_free() -> None:
    at = Hands(LAST_DAY)
    known = allowances(at)
    for _ in range(3):
        known.enter(SLOW)
    no = refused(known, SLOW)
    assert (no.code, no.headers["retry-after"], no.headers["x-should-retry"]) == ("rate_limit_exceeded", "20", "true")
    at.forward(20)
    known.enter(SLOW)
    known.adopt([quicker := replace(SLOW, requests_per_minute=6)], {})
    for _ in range(3):
        known.enter(quicker)
    assert refused(known, quicker).headers["x-ratelimit-limit-requests"] == "6"


def test_a_rate_of_nothing_lets_nobody_in_and_no_rate_lets_everybody_in() -> None:
    known = allowances(Hands())
    assert "retry-after" not in refused(known, replace(SLOW, requests_per_minute=0)).headers
    for _ in range(1000):
        known.enter(Client(1, "me"))
        assert known.open(Client(1, "me")) is None


def test_a_budget_that_is_used_up_says_how_much_of_what_and_when_it_ends() -> None:
    at = Hands(LAST_DAY)
    known = allowances(at)
    paid(known, 0.999)
    paid(known, 0.1)  # the last call may go beyond it
    no = refused(known)
    assert (no.code, no.type) == ("insufficient_quota", "insufficient_quota")
    assert "1.099 of 1 USD" in no.message
    assert "2025-11-01 00:00 UTC" in no.message
    assert "daily" in no.message
    assert (no.headers["retry-after"], no.headers["x-should-retry"]) == ("7200", "false")
    assert orjson.loads(no.body())["error"]["until"] == "2025-11-01T00:00:00+00:00"


def test_a_new_day_and_a_new_month_begin_with_nothing_spent() -> None:
    at = Hands(LAST_DAY - DAY)
    known = allowances(at, spent7=Spent(day_of(LAST_DAY - DAY), 0.5, month_of(day_of(LAST_DAY)), 4.5))
    paid(known, 0.5)
    assert "monthly" in refused(known).message or "daily" in refused(known).message
    at.forward(DAY)
    assert "monthly budget of this client key is used up: 5 of 5" in refused(known).message
    at.forward(DAY / 2)
    paid(known, 0.9)


def test_a_stream_that_ends_late_counts_on_the_day_it_began() -> None:
    at = Hands(LAST_DAY - DAY)
    known = allowances(at)
    late = opened(known)
    at.forward(DAY)
    paid(known, 0.1)
    late.settle(4.85)  # yesterday, but this month
    paid(known, 0.06)
    assert "monthly" in refused(known).message
    last = Hold(late.purse, late.day, late.month)
    at.forward(DAY)
    last.settle(9.0)  # last month
    paid(known, 0.9)


def test_several_snapshots_and_an_earlier_life_count_nothing_twice_and_forget_nothing() -> None:
    at = Hands(LAST_DAY)
    day, month = day_of(LAST_DAY), month_of(day_of(LAST_DAY))
    known = allowances(at)
    paid(known, 0.4)
    known.adopt([KIM], {7: Spent(day, 0.3, month, 0.3)})  # the ledger is behind
    known.adopt([KIM], {7: Spent(day, 0.4, month, 0.4)})
    known.adopt([KIM], {7: Spent(day, 0.6, month, 2.0)})  # somebody else spent too
    paid(known, 0.39)
    opened(known).settle(0.0)
    again = allowances(at)
    again.resume(orjson.loads(known.picture()))
    again.adopt([KIM], {})
    paid(again, 0.01)
    assert "1 of 1 USD" in refused(again).message
    again.adopt([replace(KIM, daily_budget=2.0)], {}, simulated=True)
    paid(again, 0.9)  # what simulated answers cost is another purse


@pytest.mark.parametrize("rows", [7, [[1]], [[7, "x", 1, 1, 1]], {"a": 1}, [None]])
def test_a_kept_file_of_another_shape_is_refused(rows: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        allowances(Hands(), KIM, spent7=Spent(1, 0, 1, 0)).resume(rows)


@given(st.lists(st.tuples(st.floats(0.001, 0.5), st.floats(0, 0.6), st.integers(0, 5)), max_size=60))
def test_a_budget_is_overdrawn_by_one_call_and_by_what_was_not_foreseen_at_most(
    calls: list[tuple[float, float, int]],
) -> None:
    """Calls come and end in any order; each expects to cost this, costs that, and ends after so many others came."""
    known = allowances(Hands(LAST_DAY))
    under_way: list[tuple[int, Hold, float]] = []
    unforeseen, largest, spent = 0.0, 0.0, 0.0
    for n, (expects, costs, lasts) in enumerate(calls):
        for one in [o for o in under_way if o[0] <= n]:
            one[1].settle(one[2])
            under_way.remove(one)
        try:
            hold = opened(known)
        except Refusal:
            continue
        hold.expect(expects)
        under_way.append((n + lasts, hold, costs))
        spent, unforeseen = spent + costs, unforeseen + max(costs - expects, 0.0)
        largest = max(largest, expects)
    for _, hold, costs in under_way:
        hold.settle(costs)
        hold.settle(costs)
    assert spent <= 1.0 + largest + unforeseen + 1e-9
    assert not any(p.open or p.held for p in known._purses.values())


def test_what_a_call_is_expected_to_cost_follows_its_attempts() -> None:
    cheap, dear = target(1, price_in=1e-6, price_out=2e-6), target(2, price_in=1e-5, price_out=2e-5)
    assert expected_cost(cheap.deployment, 100, 50) == pytest.approx(0.0002)
    assert expected_cost(cheap.deployment, 0, None) == pytest.approx(USUAL_OUTPUT * 2e-6)
    assert expected_cost(target(free=True, price_in=1.0, price_out=1.0).deployment, 9, 9) == 0.0
    assert expected_cost(target().deployment, 9, 9) == 0.0
    hold = opened(known := allowances(Hands(LAST_DAY)))
    for one in (cheap, dear, cheap):
        hold.expect(expected_cost(one.deployment, 100, 50))
    assert hold.purse.held == pytest.approx(0.002)
    hold.settle(None)
    hold.expect(1.0)
    assert (hold.purse.held, hold.purse.today) == (0.0, 0.0)
    paid(known, 0.5)


# calls


def test_nobody_is_expected_to_write_more_than_it_can() -> None:
    short = target(1, price_in=0.0, price_out=1e-6, max_output=2_000).deployment
    assert expected_cost(short, 0, 10**9) == pytest.approx(0.002)
    assert expected_cost(short, 0, None) == pytest.approx(USUAL_OUTPUT / 1e6)


def spender(**more: Any) -> Client:
    return Client(1, "me", **more)


async def asked(gate: Gate, client: Client, **more: Any) -> Refusal | None:
    try:
        await accept.chat(gate, client, orjson.dumps(chat(**more)))
    except Refusal as refusal:
        return refusal
    return None


def answer(tokens_out: int) -> bytes:
    return whole({**message(), "usage": {"prompt_tokens": 0, "completion_tokens": tokens_out}})


def test_of_a_hundred_calls_at_once_only_as_many_set_out_as_the_budget_pays_for() -> None:
    sent = 0

    async def play(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        sent += 1
        await asyncio.sleep(0.05)
        writer.write(answer(100))

    async def story() -> None:
        async with upstream(play) as url, gate_for(Offer("generic", "m", features=PRICED, base_url=url)) as gate:
            client = spender(daily_budget=0.95)
            gate.allowances.adopt([client], {})
            ends = await asyncio.gather(*(asked(gate, client, max_tokens=100) for _ in range(100)))
            assert {no.code for no in ends if no} == {"budget_in_use"}
            assert (sent, sum(no is None for no in ends)) == (10, 10)  # a tenth of a USD each
            last = await asked(gate, client)
            assert last is not None
            assert last.code == "insufficient_quota"
            page = pages(gate)[-1]
            assert (page["outcome"], page["status"], page["failure"], page["attempts"]) == ("refused", 429, None, [])
            assert (page["asked"], page["client"]) == ("auto", 1)
            assert "used up" in page["error"]
            assert page["simulated"], "as the answers of this world are"

    asyncio.run(story())


def test_what_is_free_is_answered_when_the_budget_is_used_up() -> None:
    async def story() -> None:
        asked_for = []

        async def play(writer: asyncio.StreamWriter) -> None:
            asked_for.append(1)
            writer.write(answer(100))

        async with upstream(play) as url:
            paid = Offer("generic", "paid", features=PRICED, base_url=url)
            free = Offer("generic", "free", features={"free": True}, base_url=url)
            async with gate_for(paid, free) as gate:
                client = spender(daily_budget=0.05)
                gate.allowances.adopt([client], {})
                assert await asked(gate, client) is None
                assert pages(gate)[-1]["model"] == "paid"
                assert await asked(gate, client) is None
                page = pages(gate)[-1]
                assert (page["model"], page["cost"]) == ("free", 0.0)
                why = {row["target"].rpartition("/")[2]: row.get("why", "") for row in page["trace"]}
                assert "budget" in why["paid"]
                no = await asked(gate, client, model="paid")
                assert no is not None
                assert (no.code, "free models answer" in no.message) == ("insufficient_quota", True)
                assert len(asked_for) == 2

    asyncio.run(story())


def test_nobody_but_who_is_free_is_left_to_a_key_without_money() -> None:
    known = allowances(Hands())
    free, paid = target(1, free=True), target(2, price_in=1.0, price_out=1.0)
    both = [Candidate(paid, READY), Candidate(free, READY)]
    opened(known).settle(0.5)
    assert known.afforded(KIM, both) is both
    opened(known).settle(0.5)
    kept = known.afforded(KIM, both)
    assert [(c.target, c.standing.state) for c in kept] == [(paid, State.UNFIT), (free, State.READY)]
    assert known.afforded(Client(1, "me"), both) is both
    assert known.afforded(KIM, []) == []


def test_a_rate_is_refused_before_anybody_is_asked_and_leaves_a_page() -> None:
    async def story() -> None:
        async with gate_for(Offer("openai", "gpt-4o-mini", base_url=NOWHERE)) as gate:
            client = spender(requests_per_minute=1)
            assert (await asked(gate, client)) is not None  # nobody listens there
            no = await asked(gate, client)
            assert no is not None
            assert (no.status, no.code) == (429, "rate_limit_exceeded")
            assert no.headers["x-request-id"] == pages(gate)[-1]["id"]
            assert pages(gate)[-1]["attempts"] == []

    asyncio.run(story())


def test_a_failed_call_leaves_the_budget_whole() -> None:
    async def story() -> None:
        async with gate_for(Offer("openai", "gpt-4o-mini", base_url=NOWHERE, features=PRICED)) as gate:
            client = spender(monthly_budget=0.5)
            gate.allowances.adopt([client], {})
            for _ in range(3):
                no = await asked(gate, client)
                assert no is not None
                assert no.status == 503
            (purse,) = gate.allowances._purses.values()
            assert (purse.open, purse.held, purse.this_month) == (0, 0.0, 0.0)

    asyncio.run(story())


def test_a_snapshot_brings_budgets_and_what_was_spent() -> None:
    async def story() -> None:
        async with gate_for(Offer("openai", "gpt-4o-mini", base_url=NOWHERE)) as gate:
            client = spender(daily_budget=0.5)
            day = day_of(gate.now())
            found = snapshot_of(NOWHERE, [Offer("openai", "gpt-4o-mini")])
            spent = {1: Spent(day, 0.5, month_of(day), 0.5)}
            gate.adopt(replace(found, clients={"x": client}, spent=spent))
            no = await asked(gate, client)
            assert no is not None
            assert no.code == "insufficient_quota"

    asyncio.run(story())
