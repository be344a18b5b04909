"""Pools with their members: in the order of trying, with what was measured of each in the last 24 hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard import figures
from dashboard.queries import mode
from dashboard.queries.health import Benched, health
from dashboard.queries.ladder import Measured, measured
from dashboard.span import span_of
from rotation.models import Deployment, Key, Placement, Pool
from rotation.models.catalog import OUT
from rotation.models.pools import placements_in_order


@dataclass(frozen=True, slots=True)
class Member:
    """One place of a pool. `place` counts those that can be asked; None for who stands aside."""

    placement: Placement
    place: int | None
    seen: Measured | None
    benched: Benched | None
    keyless: bool

    @property
    def deployment(self) -> Deployment:
        return self.placement.deployment

    @property
    def aside(self) -> str:
        """Why no call goes there; "" when one may."""
        if not self.placement.enabled:
            return "switched off here"
        if not self.deployment.provider.enabled:
            return "provider off"
        if self.deployment.status in OUT:
            return self.deployment.get_status_display().lower()
        return "no key" if self.keyless else ""

    @property
    def success(self) -> str:
        return figures.percent(self.seen.ok, self.seen.tries) if self.seen and self.seen.tries else figures.NONE


@dataclass(frozen=True, slots=True)
class Kept:
    """A pool in the list."""

    pool: Pool
    members: Sequence[Placement]
    askable: int


def pools() -> list[Kept]:
    """Three queries: every pool with its members of the present mode, in order."""
    simulated, found = mode.simulated(), list(Pool.objects.order_by("name"))
    by_pool: dict[int, list[Placement]] = defaultdict(list)
    rows = Placement.objects.filter(deployment__provider__simulated=simulated).select_related("deployment__provider")
    for row in rows.order_by("position", "id"):
        by_pool[row.pool_id].append(row)
    found.sort(key=lambda pool: (pool.name != "auto", pool.name))
    return [Kept(pool, by_pool[pool.pk], sum(map(_askable, by_pool[pool.pk]))) for pool in found]


def _askable(placement: Placement) -> bool:
    deployment = placement.deployment
    return placement.enabled and deployment.provider.enabled and deployment.status not in OUT


def members(pool: Pool, now: datetime) -> list[Member]:
    """The members of the present mode, in order. Six queries."""
    simulated = mode.simulated()
    rows = [row for row in placements_in_order(pool) if row.deployment.provider.simulated == simulated]
    seen, ill = measured(span_of("24h", now), simulated=simulated), health(now)
    accounts: dict[int, set[int]] = defaultdict(set)
    for provider, account in Key.objects.usable().values_list("account__provider_id", "account_id"):
        accounts[provider].add(account)
    found: list[Member] = []
    place = 0
    for row in rows:
        ids = accounts[row.deployment.provider_id]
        benched = ill.of_deployment(row.deployment_id, ids)
        one = Member(row, None, seen.get(row.deployment_id), benched, not ids)
        if not one.aside:
            place += 1
            one = Member(row, place, one.seen, benched, keyless=False)
        found.append(one)
    return found


def elsewhere(pool: Pool) -> int:
    """How many places the other half (real or simulated) has, which this page does not show."""
    return pool.placements.exclude(deployment__provider__simulated=mode.simulated()).count()


def merged(full: Sequence[int], visible: Sequence[int]) -> list[int]:
    """The full order in which those visible stand in a new order among themselves, and all others where they stood."""
    chosen, turn = set(visible), iter(visible)
    return [next(turn) if one in chosen else one for one in full]


def shifted(order: Sequence[int], one: int, way: str) -> list[int]:
    """An order in which one has gone `up`, `down`, `first` or `last`."""
    rest = [other for other in order if other != one]
    at = order.index(one)
    to = {"up": max(0, at - 1), "down": at + 1, "first": 0, "last": len(rest)}[way]
    return [*rest[:to], one, *rest[to:]]


def candidates(pool: Pool, text: str) -> list[Deployment]:
    """Models that could join, by what occurs in their id."""
    rows = Deployment.objects.filter(provider__simulated=mode.simulated()).exclude(placements__pool=pool)
    rows = rows.exclude(status__in=OUT).select_related("provider").order_by("provider__priority", "model_id")
    return list((rows.filter(model_id__icontains=text) if text else rows)[:200])
