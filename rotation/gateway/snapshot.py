"""The configuration in memory: what the engine may choose from, and what a name means.

A snapshot is a value: it is loaded whole, never changed, and replaced by the next one.
It holds no plain secret but in `secrets`, whose values have no readable form.
"""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from rotation.core.failures import FailureKind
from rotation.core.policy import BALANCED, Policy
from rotation.core.strategies import CHEAPEST, FASTEST, ORDERED
from rotation.core.targets import Deployment, Pool, Provider, Target
from rotation.gateway.allowance import Spent
from rotation.gateway.clients import Client
from rotation.gateway.envelope import Refusal
from rotation.sealing import Secret

POOL_PREFIX = "pool/"
SUFFIXES = (FASTEST, CHEAPEST)  # `auto:fastest`: the client's own wish, which no pin outranks
LONGEST_NAME = 200
ALIKE = 0.6
COMPARED = 20  # names an unknown one is held against; each costs a tenth of a millisecond


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

    `pinned` ones keep their place whatever the strategy. `members` are a chain's names, each with its own strategy.
    `why` is said where the route is not what the name alone would mean.
    """

    pool: str
    deployments: tuple[int, ...]
    policy: Policy = BALANCED
    version: int = 0
    strategy: str = ORDERED
    pinned: frozenset[int] = frozenset()
    members: tuple[Route, ...] = ()
    why: str = ""


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
    def simulated(self) -> bool:
        """True while simulated providers answer."""
        return any(p.simulated for p in self.providers.values())

    def route(self, asked: str, models: Iterable[str], client: Client) -> Route:
        """What the names mean for this client. Raises `Refusal`: 403 for what it may not use, 404 for no such name."""
        chain = [asked, *(m for m in models if m != asked)]
        if len(chain) == 1 or self.split(asked)[0] in self.pools:
            return self._one(asked, client)
        found = [self._one(name, client) for name in chain]
        ids = dict.fromkeys(i for route in found for i in route.deployments)
        return Route("", tuple(ids), members=tuple(found))

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
            return Route(pool.name, ids, pool.policy, pool.version, pool.strategy, pinned)
        ids = self.names.get(name, ())
        if client.pools:
            raise self._not_allowed(name, client)
        if not ids:
            raise self._unknown(name)
        return Route("", ids)

    def _not_allowed(self, name: str, client: Client) -> Refusal:
        pools = ", ".join(sorted(client.pools))
        message = f"This client key may use the pools {pools}, not '{_cut(name)}'."
        return Refusal(403, message, "model_not_allowed", "model")

    def _unknown(self, name: str) -> Refusal:
        near = near_names(name, [*self.pools, *self.names])
        hint = f" Near it: {', '.join(near)}." if near else f" Pools: {', '.join(self.pools)}."
        message = f"The model '{_cut(name)}' is not known here.{hint} GET /v1/models lists all."
        return Refusal(404, message, "model_not_found", "model")


def _cut(name: str) -> str:
    """A name from outside, fit for a message."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


def near_names(name: str, names: Sequence[str]) -> list[str]:
    """Up to three of `names` like this one. Only those that share most of its pieces of three letters are compared."""
    name = name[:64]
    pieces = {name[i : i + 3] for i in range(len(name) - 2)}
    shared = heapq.nlargest(COMPARED, ((sum(p in other for p in pieces), other) for other in names))
    return difflib.get_close_matches(name, [other for _, other in shared], n=3, cutoff=ALIKE)
