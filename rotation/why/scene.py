"""The engine's world as the database knows it at one moment: a throw-away stand-in for the gateway's own, to be asked.

What only the gateway's memory holds (probes under way, whose turn it is, the very last seconds) is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

from rotation.core.selection import Candidate, State, select
from rotation.core.strategies import ORDERED
from rotation.core.targets import Target
from rotation.gateway import loading, recall
from rotation.gateway.call import Call
from rotation.gateway.clients import Client
from rotation.gateway.health import Health
from rotation.gateway.leave import Permit, Refused, Work
from rotation.gateway.order import Order
from rotation.gateway.snapshot import Route, Snapshot
from rotation.why import paces, quotas

if TYPE_CHECKING:
    from rotation.gateway.gate import Gate  # it opens connections; here nothing is sent

ANYBODY = Client(0, "")


def middle() -> float:
    """Chance, when nothing is drawn: neither lucky nor unlucky."""
    return 0.5


@dataclass(frozen=True, slots=True)
class Scene:
    """Has what a task asks of a gate: `snapshot`, `health`, `targets`."""

    at: datetime
    snapshot: Snapshot
    health: Health
    order: Order

    @classmethod
    def of(cls, at: datetime) -> Scene:
        """Some dozen queries, whatever there is."""
        snapshot, moment = loading.build(loading.read()), at.timestamp()
        health = Health(now=lambda: moment, rand=middle, note=lambda _: None)
        recall.adopt(health, snapshot)
        quotas.fill(health.limits, at)
        return cls(at, snapshot, health, Order(health.pace, now=lambda: moment, rand=middle))

    def candidates(self, route: Route, call: Call) -> list[Candidate]:
        """Selection's own list; who stands ready is also asked for leave, for its quota may say no."""
        if any(strategy != ORDERED for strategy in strategies_of(route)):
            paces.fill(self.health.pace, route.deployments, self.at)
        gate = cast("Gate", self)  # a task asks it for no more than what is here
        found = select(call.task.targets(gate, route, call), call.needs, route.policy, call.task.standing(gate))
        work = Work(route.policy, route.pool, call.needs.prompt_tokens, "", call.task.audio_seconds, call.output)
        return [self._admitted(c, work) for c in found]

    def targets(self, route: Route, *, stream: bool = False, patient: Call | None = None) -> Iterator[Target]:
        """The route's targets in the order of its strategy, nobody out of turn; the keys of a deployment in theirs."""
        for deployment in self.order.of(route, self.snapshot.deployments, stream=stream):
            yield from self.snapshot.targets.get(deployment, ())

    def client(self, key: int | None) -> Client:
        """The client key, or anybody when it is gone."""
        return next((c for c in self.snapshot.clients.values() if c.id == key), ANYBODY)

    def _admitted(self, candidate: Candidate, work: Work) -> Candidate:
        if candidate.standing.state is not State.READY:
            return candidate
        match self.health.admit(candidate.target, work):
            case Refused() as no:
                return replace(candidate, standing=no.standing)
            case Permit() as permit:
                self.health.release(permit)
        return candidate


def strategies_of(route: Route) -> set[str]:
    """Those of a chain's names, each its own."""
    if not route.members:
        return {route.strategy}
    return {strategy for member in route.members for strategy in strategies_of(member)}
