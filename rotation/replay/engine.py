"""Event time: calls come in when they came in, attempts end when they end, and in between others run.

The loop is the gateway's (`gateway/complete`), with a heap of events in the place of waiting: ask the rotation what
next, ask health for leave, let the drawn fate take its time, tell health and rotation what came of it. How long a
silent target is waited for is the gateway's own rule (`gateway/pace`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rotation.core.failures import Failure, FailureKind
from rotation.core.rotation import Rotation, Try, Wait
from rotation.gateway.leave import Permit, Refused, Work
from rotation.gateway.outlook import peers_of
from rotation.providers.base import Usage
from rotation.replay.evidence import Level
from rotation.replay.fate import Fate, Fates
from rotation.replay.stage import Stage
from rotation.replay.traffic import Asked

REACHED_NOBODY = FailureKind.UNREACHABLE


class Sent(NamedTuple):
    """One attempt of the replay."""

    deployment: int
    account: int
    kind: FailureKind | None
    level: Level
    row: int  # see `Fate`
    rests_on: int
    tokens: int  # that a quota of tokens counts
    cost: float | None


class Outcome(NamedTuple):
    """One call of the replay. Seconds from its start; `first` is None where no content came."""

    answered: bool
    first: float | None
    total: float
    sent: Sequence[Sent]


@dataclass(slots=True)
class Way:
    """One call under way."""

    index: int
    asked: Asked
    rotation: Rotation
    work: Work
    deadline: float
    sent: list[Sent] = field(default_factory=list)
    visits: dict[int, int] = field(default_factory=dict)
    timeouts: int = 0
    first: float = 0.0
    running: tuple[Permit, Fate] | None = None


Event = tuple[float, int, Way]
Progress = Callable[[int], None]


def run(traffic: Sequence[Asked], stage: Stage, fates: Fates, *, told: Progress | None = None) -> list[Outcome]:
    """Every call's outcome, in the traffic's order. `told` hears now and then how many have come in."""
    return Run(stage, fates, [None] * len(traffic)).through(traffic, told)


@dataclass(slots=True)
class Run:
    """One replay."""

    stage: Stage
    fates: Fates
    outcomes: list[Outcome | None]
    events: list[Event] = field(default_factory=list)
    serial: int = 0

    def through(self, traffic: Sequence[Asked], told: Progress | None) -> list[Outcome]:
        stage, events = self.stage, self.events
        for index, asked in enumerate(traffic):
            while events and events[0][0] <= asked.at:
                at, _, way = heapq.heappop(events)
                stage.on(at)
                self.go_on(way)
            stage.on(asked.at)
            self.next(self.begin(index, asked))
            if told is not None and index % 1000 == 0:
                told(index)
        while events:
            at, _, way = heapq.heappop(events)
            stage.on(at)
            self.go_on(way)
        return [outcome for outcome in self.outcomes if outcome is not None]

    def begin(self, index: int, asked: Asked) -> Way:
        stage, now = self.stage, self.stage.clock.at
        policy = stage.route.policy
        candidates = stage.candidates(asked.needs)
        deadline = now + policy.total
        rotation = Rotation(candidates, policy, now=now, deadline=deadline, rand=stage.rand)
        peers = () if stage.health.all_well else peers_of(candidates, now + policy.patience)
        work = Work(policy, stage.route.pool, asked.needs.prompt_tokens, "", 0.0, asked.output, peers)
        return Way(index, asked, rotation, work, deadline)

    def next(self, way: Way) -> None:
        """On until something takes time, or the call ends."""
        health, now = self.stage.health, self.stage.clock.at
        while True:
            match way.rotation.next(now):
                case Try(target, again, last_resort):
                    leave = health.admit(target, way.work, again=again, last_resort=last_resort)
                    if isinstance(leave, Refused):
                        way.rotation.refused(target, leave.until, now, soft=leave.soft)
                        continue
                    return self.send(way, leave)
                case Wait(seconds) if health.outage.over(way.work.peers, now):
                    return self.wait(way, now + seconds)
                case _:
                    return self.end(way, answered=False)

    def wait(self, way: Way, until: float) -> None:
        self.serial += 1
        heapq.heappush(self.events, (until, self.serial, way))

    def send(self, way: Way, permit: Permit) -> None:
        target, now = permit.target, self.stage.clock.at
        deployment = target.deployment.id
        visit = way.visits[deployment] = way.visits.get(deployment, -1) + 1
        fate = self.fates.of(way.index, way.asked, deployment, visit, now)
        fate = self.waited(way, permit, fate)
        way.running = permit, fate
        self.wait(way, now + fate.total)

    def waited(self, way: Way, permit: Permit, fate: Fate) -> Fate:
        """What comes too late is given up on when the gateway would."""
        pace, policy, one = self.stage.health.pace, permit.policy, permit.target.deployment
        left = way.deadline - self.stage.clock.at
        if way.asked.stream:
            patience, sign = pace.first_content(one, policy, way.timeouts), fate.first
        else:
            patience, sign = pace.whole(one, policy, way.timeouts, way.asked.needs.max_output), fate.total
        if fate.kind is REACHED_NOBODY:
            return fate._replace(total=min(fate.total, policy.connect_timeout))
        patience = min(patience, left)
        if sign > patience:
            return fate._replace(kind=FailureKind.TIMED_OUT, total=patience, status=None)
        return fate._replace(total=min(fate.total, left)) if fate.total > left else fate

    def go_on(self, way: Way) -> None:
        """An attempt ended, or a wait."""
        running, way.running = way.running, None
        if running is not None:
            permit, fate = running
            if fate.kind is None:
                return self.answered(way, permit, fate)
            self.failed(way, permit, fate, fate.kind)
        return self.next(way)

    def answered(self, way: Way, permit: Permit, fate: Fate) -> None:
        one, asked = permit.target.deployment, way.asked
        prompt = asked.needs.prompt_tokens
        way.first = self.stage.clock.at - asked.at - fate.total + fate.first
        usage = Usage(prompt, asked.answer)
        self.stage.health.answered(permit, first=fate.first if asked.stream else None, usage=usage)
        price = 0.0 if one.free else None
        if price is None and one.price_in is not None and one.price_out is not None:
            price = prompt * one.price_in + asked.answer * one.price_out
        self.note(way, permit, fate, None, prompt + asked.answer, price)
        self.end(way, answered=True)

    def failed(self, way: Way, permit: Permit, fate: Fate, kind: FailureKind) -> None:
        failure = Failure(kind, status=fate.status, retry_after=fate.retry_after)
        way.timeouts += kind is FailureKind.TIMED_OUT
        self.note(way, permit, fate, kind, 0, 0.0)
        until = self.stage.health.failed(permit, failure)
        way.rotation.failed(permit.target, failure, self.stage.clock.at, until)

    def note(
        self, way: Way, permit: Permit, fate: Fate, kind: FailureKind | None, tokens: int, cost: float | None
    ) -> None:
        target = permit.target
        way.sent.append(
            Sent(target.deployment.id, target.account.id, kind, fate.level, fate.row, fate.rests_on, tokens, cost)
        )

    def end(self, way: Way, *, answered: bool) -> None:
        took = self.stage.clock.at - way.asked.at
        first = way.first if answered and way.asked.stream else None
        self.outcomes[way.index] = Outcome(answered, first, took, way.sent)
