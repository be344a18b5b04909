"""The engine set up for a replay: one configuration, a fresh health on a simulated clock, the gateway's own order.

Nothing is sent and nothing is stored. Selection is remembered for the usual case (everybody ready, a call no longer
than anybody takes), in which it would say the same again; in any other it is made anew.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rotation.core.fitness import unfit
from rotation.core.policy import Policy
from rotation.core.selection import READY, Candidate, State, select
from rotation.core.targets import Deployment, Needs, Target
from rotation.gateway.health import Health
from rotation.gateway.order import Order
from rotation.gateway.snapshot import Block, Learned, Route
from rotation.replay.traffic import Spent

ENDLESS = 1 << 60
UNHEARD = logging.getLogger("rotation.replay.health")
UNHEARD.disabled = True  # a breaker that opens here is nobody's alarm

Shape = tuple[object, ...]
Bounds = tuple[int, int]  # tokens: the smallest context and the smallest answer anybody in line allows


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to run a pool: whom, in which order, by which rules. `targets` are by deployment."""

    route: Route
    deployments: Mapping[int, Deployment]
    targets: Mapping[int, tuple[Target, ...]]
    learned: Sequence[Learned] = ()
    blocks: Sequence[Block] = field(default=(), repr=False)  # who is out of service for all of it

    @property
    def policy(self) -> Policy:
        return self.route.policy


class Steady:
    """The simulated clock: epoch seconds, moved by the replay."""

    __slots__ = ("at",)

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at


class Stage:
    """The engine of one replay."""

    def __init__(self, scenario: Scenario, *, start: float, seed: int, others: Sequence[Spent] = ()) -> None:
        self.snapshot, self.route, self.clock = scenario, scenario.route, Steady(start)
        self.rand = random.Random(seed).random  # noqa: S311 - repeatable is the point
        self.health = Health(now=self.clock.now, rand=self.rand, note=lambda _: None, log=UNHEARD)
        self.health.benched = {block.scope: block for block in scenario.blocks}
        everybody = [t for one in scenario.route.deployments for t in scenario.targets.get(one, ())]
        self.health.limits.plan(everybody, start)
        self.health.limits.adopt(scenario.learned, start)
        self.order = Order(self.health.pace, now=self.clock.now, rand=self.rand)
        self._others, self._drawn = others, 0
        self._turns: dict[int, int] = {}
        self._in_turn = any(len(found) > 1 for found in scenario.targets.values())
        self._lines: dict[tuple[int, ...], tuple[Target, ...]] = {}
        self._ready: dict[tuple[tuple[int, ...], Shape], tuple[Bounds, list[Candidate]]] = {}

    def on(self, at: float) -> None:
        """The clock goes on; what others took until then is gone."""
        others, quotas = self._others, self.health.limits.quotas
        while self._drawn < len(others) and others[self._drawn].at <= at:
            one = others[self._drawn]
            self._drawn += 1
            needs = {"requests": 1.0, "tokens": float(one.tokens)}
            for scope in one.scopes:
                if (quota := quotas.get(scope)) is not None:
                    quota.settle(quota.reserve(needs, one.at), needs, one.at)
        self.clock.at = at

    def candidates(self, needs: Needs) -> list[Candidate]:
        """What `select` says of a call with these needs that comes in now."""
        targets = self.line(needs)
        place = tuple([id(target) for target in targets]), shape(needs)
        known = self._ready.get(place)
        if known is None:
            of_no_length = replace(needs, prompt_tokens=0, max_output=None)
            everybody_ready = select(targets, of_no_length, self.route.policy, lambda _: READY)
            known = self._ready[place] = bounds(targets), everybody_ready
        (context, answer), ready = known
        asked = needs.max_output or 0
        short = needs.prompt_tokens + asked <= context and asked <= answer
        standing = self.health.standing
        if short and (self.health.all_well or all(standing(target) is READY for target in targets)):
            return ready
        return select(targets, needs, self.route.policy, standing)

    def line(self, needs: Needs) -> tuple[Target, ...]:
        """The targets in the order of trying, the keys of a deployment in turn; now and then one that stands lower goes
        first, as in the gateway.
        """
        order = self.order.of(
            self.route, self.snapshot.deployments, stream=needs.stream, ready=lambda one: self._free(one, needs)
        )
        if self._in_turn:
            return tuple(target for one in order for target in self._turned(one))
        line = self._lines.get(order)
        if line is None:
            found = self.snapshot.targets
            line = self._lines[order] = tuple(target for one in order for target in found.get(one, ()))
        return line

    def _turned(self, deployment: int) -> tuple[Target, ...]:
        targets = self.snapshot.targets.get(deployment, ())
        if len(targets) < 2:
            return targets
        turn = self._turns[deployment] = (self._turns.get(deployment, -1) + 1) % len(targets)
        return targets[turn:] + targets[:turn]

    def _free(self, deployment: int, needs: Needs) -> bool:
        """Whether it fits the call and nothing is in its way."""
        return any(
            self.health.standing(target).state is State.READY
            for target in self.snapshot.targets.get(deployment, ())
            if unfit(target.deployment, needs, target.provider.kind) is None
        )


def shape(needs: Needs) -> Shape:
    """All of it but the lengths."""
    return (needs.stream, needs.tools, needs.json_schema, needs.images, needs.json_mode, needs.parallel_tools,
            needs.type, needs.image_bytes, needs.choices)  # fmt: skip


def bounds(targets: Sequence[Target]) -> Bounds:
    """Calls below these fit everybody in line, as far as length goes."""
    context = min((t.deployment.context or ENDLESS for t in targets), default=ENDLESS)
    return context, min((t.deployment.max_output or ENDLESS for t in targets), default=ENDLESS)
