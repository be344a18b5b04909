"""What each client key may still use: so many requests a minute, so many USD a UTC day and month. All in memory.

What was spent comes with the snapshot and from an earlier life of this process, and is added to as calls end; whoever
knows of more is believed, so nothing is counted twice and nothing is forgotten. A call belongs to the day it began.

A call is let in while anything is left beside what the calls under way are expected to cost: of a hundred that come at
once only as many set out as the rest of the budget pays for. So a budget is overdrawn by one call at most, and by what
those under way cost beyond their estimates. A budget limits money: what is free is asked whatever was spent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from rotation.core.bucket import Bucket
from rotation.core.selection import NEVER, Candidate, Standing, State
from rotation.gateway.clients import Client
from rotation.gateway.envelope import Refusal
from rotation.gateway.purse import DAY, Hold, Purse, Spent, day_of, month_begins, month_of

MINUTE = 60.0
CLIENTS_WAIT = 60  # seconds: OpenAI's libraries leave out a longer wait and try at once
COSTS = Standing(State.UNFIT, NEVER, "it is not free, and the budget of this client key is used up")


class Allowances:
    """Of every client key that has a limit, kept by `Client.purse`. `now` is engine time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._rates: dict[int, Bucket] = {}
        self._purses: dict[int, Purse] = {}
        self._simulated: bool | None = None

    def adopt(self, clients: Iterable[Client], spent: Mapping[int, Spent], *, simulated: bool = False) -> None:
        """Another configuration. What was spent on simulated answers is forgotten with them."""
        if simulated is not self._simulated:
            self._purses, self._simulated = {}, simulated
        budgeted = {c.purse for c in clients if c.budgeted}
        self._purses = {one: purse for one, purse in self._purses.items() if one in budgeted}
        for one in budgeted:
            purse = self._purse(one)
            if one in spent:
                purse.believe(spent[one])

    def enter(self, client: Client) -> None:
        """One more request. Raises `Refusal` (429) while it may make none."""
        if client.requests_per_minute is not None:
            now = self._now()
            self._bucket(client.purse, client.requests_per_minute, now).take(1.0, now)

    def look(self, client: Client) -> None:
        """Raises what `enter` would raise; takes nothing. For what is long in coming."""
        if client.requests_per_minute is not None:
            self._bucket(client.purse, client.requests_per_minute, self._now())

    def afforded(self, client: Client, candidates: list[Candidate]) -> list[Candidate]:
        """Whom the key's next call may go to: everybody while something is left of its budgets, else who is free.

        Raises `Refusal` (429) where that is nobody.
        """
        used_up = self._used_up(client) if client.budgeted else None
        if used_up is None:
            return candidates
        kept = [c if c.target.deployment.free else replace(c, standing=COSTS, last_resort=False) for c in candidates]
        if kept and all(c.standing.state is State.UNFIT for c in kept):
            raise used_up
        return kept

    def open(self, client: Client) -> Hold | None:
        """One more call of the key is under way; None for a key without a budget."""
        if not client.budgeted:
            return None
        purse = self._purse(client.purse)
        purse.open += 1
        return Hold(purse, purse.day, purse.month)

    def picture(self) -> bytes:
        """What was spent, for a later life of this process."""
        return orjson.dumps([[one, p.day, p.today, p.month, p.this_month] for one, p in self._purses.items()])

    def resume(self, rows: Any) -> None:
        """What an earlier life wrote down, of the keys that still have a budget. Raises ValueError, TypeError."""
        for one, day, today, month, this_month in rows:
            if one in self._purses:
                self._purses[one].believe(Spent(int(day), float(today), int(month), float(this_month)))

    def _bucket(self, purse: int, many: int, now: float) -> Bucket:
        """The key's bucket, with room for one more."""
        if many < 1:
            raise Refusal(429, "This client key may make 0 requests a minute.", "rate_limit_exceeded",
                          headers={"x-should-retry": "false"})  # fmt: skip
        bucket = self._rates.get(purse)
        if bucket is None:
            bucket = self._rates[purse] = Bucket(many, MINUTE, many, now)
        elif bucket.capacity != many:
            bucket.learn(many, MINUTE, None, now)
        if (free := bucket.ready_at(1.0, now)) > now:
            raise _too_many(many, free - now)
        return bucket

    def _purse(self, one: int) -> Purse:
        today = day_of(self._now())
        purse = self._purses.get(one)
        if purse is None:
            purse = self._purses[one] = Purse(today, month_of(today))
        purse.turn(today)
        return purse

    def _used_up(self, client: Client) -> Refusal | None:
        """What the key is told when nothing is left of one of its budgets."""
        purse = self._purse(client.purse)
        ends = datetime.fromtimestamp((purse.day + 1) * DAY, UTC)
        for name, budget, spent, until in (
            ("daily", client.daily_budget, purse.today, ends),
            ("monthly", client.monthly_budget, purse.this_month, month_begins(purse.month + 1)),
        ):
            if budget is not None and spent + purse.held >= budget:
                return _used_up(name, budget, spent, until, self._now())
        return None


def _too_many(many: int, wait: float) -> Refusal:
    message = f"This client key may make {many} requests a minute. The next one is free in {wait:.1f} s."
    told = {
        "retry-after": str(max(math.ceil(wait), 1)),
        "x-should-retry": "true" if wait <= CLIENTS_WAIT else "false",
        "x-ratelimit-limit-requests": str(many),
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": f"{wait:.3f}s",
    }
    return Refusal(429, message, "rate_limit_exceeded", headers=told)


def _used_up(name: str, budget: float, spent: float, until: datetime, now: float) -> Refusal:
    if spent < budget:
        message = f"Calls under way may use up the {name} budget of this client key. Try again when one has ended."
        return Refusal(429, message, "budget_in_use", headers={"retry-after": "1", "x-should-retry": "true"})
    message = (
        f"The {name} budget of this client key is used up: {spent:.6g} of {budget:.6g} USD. "
        f"The next one begins at {until:%Y-%m-%d %H:%M} UTC; until then free models answer. "
        "Whoever runs this gateway can raise it under Clients."
    )
    told = {"retry-after": str(max(math.ceil(until.timestamp() - now), 1)), "x-should-retry": "false"}
    more = {"budget": budget, "spent": round(spent, 10), "until": until.isoformat()}
    return Refusal(429, message, "insufficient_quota", type="insufficient_quota", headers=told, more=more)
