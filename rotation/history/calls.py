"""Draws the calls of a made-up past, hour by hour: a daily rhythm, bad hours of single models, rotations.

Pure: a cast, a stretch of time and a seed in, the ledger's own rows out. The same arguments draw the same calls.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from math import exp, pi, sin
from uuid import UUID

from rotation.core.failures import TABLE, FailureKind
from rotation.core.targets import Needs
from rotation.gateway.grounds import needs_record
from rotation.history.people import Actor, Cast
from rotation.ledger.rows import AttemptRow, Call, RequestRow

HOUR = timedelta(hours=1)
BAD_HOUR = 0.012  # share of a model's hours in which it is rate-limited every other time
STATUS = {FailureKind.RATE_LIMITED: 429, FailureKind.OVERLOADED: 503, FailureKind.TIMED_OUT: None}
SAID = {
    FailureKind.RATE_LIMITED: "Rate limit exceeded: try again in a moment",
    FailureKind.OVERLOADED: "The model is overloaded",
    FailureKind.TIMED_OUT: "",
}
MOST_TRIES = 5


def weight(hour: datetime) -> float:
    """How busy an hour is: low at four in the morning UTC, high at four in the afternoon, quieter at the weekend."""
    day = 1.0 + 0.75 * sin((hour.hour - 10) / 24 * 2 * pi)
    return day * (0.6 if hour.weekday() >= 5 else 1.0)


def per_hour(calls: int, start: datetime, hours: int, seed: int) -> list[int]:
    """How many calls each hour gets; exactly `calls` in all."""
    chance = random.Random(f"{seed}/hours")  # noqa: S311 - believable, not secret
    weights = [weight(start + n * HOUR) * chance.uniform(0.9, 1.1) for n in range(hours)]
    total, given, out = sum(weights), 0, []
    reached = 0.0
    for one in weights:
        reached += one
        upto = round(calls * reached / total)
        out.append(upto - given)
        given = upto
    return out


@dataclass(slots=True)
class Scene:
    """One hour: who has a bad one. Everything in it is drawn from `chance`."""

    cast: Cast
    chance: random.Random
    client: int | None
    bad: set[int] = field(default_factory=set)

    @classmethod
    def open(cls, cast: Cast, hour: datetime, seed: int, client: int | None) -> Scene:
        chance = random.Random(f"{seed}/{hour.isoformat()}")  # noqa: S311 - believable, not secret
        everybody = sorted({actor.deployment for order in cast.orders.values() for actor in order})
        return cls(cast, chance, client, {d for d in everybody if chance.random() < BAD_HOUR})

    def uuid(self, at: datetime) -> UUID:
        """Version 7, drawn: the same seed gives the same ids, so a second run adds nothing."""
        draw = self.chance.getrandbits
        ms = int(at.timestamp() * 1000)
        return UUID(int=ms << 80 | 7 << 76 | draw(12) << 64 | 2 << 62 | draw(62))


def calls(cast: Cast, *, hour: datetime, many: int, seed: int, client: int | None = None) -> Iterator[Call]:
    """`many` calls that began in the hour, oldest first."""
    scene = Scene.open(cast, hour, seed, client)
    moments = sorted(scene.chance.random() for _ in range(many))
    for moment in moments:
        yield call(scene, hour + moment * HOUR)


def call(scene: Scene, at: datetime) -> Call:
    chance = scene.chance
    pool = chance.choices(list(scene.cast.weights), list(scene.cast.weights.values()))[0]
    order = scene.cast.orders[pool]
    first = min(int(chance.expovariate(0.55)), len(order) - 1)  # who is not cooling: mostly the front
    tries = [order[(first + n) % len(order)] for n in range(min(MOST_TRIES, len(order)))]
    tokens_in = int(chance.lognormvariate(6.2, 0.8))
    request_id, queue = scene.uuid(at), chance.uniform(0.2, 0.9)
    attempts: list[AttemptRow] = []
    clock = queue
    for n, actor in enumerate(tries, 1):
        row = attempt(scene, actor, at=at, request_id=request_id, n=n, start=clock, tokens_in=tokens_in)
        attempts.append(row)
        clock += row.total_ms + chance.uniform(0.2, 0.6)
        if row.outcome == "ok":
            break
    return Call(request(scene, attempts, at=at, pool=pool, total=clock, tokens_in=tokens_in), tuple(attempts))


def outcome_of(scene: Scene, actor: Actor) -> str:
    limited = 0.5 if actor.deployment in scene.bad else actor.limited
    drawn = scene.chance.random()
    for share, kind in (
        (limited, FailureKind.RATE_LIMITED),
        (actor.failing, FailureKind.OVERLOADED),
        (actor.slow, FailureKind.TIMED_OUT),
    ):
        if drawn < share:
            return kind.value
        drawn -= share
    return "ok"


def attempt(
    scene: Scene, actor: Actor, *, at: datetime, request_id: UUID, n: int, start: float, tokens_in: int
) -> AttemptRow:
    chance, outcome = scene.chance, outcome_of(scene, actor)
    account, key = actor.keys[int(chance.random() * len(actor.keys))]
    connect = chance.uniform(1, 30)
    good = outcome == "ok"
    tokens_out = max(1, int(chance.lognormvariate(5.3, 0.7))) if good else 0
    total = actor.median * exp(chance.gauss(0, actor.spread)) if good else lost_ms(chance, outcome)
    kind = None if good else FailureKind(outcome)
    began = at + timedelta(milliseconds=start)
    cost = actor.price_in * tokens_in + actor.price_out * tokens_out if good else 0.0
    return AttemptRow(
        at=began, id=scene.uuid(began), request_id=request_id, n=n, provider_id=actor.provider,
        deployment_id=actor.deployment, account_id=account, key_id=key, model=actor.model, outcome=outcome,
        status=200 if kind is None else STATUS[kind], blame=None if kind is None else TABLE[kind].blame.value,
        message="" if kind is None else SAID[kind],
        retry_after_s=round(chance.uniform(2, 30), 1) if kind is FailureKind.RATE_LIMITED else None,
        start_ms=start, connect_ms=connect,
        first_ms=connect + (total - connect) * chance.uniform(0.15, 0.4) if good else None,
        total_ms=max(total, connect + 1), tokens_in=tokens_in if good else 0, tokens_out=tokens_out,
        cost=Decimal(f"{cost:.10f}"), simulated=True,
    )  # fmt: skip


def lost_ms(chance: random.Random, outcome: str) -> float:
    """A refusal is quick, a timeout is not."""
    if outcome == FailureKind.TIMED_OUT:
        return chance.uniform(5_000, 9_000)
    return 60 + chance.expovariate(1 / 80)


def request(
    scene: Scene, attempts: list[AttemptRow], *, at: datetime, pool: str, total: float, tokens_in: int
) -> RequestRow:
    last = attempts[-1]
    good = last.outcome == "ok"
    stream = scene.chance.random() < 0.6
    return RequestRow(
        at=at, id=last.request_id, client_key_id=scene.client, operation="chat", asked=pool, pool=pool,
        stream=stream, status=200 if good else 503, outcome="answered" if good else "failed",
        failure_kind=None if good else last.outcome, provider_id=last.provider_id if good else None,
        deployment_id=last.deployment_id if good else None, key_id=last.key_id if good else None,
        model=last.model if good else "", attempts=len(attempts), queue_ms=attempts[0].start_ms,
        first_ms=last.start_ms + last.first_ms if last.first_ms is not None else None, total_ms=total,
        lost_ms=sum(row.total_ms for row in attempts if row.outcome != "ok"), tokens_in=tokens_in if good else 0,
        tokens_out=last.tokens_out, usage_estimated=False,
        cost=sum((row.cost or Decimal(0) for row in attempts), Decimal(0)),
        simulated=True, error="" if good else "every model that could have answered was tried", trace=trace(attempts),
        needs=json.dumps(needs_record(Needs(prompt_tokens=tokens_in, stream=stream))),
        policy=json.dumps({"version": 1, "strategy": "ordered"}),
    )  # fmt: skip


def trace(attempts: list[AttemptRow]) -> str:
    """What the gateway would have noted."""
    rows = [
        {
            "target": row.model,
            "deployment": row.deployment_id,
            "key": row.key_id,
            "state": "answered" if row.outcome == "ok" else "tried",
            "why": "next in order" if row.outcome == "ok" else TABLE[FailureKind(row.outcome)].words,
        }
        for row in attempts
    ]
    return json.dumps(rows)
