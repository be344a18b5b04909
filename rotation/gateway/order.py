"""The order in which a route's deployments are considered: its strategy, fed with what the gateway knows.

It gathers the facts; the rules stand in `core/strategies`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rotation.core.expectation import Known, expected
from rotation.core.strategies import ORDERED, SCORES, Choice, in_order, mixed_price
from rotation.core.targets import Deployment
from rotation.gateway.pace import Pace
from rotation.gateway.snapshot import Route

FIRST_SHARE = 0.3  # of a whole answer's time, until its first content: what a configured latency says of streams


class Order:
    """Counts the turns of each pool; everything else it is told."""

    def __init__(self, pace: Pace, *, now: Callable[[], float], rand: Callable[[], float]) -> None:
        self._pace, self._now, self._rand = pace, now, rand
        self._turns: dict[str, int] = {}
        self._scores: dict[int, float] = {}

    def of(self, route: Route, deployments: Mapping[int, Deployment], *, stream: bool) -> tuple[int, ...]:
        """The route's deployments, each once. A chain is followed name by name, each in its own strategy's order."""
        if route.members:
            return tuple(dict.fromkeys(i for m in route.members for i in self.of(m, deployments, stream=stream)))
        if route.strategy == ORDERED or len(route.deployments) < 2:
            return route.deployments
        here = [deployments[i] for i in route.deployments if i in deployments]
        seconds = expected({d.id: self._known(d, stream) for d in here})
        choices = [
            Choice(d.id, seconds[d.id], mixed_price(d.price_in, d.price_out, free=d.free), d.id in route.pinned)
            for d in here
        ]
        if score := SCORES.get(route.strategy):
            self._scores.update({c.deployment: value for c in choices if (value := score(c)) is not None})
        turn = self._turns[route.pool] = self._turns.get(route.pool, -1) + 1
        return in_order(route.strategy, choices, turn=turn, rand=self._rand)

    def scores(self) -> dict[int, float]:
        """What the orders since the last time went by, by deployment: for the page of the call that asked for them."""
        found, self._scores = self._scores, {}
        return found

    def _known(self, deployment: Deployment, stream: bool) -> Known:
        seed = deployment.seed_seconds
        if seed is not None and stream:
            seed *= FIRST_SHARE
        return Known(self._pace.heard(deployment.id, stream=stream, now=self._now()), seed)
