"""The configuration in memory: what the engine may choose from, and what a name means.

A snapshot is a value: it is loaded whole, never changed, and replaced by the next one.
It holds no plain secret but in `secrets`, whose values have no readable form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf
from typing import Any

from rotation.core.failures import FailureKind
from rotation.core.policy import BALANCED, Policy
from rotation.core.strategies import CHEAPEST, FASTEST, ORDERED
from rotation.core.targets import Deployment, Pool, Provider, Target
from rotation.gateway.clients import Client
from rotation.gateway.envelope import Refusal
from rotation.gateway.names import Gone, cut, gone, unknown
from rotation.gateway.purse import Spent
from rotation.sealing import Secret

POOL_PREFIX = "pool/"
SUFFIXES = (FASTEST, CHEAPEST)  # `auto:fastest`: the client's own wish, which no pin outranks


@dataclass(frozen=True, slots=True)
class Block:
    """A scope that was out of reach when the snapshot was read; `until` is epoch seconds, infinity for "until told"."""

    scope: str
    until: float
    kind: FailureKind
    why: str


@dataclass(frozen=True, slots=True)
class StoredBreaker:
    """A breaker's row: how it stood since `changed_at`. Times are epoch seconds."""

    scope: str
    state: str
    until: float | None
    opens: int
    changed_at: float


@dataclass(frozen=True, slots=True)
class Learned:
    """A limit learned in an earlier life."""

    scope: str
    axis: str
    limit: float
    window: float


@dataclass(frozen=True, slots=True)
class Route:
    """Where a call may go: deployments in the pool's order, under one policy. `pool` is "" for a model asked by name.

    `pinned` ones keep their place whatever the strategy; `canaries` (deployment, share of the calls) come last or, by
    chance, first; `watched` are those a reordering put down, each until a moment in epoch seconds. `members` are a
    chain's names, each with its own strategy. `why` is said where the route is not what the name alone would mean.
    """

    pool: str
    deployments: tuple[int, ...]
    policy: Policy = BALANCED
    version: int = 0
    strategy: str = ORDERED
    pinned: frozenset[int] = frozenset()
    members: tuple[Route, ...] = ()
    why: str = ""
    successor: tuple[str, str] | None = None  # what was asked for and is gone, and who answers in its place
    canaries: tuple[tuple[int, float], ...] = ()
    watched: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """Everything the data plane knows of the configuration. `version` is the database's."""

    version: int
    providers: Mapping[int, Provider]
    deployments: Mapping[int, Deployment]
    targets: Mapping[int, tuple[Target, ...]]  # by deployment id
    pools: Mapping[str, Pool]
    clients: Mapping[str, Client]  # by digest
    secrets: Mapping[int, Secret] = field(repr=False)  # by key id
    blocks: Sequence[Block] = ()
    learned: Sequence[Learned] = ()
    breakers: Sequence[StoredBreaker] = ()
    used: Mapping[int, int] = field(default_factory=dict)  # calls for audio sent today, by provider id
    spent: Mapping[int, Spent] = field(default_factory=dict)  # by client key id
    switches: Mapping[str, Any] = field(default_factory=dict)  # the operator's choices that are not the usual ones

    @cached_property
    def names(self) -> Mapping[str, tuple[int, ...]]:
        """Bare model ids and `provider/model` -> the deployments that offer them."""
        found: dict[str, list[int]] = {}
        for deployment in self.deployments.values():
            provider = self.providers[deployment.provider]
            found.setdefault(deployment.model, []).append(deployment.id)
            found.setdefault(f"{provider.name}/{deployment.model}", []).append(deployment.id)
        return {name: tuple(ids) for name, ids in found.items()}

    @property
    def keeps_prompts(self) -> bool:
        """Whether the operator wants what clients ask to be kept."""
        return self.switches.get("keep_prompts") is True

    @cached_property
    def gone(self) -> frozenset[int]:
        """Deployments that their providers no longer offer."""
        out = {block.scope for block in self.blocks if block.kind is FailureKind.MODEL_GONE and block.until == inf}
        return frozenset(i for i in self.deployments if f"deployment:{i}" in out) if out else frozenset()

    @cached_property
    def here(self) -> frozenset[int]:
        """Deployments a call may be sent to: with a key, and not out of service as gone, archived or incompatible."""
        out = {block.scope for block in self.blocks if block.until == inf}
        return frozenset(i for i, targets in self.targets.items() if targets and f"deployment:{i}" not in out)

    @cached_property
    def living(self) -> tuple[str, ...]:
        """The names that lead somewhere: pools, and whatever a call may be sent to."""
        here = self.here
        return (*self.pools, *(name for name, ids in self.names.items() if not here.isdisjoint(ids)))

    @property
    def simulated(self) -> bool:
        """True while simulated providers answer."""
        return any(p.simulated for p in self.providers.values())

    def route(self, asked: str, models: Iterable[str], client: Client) -> Route:
        """What the names mean for this client. Raises `Refusal`: 403 for what it may not use, 404 for no such name."""
        chain = [asked, *(m for m in models if m != asked)]
        if len(chain) == 1:
            return self._one(asked, client)
        found, gone = [], None
        for name in chain:
            try:
                found.append(self._one(name, client))
            except Gone as away:
                gone = gone or away
        if gone is not None and not found:
            raise gone
        return chained(found)

    def split(self, name: str) -> tuple[str, str]:
        """A name without its suffix, and the strategy the suffix asks for or "". What is really called so wins."""
        base, _, strategy = name.rpartition(":")
        real = name in self.names or name in self.pools or strategy not in SUFFIXES
        return (name, "") if real else (base, strategy)

    def _one(self, asked: str, client: Client) -> Route:
        name, strategy = self.split(asked)
        route = self._named(name, client)
        return replace(route, strategy=strategy, pinned=frozenset()) if strategy else route

    def _named(self, name: str, client: Client) -> Route:
        pool = self.pools.get(name) or self.pools.get(name.removeprefix(POOL_PREFIX))
        if pool is not None:
            if client.pools and pool.name not in client.pools:
                raise self._not_allowed(pool.name, client)
            ids = tuple(p.deployment for p in pool.placements)
            pinned = frozenset(p.deployment for p in pool.placements if p.pinned)
            canaries = tuple((p.deployment, p.canary) for p in pool.placements if p.canary is not None)
            return Route(
                pool.name, ids, pool.policy, pool.version, pool.strategy, pinned,
                canaries=canaries, watched=pool.watched,
            )  # fmt: skip
        ids = self.names.get(name, ())
        if client.pools:
            raise self._not_allowed(name, client)
        if not ids:
            raise unknown(name, self.living, tuple(self.pools))
        if self.gone.issuperset(ids):
            raise gone(name, self.living)
        return Route("", ids)

    def _not_allowed(self, name: str, client: Client) -> Refusal:
        pools = ", ".join(sorted(client.pools))
        message = f"This client key may use the pools {pools}, not '{cut(name)}'."
        return Refusal(403, message, "model_not_allowed", "model")


def chained(routes: Sequence[Route]) -> Route:
    """One way after the other: a pool's name, policy, version and strategy are those of the first, if that is one."""
    ids = tuple(dict.fromkeys(i for route in routes for i in route.deployments))
    first = routes[0]
    why = "; ".join(route.why for route in routes if route.why)
    strategy = first.strategy if first.pool else ORDERED
    return Route(first.pool, ids, first.policy, first.version, strategy, members=tuple(routes), why=why)
