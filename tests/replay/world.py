"""Days of a made-up world: traffic, models with a nature of their own, and what really came of an order.

It has its own loop and its own chance; of the product it uses only the rules themselves (rotation, selection, health).
What it tells of a day is what a ledger would: calls, and attempts with their times and failures.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rotation.core.failures import Failure, FailureKind
from rotation.core.policy import BALANCED
from rotation.core.rotation import Rotation, Try
from rotation.core.selection import select
from rotation.core.targets import Account, Deployment, Key, Needs, Provider, Target
from rotation.gateway.health import Health
from rotation.gateway.leave import Permit, Work
from rotation.providers.base import Usage
from rotation.replay.traffic import Asked, Seen

DAY = 86_400.0
MONDAY = 1_760_313_600.0  # 2025-10-13 00:00 UTC


@dataclass(frozen=True)
class Nature:
    """How one model is: seconds to the first content, seconds per token, spread, share of tries that fail."""

    begins: float
    per_token: float
    spread: float
    fails: float
    rhythm: float = 0.0  # by how much slower at the worst hour
    worst: float = 14.0  # that hour


def target_of(number: int) -> Target:
    provider = Provider(number, f"p{number}", "openai", "")
    return Target(Deployment(number, number, f"m{number}"), Key(number, number), Account(number, number), provider)


@dataclass
class Day:
    """What really happened on one day under one order."""

    calls: list[Asked] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    times: list[float] = field(default_factory=list)  # of the answered calls
    first_try: int = 0

    @property
    def figures(self) -> dict[str, float]:
        times = sorted(self.times)
        return {
            "success": len(times) / len(self.calls),
            "first_try": self.first_try / len(self.calls),
            "mean": math.fsum(times) / len(times),
            "p50": times[len(times) // 2],
            "p95": times[int(len(times) * 0.95)],
        }


class World:
    """Models by number, and chance."""

    def __init__(self, seed: int, natures: dict[int, Nature]) -> None:
        self.chance, self.natures = random.Random(f"world {seed}"), natures
        self.targets = {number: target_of(number) for number in natures}

    def lives(self, start: float, order: Sequence[int], calls: int, *, explores: float = 0.0) -> Day:
        """One day of so many calls; of a share of them another model than the first is asked first."""
        day, at = Day(), [start]
        health = Health(now=lambda: at[0], rand=self.chance.random, note=lambda _: None)
        events: list[tuple[float, int, Any]] = []
        for index, moment in enumerate(sorted(self.moment(start) for _ in range(calls))):
            prompt, answer = int(self.chance.lognormvariate(6, 0.8)), int(self.chance.lognormvariate(4.5, 0.7))
            day.calls.append(Asked(moment, Needs(prompt_tokens=prompt, stream=True), answer))
            line = list(order)
            if self.chance.random() < explores:
                line.sort(key=lambda _: self.chance.random())
            heapq.heappush(events, (moment, index, (index, line, None, None)))
        while events:
            at[0], index, (call, line, rotation, ended) = heapq.heappop(events)
            asked = day.calls[call]
            if rotation is None:
                found = select([self.targets[n] for n in line], asked.needs, BALANCED, health.standing)
                rotation = Rotation(found, BALANCED, now=at[0], deadline=at[0] + 600, rand=self.chance.random)
            elif ended is not None and self.end(day, health, call, rotation, *ended):
                continue
            self.goes_on(health, events, (call, line, rotation), asked, at[0])
        return day

    def moment(self, start: float) -> float:
        """More in the afternoon than at night."""
        while True:
            hour = self.chance.random() * 24
            if self.chance.random() < 0.3 + 0.7 * math.sin(math.pi * hour / 24) ** 2:
                return start + hour * 3600

    def goes_on(self, health: Health, events: list[Any], way: Any, asked: Asked, now: float) -> None:
        rotation = way[2]
        while isinstance(step := rotation.next(now), Try):
            leave = health.admit(
                step.target,
                Work(BALANCED, "auto", asked.needs.prompt_tokens, output=None),
                again=step.again,
                last_resort=step.last_resort,
            )
            if isinstance(leave, Permit):
                took = self.takes(step.target.deployment.id, asked, now)
                heapq.heappush(events, (now + took[2], way[0], (*way, (leave, *took))))
                return
            rotation.refused(step.target, leave.until, now, soft=leave.soft)

    def takes(self, number: int, asked: Asked, now: float) -> tuple[FailureKind | None, float, float]:
        nature, chance = self.natures[number], self.chance
        if chance.random() < nature.fails:
            return FailureKind.OVERLOADED, 0.0, chance.uniform(0.2, 2.0)
        hour = now % DAY / 3600
        slow = 1 + nature.rhythm * max(0.0, math.cos((hour - nature.worst) / 24 * 2 * math.pi))
        first = nature.begins * slow * chance.lognormvariate(0, nature.spread)
        rest = nature.per_token * asked.answer * slow * chance.lognormvariate(0, nature.spread / 2)
        return None, first, first + rest

    def end(
        self,
        day: Day,
        health: Health,
        call: int,
        rotation: Rotation,
        leave: Permit,
        kind: FailureKind | None,
        first: float,
        total: float,
    ) -> bool:
        asked, number, now = day.calls[call], leave.target.deployment.id, health.now()
        row = Seen(
            leave.started,
            number,
            kind,
            None if kind else first,
            total,
            asked.needs.prompt_tokens,
            0 if kind else asked.answer,
            call,
            503 if kind else 200,
        )
        day.seen.append(row)
        if kind is None:
            health.answered(leave, first=first, usage=Usage(asked.needs.prompt_tokens, asked.answer))
            day.times.append(now - asked.at)
            day.first_try += rotation.attempts == 1
            return True
        until = health.failed(leave, Failure(kind, status=503))
        rotation.failed(leave.target, Failure(kind, status=503), now, until)
        return False


def some_world(seed: int) -> World:
    """Three models of which the first two are rivals, drawn by the seed."""
    chance = random.Random(f"natures {seed}")

    def nature() -> Nature:
        return Nature(
            begins=chance.uniform(0.3, 1.2),
            per_token=chance.uniform(0.005, 0.03),
            spread=chance.uniform(0.2, 0.6),
            fails=chance.choice([0.0, 0.01, 0.05, 0.15]),
            rhythm=chance.choice([0.0, 0.5, 1.5]),
            worst=chance.uniform(8, 20),
        )

    return World(seed, {number: nature() for number in (1, 2, 3)})
