"""Providers with their accounts, keys, models and what benches them, as the page of providers shows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from dashboard.queries import keys, mode
from dashboard.queries.health import Health, health
from dashboard.queries.keys import KeyRow
from rotation.models import Account, Breaker, BreakerState, Cooldown, Provider
from rotation.models.catalog import OUT
from rotation.models.scopes import in_words


@dataclass(frozen=True, slots=True)
class Held:
    """An account with its keys."""

    account: Account
    keys: tuple[KeyRow, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """One provider. `models` can be called, `placed` of them stand in a pool; `breaker` is None while it is closed."""

    provider: Provider
    accounts: tuple[Held, ...]
    models: int
    placed: int
    breaker: BreakerState | None

    @property
    def keys(self) -> list[KeyRow]:
        return [row for held in self.accounts for row in held.keys]

    @property
    def scope(self) -> str:
        return f"provider:{self.provider.pk}"

    @property
    def off(self) -> bool:
        return not self.provider.enabled

    @property
    def keyless(self) -> bool:
        return not self.keys


def kept(now: datetime, only: int | None = None) -> list[Kept]:
    """Everybody in order, real ones first, simulated ones while they answer. A fixed number of queries."""
    chosen = Provider.objects.filter(pk=only) if only else Provider.objects.filter(Q(simulated=False) | Q(enabled=True))
    counted = chosen.annotate(
        offered=Count("deployments", filter=~Q(deployments__status__in=OUT), distinct=True),
        placed=Count("deployments__placements__deployment", distinct=True),
    ).order_by("simulated", "priority", "name")
    providers = list(counted)
    accounts = _accounts(providers, now)
    breakers = {row.scope: row for row in BreakerState.objects.exclude(state=Breaker.CLOSED)}
    return [Kept(p, tuple(accounts[p.pk]), p.offered, p.placed, breakers.get(f"provider:{p.pk}")) for p in providers]


def _accounts(providers: Iterable[Provider], now: datetime) -> dict[int, list[Held]]:
    known = [*keys.keys(simulated=False), *keys.keys(simulated=True)]
    rows = keys.rows(known, keys.limits(), keys.used(now, simulated=mode.simulated()), health(now))
    by_account: dict[int, list[KeyRow]] = defaultdict(list)
    for row in rows:
        by_account[row.key.account_id].append(row)
    found: dict[int, list[Held]] = defaultdict(list)
    for account in Account.objects.filter(provider__in=list(providers)).select_related("provider").order_by("id"):
        found[account.provider_id].append(Held(account, tuple(by_account[account.pk])))
    return found


@dataclass(frozen=True, slots=True)
class Stopped:
    """Something of a provider that is left alone now: a cooldown or a breaker, in words."""

    words: str
    cooldown: Cooldown | None = None
    breaker: BreakerState | None = None


def scopes_of(one: Kept) -> Q:
    """Whatever is said about a provider, its accounts, keys or models."""
    about = Q(scope=one.scope)
    for held in one.accounts:
        about |= Q(scope=f"account:{held.account.pk}") | Q(scope__startswith=f"account:{held.account.pk}/")
        for row in held.keys:
            about |= Q(scope=f"key:{row.key.pk}") | Q(scope__startswith=f"key:{row.key.pk}/")
    deployments = one.provider.deployments.values_list("pk", flat=True)
    return about | Q(scope__in=[f"deployment:{pk}" for pk in deployments])


def stopped(one: Kept, now: datetime) -> list[Stopped]:
    """What is benched of it now, the longest first."""
    about = scopes_of(one)
    cooling = list(Cooldown.objects.filter(about, until__gt=now).order_by("-until")[:100])
    breakers = list(BreakerState.objects.filter(about).exclude(state=Breaker.CLOSED).order_by("-changed_at")[:100])
    names = in_words([*(row.scope for row in cooling), *(row.scope for row in breakers)])
    return [
        *(Stopped(names[row.scope], breaker=row) for row in breakers),
        *(Stopped(names[row.scope], cooldown=row) for row in cooling),
    ]


__all__ = ["Health", "Held", "Kept", "Stopped", "kept", "scopes_of", "stopped"]
