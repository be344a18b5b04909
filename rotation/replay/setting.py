"""A pool as the database has it, ready to be replayed: the gateway's own snapshot, and what may be tried beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rotation.core.failures import FailureKind
from rotation.core.permits import BreakerState
from rotation.core.selection import NEVER
from rotation.gateway import loading
from rotation.gateway.clients import Client
from rotation.gateway.snapshot import Block, Route, Snapshot
from rotation.models import Pool
from rotation.replay.candidate import Candidate, Setup
from rotation.replay.comparison import Bench
from rotation.replay.traffic import Recorded

ANYBODY = Client(0, "")


@dataclass(frozen=True, slots=True)
class Setting:
    """One pool: `setup` for who writes candidates, `route` and `snapshot` for the engine."""

    setup: Setup
    route: Route
    snapshot: Snapshot
    blocks: Sequence[Block]

    @classmethod
    def of(cls, pool: Pool) -> Setting:
        """Some dozen queries, whatever there is."""
        snapshot = loading.build(loading.read())
        route = snapshot.route(pool.name, (), ANYBODY)
        names = {
            one.id: f"{snapshot.providers[one.provider].name}/{one.model}" for one in snapshot.deployments.values()
        }
        blocks = lasting(snapshot)
        setup = Setup(
            pool.name, route.deployments, pool.strategy, pool.preset, dict(pool.policy), names, route.pinned,
            _out(snapshot, blocks),
        )  # fmt: skip
        return cls(setup, route, snapshot, blocks)

    def bench(self, recorded: Recorded, ways: Sequence[Candidate], accounts: Mapping[int, str]) -> Bench:
        """What a replay of this traffic needs for these ways of running the pool."""
        known = self.snapshot
        members = dict.fromkeys(one for way in ways for one in way.order)
        targets = {one: known.targets.get(one, ()) for one in members}
        return Bench(
            self.route, recorded, {one: known.deployments[one] for one in members}, targets,
            {one: self.setup.names[one] for one in members}, accounts, tuple(known.learned), tuple(self.blocks),
        )  # fmt: skip


def lasting(snapshot: Snapshot) -> list[Block]:
    """Who is out of service for good as far as anybody knows: not what rests or cools by itself."""
    held = [b for b in snapshot.blocks if b.until == NEVER or b.kind is FailureKind.BAD_CREDENTIAL]
    forced = [b.scope for b in snapshot.breakers if b.state == BreakerState.FORCED_OPEN.value]
    return [*held, *(Block(scope, NEVER, FailureKind.OVERLOADED, "forced open by an operator") for scope in forced)]


def _out(snapshot: Snapshot, blocks: Sequence[Block]) -> dict[int, str]:
    """Of the deployments no call can reach, why not."""
    why = {block.scope: block.why for block in blocks}
    out = {}
    for one in snapshot.deployments:
        targets = snapshot.targets.get(one, ())
        barred = [next((why[s] for s in t.scopes if s in why), None) for t in targets]
        if not targets:
            out[one] = "its provider has no key here"
        elif all(barred):
            out[one] = str(barred[0])
    return out
