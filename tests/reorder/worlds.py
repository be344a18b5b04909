"""Worlds to order in: models whose speed and failures change with the hour, calls, and the product's own rules.

Pure and in virtual time: the gateway's own order (with exploration) says who is asked, the hourly reordering is made of
the same functions as the job's. Only the models are invented (one that is down rests, as its breaker would have it).
Some hundred thousand calls a second.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from rotation.core.confidence import SURE, swaps
from rotation.core.evidence import HOURS, Hour, Measured, Spread, weighed
from rotation.core.policy import BALANCED
from rotation.core.ranking import Pair, inversions, movable, propose, totals, wanted
from rotation.core.targets import Deployment
from rotation.core.watching import WATCH, Chances, Verdict, path_ms, watched
from rotation.gateway.order import Order
from rotation.gateway.pace import Pace
from rotation.gateway.snapshot import Route

SCATTER = 0.4  # of an answer's time, as a share of its mean
PROBED = 20  # a model that is down is asked by one call in so many, as its breaker would have it


@dataclass(frozen=True)
class Nature:
    """How a model is at some hour: the share it answers, seconds of an answer and of a failure."""

    seconds: float
    share: float = 0.99
    failure: float = 2.0


Being = Callable[[float], Nature]  # by the hour


@dataclass
class Cell:
    """Sums of one model in one hour."""

    ok: int = 0
    lost: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0] * 4)  # of answers, their squares, of failures, squares

    def add(self, ms: float, *, answered: bool) -> None:
        place = 0 if answered else 2
        self.ok, self.lost = self.ok + answered, self.lost + (not answered)
        self.sums[place] += ms
        self.sums[place + 1] += ms * ms

    @property
    def hour(self) -> Hour:
        answers, losses = spread(self.ok, *self.sums[:2]), spread(self.lost, *self.sums[2:])
        return Hour(self.ok, self.lost, answers, losses)


def spread(n: int, total: float, squares: float) -> Spread:
    return Spread(n, total / n, max(squares / n - (total / n) ** 2, 0.0)) if n else Spread()


Cells = dict[int, dict[int, Cell]]  # by model and hour


def cells() -> Cells:
    return defaultdict(lambda: defaultdict(Cell))


@dataclass
class Change:
    """A reordering under watch, or over."""

    at: float  # in hours
    before: tuple[int, ...]
    after: tuple[int, ...]
    state: str = "applied"
    over: float = 0.0
    since: Cells = field(default_factory=cells)
    known: Mapping[int, float] = field(default_factory=dict)


class World:
    """Lives hour by hour: calls, then one look of the reordering. Models are numbered from 1 in their first order."""

    def __init__(self, *models: Being, calls: int = 1000, seed: int = 1) -> None:
        self.models = dict(enumerate(models, 1))
        self.order = tuple(self.models)
        self.calls, self.hours, self.seconds = calls, 0, 0.0
        self.random = random.Random(seed)
        self.pace = Pace()
        self.gateway = Order(self.pace, now=lambda: self.seconds, rand=self.random.random)
        self.deployments = {one: Deployment(one, 1, f"m{one}", free=True) for one in self.models}
        self.seen = cells()
        self.changes: list[Change] = []
        self.spent: list[float] = []  # by hour, expected ms of its calls as they were sent
        self.explored = 0

    def live(self, hours: int) -> None:
        for _ in range(hours):
            self._hour()
            self.hours += 1
            self._look()

    # calls

    def _hour(self) -> None:
        natures = {one: being(float(self.hours)) for one, being in self.models.items()}
        costs: dict[tuple[int, ...], float] = {}
        under_watch = self._under_watch()
        down = {above for above, _ in inversions(under_watch.before, under_watch.after)} if under_watch else set()
        route = Route("world", self.order, BALANCED, watched=dict.fromkeys(down, 1e12))
        spent = 0.0
        for n in range(self.calls):
            self.seconds = (self.hours + n / self.calls) * 3600
            order = self.gateway.of(route, self.deployments, stream=False, ready=lambda _: True)
            if order is not route.deployments:
                self.explored += order != route.deployments
            if order not in costs:
                costs[order] = self._cost(order, float(self.hours))
            spent += costs[order]
            self._call(order, natures, under_watch, probe=n % PROBED == 0)
        self.spent.append(spent / self.calls)

    def _call(
        self, order: tuple[int, ...], natures: Mapping[int, Nature], under_watch: Change | None, *, probe: bool
    ) -> None:
        for one in order:
            nature = natures[one]
            if not nature.share and not probe:
                continue
            answered = self.random.random() < nature.share
            ms = 1000 * (nature.seconds * self.random.gauss(1.0, SCATTER) if answered else nature.failure)
            ms = max(ms, 50.0)
            self.seen[one][self.hours].add(ms, answered=answered)
            if under_watch is not None:
                under_watch.since[one][self.hours].add(ms, answered=answered)
            if answered:
                self.pace.learn(one, None, ms / 1000, now=self.seconds)
                return

    # the reordering, once an hour

    def _under_watch(self) -> Change | None:
        return self.changes[-1] if self.changes and self.changes[-1].state == "applied" else None

    def _look(self) -> None:
        change = self._under_watch()
        if change is not None:
            self._watch(change)
        if not self.changes or (self.changes[-1].state != "applied" and self.changes[-1].over < self.hours):
            self._propose()

    def _watch(self, change: Change) -> None:
        measured = {
            one: replace(found, prior_ms=change.known.get(one)) for one, found in self._measured(change.since).items()
        }
        verdict = watched(change.before, change.after, measured).verdict
        if verdict is Verdict.WORSE:
            change.state, change.over, self.order = "rolled back", float(self.hours), change.before
        elif verdict is Verdict.BETTER or self.hours - change.at >= WATCH / 3600:
            change.state, change.over = "kept", self.hours - 0.5

    def _propose(self) -> None:
        now = self.hours - 1
        measured = self._measured(self.seen)
        evidence = {one: weighed(found, now) for one, found in measured.items()}
        moving = movable(self.order, evidence, ())
        asked = wanted(moving, totals(evidence)) - self._barred()
        compared = swaps(moving, measured, now, asked=asked, burdens={})
        allowed = {pair for pair, found in compared.items() if found.confidence >= SURE}
        proposal = propose(self.order, evidence, (), allowed=allowed)
        if proposal.moves:
            known = {one: found.mean_ms for one, found in evidence.items() if found.mean_ms}
            self.changes.append(Change(self.hours, self.order, proposal.order, known=known))
            self.order = proposal.order

    def _barred(self) -> set[Pair]:
        recent = (c for c in self.changes if c.state == "rolled back" and self.hours - c.over < HOURS)
        return {pair for change in recent for pair in inversions(change.before, change.after)}

    def _measured(self, seen: Cells) -> dict[int, Measured]:
        return {
            one: Measured(one, {h: cell.hour for h, cell in seen[one].items() if self.hours - h <= HOURS})
            for one in self.models
        }

    # hindsight

    def best(self, since: int) -> float:
        """Expected ms of the best fixed order over the hours since then."""
        hours = range(since, self.hours)
        totals = (
            sum(self._cost(order, float(hour)) for hour in hours) for order in itertools.permutations(self.models)
        )
        return min(totals) / len(hours)

    def mean(self, since: int) -> float:
        """Expected ms of the calls as they were sent, explorations among them."""
        return sum(self.spent[since:]) / (self.hours - since)

    def _cost(self, order: tuple[int, ...], hour: float) -> float:
        natures = {one: being(hour) for one, being in self.models.items()}
        chances = {one: Chances(n.share, n.seconds * 1000, n.failure * 1000) for one, n in natures.items() if n.share}
        return path_ms([one for one in order if one in chances], chances)
