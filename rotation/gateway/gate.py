"""What one gateway process holds: snapshot, health, journal, the way out, and its clock.

One `Gate` lives on one event loop. Everything time, chance and the network mean to the engine enters here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from rotation.core.failures import Consequence, Failure
from rotation.core.fitness import unfit
from rotation.core.selection import State
from rotation.core.targets import Target
from rotation.gateway import recall
from rotation.gateway.allowance import Allowances
from rotation.gateway.clock import Clock
from rotation.gateway.health import Health
from rotation.gateway.journal import Journal
from rotation.gateway.leave import Permit
from rotation.gateway.order import Order
from rotation.gateway.snapshot import Route, Snapshot
from rotation.gateway.summary import Summary
from rotation.gateway.upstream import Upstream

if TYPE_CHECKING:
    from rotation.gateway.call import Call


class Gate:
    """The data plane's state."""

    def __init__(
        self,
        snapshot: Snapshot,
        journal: Journal,
        *,
        rand: Callable[[], float] = random.random,
        clock: Clock | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.journal = journal
        self.rand = rand
        self.clock = clock or Clock()
        self.now = self.clock.now
        self.upstream = Upstream()
        self.upstream.resolver.adopt(snapshot.providers.values())
        self.summary = Summary()
        self.health = Health(now=self.now, rand=rand, note=self.write)
        recall.adopt(self.health, snapshot)
        self.allowances = Allowances(self.now)
        self._allow(snapshot)
        self.order = Order(self.health.pace, now=self.now, rand=rand)
        self._turns: dict[int, int] = {}

    def write(self, record: Mapping[str, Any]) -> None:
        """One line for the journal."""
        self.journal.write(record)
        self.summary.take(record)

    def adopt(self, snapshot: Snapshot) -> None:
        """Work from another configuration from the next call on; running calls keep theirs."""
        if self.snapshot.keeps_prompts and not snapshot.keeps_prompts:
            self.journal.begin_anew()  # no prompt is left behind in a file that is still being written
        self.snapshot = snapshot
        self.upstream.resolver.adopt(snapshot.providers.values())
        recall.adopt(self.health, snapshot)
        self._allow(snapshot)

    def _allow(self, snapshot: Snapshot) -> None:
        self.allowances.adopt(snapshot.clients.values(), snapshot.spent, simulated=snapshot.simulated)

    def failed(self, permit: Permit, failure: Failure) -> float | None:
        """Report a failed attempt; a lack learned from it is known at once, not only after the database."""
        until = self.health.failed(permit, failure)
        if failure.row.consequence is Consequence.REMEMBER_LACK:
            self.learn_lack(permit.target, failure)
        return until

    def learn_lack(self, target: Target, failure: Failure) -> None:
        """What needs this feature goes elsewhere from now on; the database hears of it through the journal."""
        if not failure.feature:
            return
        self.health.note_lack(target, failure.feature)
        self.snapshot = without_feature(self.snapshot, target.deployment.id, failure.feature)

    def targets(self, route: Route, *, stream: bool = False, patient: Call | None = None) -> Iterator[Target]:
        """The route's targets in the order of its strategy; the keys of a deployment take turns.

        `patient` is the call, if it has the time to ask one first that stands lower.
        """
        ready = partial(self._ready, patient) if patient is not None else None
        for deployment in self.order.of(route, self.snapshot.deployments, stream=stream, ready=ready):
            targets = self.snapshot.targets.get(deployment, ())
            if len(targets) > 1:
                turn = self._turns[deployment] = (self._turns.get(deployment, -1) + 1) % len(targets)
                targets = targets[turn:] + targets[:turn]
            yield from targets

    def _ready(self, call: Call, deployment: int) -> bool:
        """Whether it fits the call and nothing is in its way."""
        return any(
            self.health.standing(target).state is State.READY
            for target in self.snapshot.targets.get(deployment, ())
            if unfit(target.deployment, call.needs, target.provider.kind) is None
        )

    async def close(self) -> None:
        """Let the connections and the journal go."""
        await self.upstream.close()
        self.journal.close()


def without_feature(snapshot: Snapshot, deployment: int, feature: str) -> Snapshot:
    """The same configuration in which this deployment is known to lack the feature."""
    known = snapshot.deployments.get(deployment)
    if known is None:  # it was taken away while the call ran
        return snapshot
    lacking = replace(known, lacks=known.lacks | {feature})
    targets = tuple(replace(t, deployment=lacking) for t in snapshot.targets.get(deployment, ()))
    return replace(
        snapshot,
        deployments={**snapshot.deployments, deployment: lacking},
        targets={**snapshot.targets, deployment: targets},
    )
