"""The order in which a route's deployments are considered: its strategy, fed with what the gateway knows.

It gathers the facts; the rules stand in `core/strategies` and, for who goes first out of turn, in `core/exploration`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rotation.core.expectation import Known, expected
from rotation.core.exploration import NEVER, Lower, Share, Turn, canary, turns
from rotation.core.strategies import ORDERED, SCORES, Choice, in_order, mixed_price
from rotation.core.targets import Deployment
from rotation.gateway.pace import Pace
from rotation.gateway.snapshot import Route

FIRST_SHARE = 0.3  # of a whole answer's time, until its first content: what a configured latency says of streams

Ready = Callable[[int], bool]  # whether a deployment could take this call now
Deployments = Mapping[int, Deployment]


class Order:
    """Counts the turns of each pool; everything else it is told."""

    def __init__(self, pace: Pace, *, now: Callable[[], float], rand: Callable[[], float]) -> None:
        self._pace, self._now, self._rand = pace, now, rand
        self._turns: dict[str, int] = {}
        self._scores: dict[int, float] = {}
        self._shares: dict[str, Share] = {}
        self._asked: dict[int, float] = {}  # when each was explored last
        self._took: dict[tuple[int, bool], float] = {}  # seconds of what was heard last, however long ago
        self._turn: Turn | None = None

    def of(
        self, route: Route, deployments: Deployments, *, stream: bool, ready: Ready | None = None
    ) -> tuple[int, ...]:
        """The route's deployments, each once. A chain is followed name by name, each in its own strategy's order.

        `ready` says who could take the call: with it, one that stands lower may go first for once. Without it (the call
        has a near deadline, or is only thought of) nobody goes out of turn.
        """
        if route.members:
            return tuple(dict.fromkeys(i for m in route.members for i in self.of(m, deployments, stream=stream)))
        if len(route.deployments) < 2:
            return route.deployments
        members, new = _apart(route) if route.canaries else (route.deployments, ())
        if route.strategy != ORDERED:
            members = self._by_strategy(route, members, deployments, stream=stream)
        members += new
        turn = self._out_of_turn(route, members, deployments, stream, ready) if ready is not None else None
        if turn is None:
            return members
        self._turn = turn
        return (turn.deployment, *(i for i in members if i != turn.deployment))

    def scores(self) -> dict[int, float]:
        """What the orders since the last time went by, by deployment: for the page of the call that asked for them."""
        found, self._scores = self._scores, {}
        return found

    def turn(self) -> Turn | None:
        """Who was put first out of turn since the last time, and why: for the page of the call that asked."""
        found, self._turn = self._turn, None
        return found

    def _by_strategy(
        self, route: Route, members: Sequence[int], deployments: Deployments, *, stream: bool
    ) -> tuple[int, ...]:
        here = [deployments[i] for i in members if i in deployments]
        seconds = expected({d.id: self._known(d, stream) for d in here})
        choices = [
            Choice(d.id, seconds[d.id], mixed_price(d.price_in, d.price_out, free=d.free), d.id in route.pinned)
            for d in here
        ]
        if score := SCORES.get(route.strategy):
            self._scores.update({c.deployment: value for c in choices if (value := score(c)) is not None})
        turn = self._turns[route.pool] = self._turns.get(route.pool, -1) + 1
        return in_order(route.strategy, choices, turn=turn, rand=self._rand)

    def _out_of_turn(
        self, route: Route, members: Sequence[int], deployments: Deployments, stream: bool, ready: Ready
    ) -> Turn | None:
        """A canary by chance; in a pool that is ordered, when its share is due, one that stands lower."""
        if route.canaries:
            found = canary([one for one in route.canaries if one[0] in members], self._rand())
            if found is not None:
                return found if ready(found.deployment) else None
        share = route.policy.explore_share
        if not share or not route.pool or route.strategy != ORDERED or members[0] in route.pinned:
            return None
        counted = self._shares.get(route.pool)
        if counted is None:
            counted = self._shares[route.pool] = Share()
        if not counted.due(share, self._rand):
            return None
        for turn in self._turns_of(route, members, deployments, stream):
            if ready(turn.deployment):
                self._asked[turn.deployment] = self._now()
                counted.spend(turn.extra)
                return turn
        return None

    def _turns_of(self, route: Route, members: Sequence[int], deployments: Deployments, stream: bool) -> Iterator[Turn]:
        """Whom the rule would explore. Nobody new and nobody pinned; nobody who costs where the first is free."""
        here = [deployments[i] for i in members if i in deployments]
        seconds = expected({d.id: self._known(d, stream) for d in here})
        new, now = {one for one, _ in route.canaries}, self._now()
        lower = [
            Lower(d.id, self._last(d.id), self._at_best(d, seconds[d.id], stream), route.watched.get(d.id, 0.0) > now)
            for d in here[1:]
            if d.id not in new and d.id not in route.pinned and (d.free or not here[0].free)
        ]
        return turns(lower, seconds[here[0].id] if here else None, now=now, chance=self._rand())

    def _at_best(self, deployment: Deployment, seconds: float, stream: bool) -> float:
        """What it might take: as it was heard of late, be that little; else as it was heard last; else as expected."""
        place, heard = (deployment.id, stream), self._pace.heard(deployment.id, stream=stream, now=self._now())
        if heard is None:
            return self._took.get(place, seconds)
        self._took[place] = heard.p50
        return min(heard.p50, seconds)

    def _last(self, deployment: int) -> float:
        return max(self._asked.get(deployment, NEVER), self._pace.last(deployment))

    def _known(self, deployment: Deployment, stream: bool) -> Known:
        seed = deployment.seed_seconds
        if seed is not None and stream:
            seed *= FIRST_SHARE
        return Known(self._pace.heard(deployment.id, stream=stream, now=self._now()), seed)


def _apart(route: Route) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The route's full members, and those that are new."""
    new = {one for one, _ in route.canaries}
    here = route.deployments
    return tuple(i for i in here if i not in new), tuple(i for i in here if i in new)
