"""What the public status page says: pools now, their days, and what was set aside in between.

Whoever looks has no account, so nothing here names a key, a client, a model or a message of a provider.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dashboard.queries.health import Health, scope_of
from dashboard.queries.sums import fetch
from rotation.models import Breaker, CallDay, Deployment, Key, Placement, Pool, Trip
from rotation.models.catalog import OUT

DAYS = 90
RECENT = timedelta(minutes=15)
TELLING = 5  # so many calls of the last minutes say more than what is benched
GAP = timedelta(minutes=10)  # trips closer together are one incident
TRIPS = 2_000  # read at most
OPENED = (Breaker.OPEN, Breaker.FORCED_OPEN)


@dataclass(frozen=True, slots=True)
class Day:
    """One UTC day of a pool; `answerable` leaves out what callers got wrong or gave up."""

    at: datetime
    answered: int = 0
    answerable: int = 0


@dataclass(frozen=True, slots=True)
class Incident:
    """Models of one provider set aside in one stretch of time. `until` None: it has not ended."""

    provider: str
    models: int
    since: datetime
    until: datetime | None
    pools: tuple[str, ...]


def pools(*, simulated: bool) -> dict[Pool, list[Deployment]]:
    """Two queries: every pool with the deployments that could answer for it, were nothing benched."""
    reachable = set(
        Key.objects.usable().exclude(state="invalid").values_list("account__provider_id", flat=True).distinct()
    )
    placed = Placement.objects.filter(enabled=True, deployment__provider__enabled=True)
    placed = placed.filter(deployment__provider__simulated=simulated).exclude(deployment__status__in=OUT)
    members: dict[Pool, list[Deployment]] = defaultdict(list)
    for placement in placed.select_related("pool", "deployment").order_by("pool__name", "position", "id"):
        members[placement.pool] += [placement.deployment] if placement.deployment.provider_id in reachable else []
    return dict(members)


def recent(now: datetime, *, simulated: bool) -> dict[str, tuple[int, int]]:
    """One query: answered and answerable calls of the last minutes, by pool."""
    rows = fetch(
        "SELECT pool, sum(first_try + rotated), sum(first_try + rotated + failed + interrupted) "
        "FROM rotation_callminute WHERE at >= %s AND simulated = %s GROUP BY pool",
        [now - RECENT, simulated],
    )
    return {pool: (int(answered), int(answerable)) for pool, answered, answerable in rows}


def standing(members: int, free: int, lately: tuple[int, int]) -> str:
    """`up`, `degraded` or `down`. What callers met lately counts before what is benched."""
    answered, answerable = lately
    if answerable >= TELLING and answered == 0:
        return "down"
    if free == 0 and not answered:
        return "down"
    degraded = free * 2 <= members or (answerable >= TELLING and answered < 0.9 * answerable)
    return "degraded" if degraded else "up"


def free(members: Iterable[Deployment], health: Health, accounts: Mapping[int, Collection[int]]) -> int:
    """How many of the members nothing keeps from answering."""
    resting = {b.scope.provider for b in health.breakers if b.scope.provider is not None and b.scope.deployment is None}
    return sum(
        1
        for member in members
        if member.provider_id not in resting
        and health.of_deployment(member.pk, accounts.get(member.provider_id, ())) is None
    )


def accounts() -> dict[int, set[int]]:
    """One query: account ids with a usable key, by provider."""
    found: dict[int, set[int]] = defaultdict(set)
    for provider, account in Key.objects.usable().values_list("account__provider_id", "account_id"):
        found[provider].add(account)
    return found


def days(now: datetime, *, simulated: bool) -> dict[str, list[Day]]:
    """One query: DAYS days of every pool that was asked at all, oldest first, today last."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=DAYS - 1)
    known: dict[str, dict[datetime, Day]] = defaultdict(dict)
    rows = CallDay.objects.filter(at__gte=first, simulated=simulated)
    for row in rows.values_list("pool", "at", "first_try", "rotated", "failed", "interrupted"):
        pool, at, first_try, rotated, failed, interrupted = row
        answered = first_try + rotated
        known[pool][at] = Day(at, answered, answered + failed + interrupted)
    moments = [first + timedelta(days=n) for n in range(DAYS)]
    return {pool: [by_day.get(at, Day(at)) for at in moments] for pool, by_day in known.items()}


def incidents(now: datetime, *, simulated: bool) -> list[Incident]:
    """Three queries: stretches in which models of a provider were set aside, newest first."""
    trips = list(Trip.objects.filter(at__gte=now - timedelta(days=DAYS)).order_by("-at", "-id")[:TRIPS])[::-1]
    scopes = [scope_of(trip.scope) for trip in trips]
    placed: dict[int, set[str]] = defaultdict(set)
    whole: dict[int, set[int]] = defaultdict(set)
    for pk, provider, pool in Placement.objects.values_list("deployment_id", "deployment__provider_id", "pool__name"):
        placed[pk].add(pool)
        whole[provider].add(pk)
    tripped = {pk for scope in scopes for pk in (scope.deployment or 0, *whole.get(scope.provider or 0, ()))}
    chosen = Deployment.objects.filter(provider__simulated=simulated).select_related("provider")
    deployments = {d.pk: d for d in chosen.filter(pk__in=tripped)}
    by_provider: dict[str, list[Rest]] = defaultdict(list)
    for rest in rests(trips, whole):
        if (deployment := deployments.get(rest.deployment)) is not None:
            by_provider[deployment.provider.label].append(rest)
    found = [one for provider, spans in by_provider.items() for one in grouped(provider, spans, placed)]
    return sorted(found, key=lambda one: one.since, reverse=True)


@dataclass(frozen=True, slots=True)
class Rest:
    """One deployment set aside, from the trip that opened its breaker to the one that closed it."""

    deployment: int
    since: datetime
    until: datetime | None


def rests(trips: Iterable[Trip], whole: Mapping[int, Collection[int]]) -> list[Rest]:
    """`trips` oldest first; in between a breaker may be half-open and open again. With the breaker of a provider all of
    its placed deployments (`whole`, by provider) rest."""
    opened: dict[str, datetime] = {}
    found: list[Rest] = []
    for trip in trips:
        if trip.after in OPENED:
            opened.setdefault(trip.scope, trip.at)
        elif trip.after in {Breaker.CLOSED, Breaker.DISABLED} and trip.scope in opened:
            found += of_scope(trip.scope, opened.pop(trip.scope), trip.at, whole)
    for scope, since in opened.items():
        found += of_scope(scope, since, None, whole)
    return sorted(found, key=lambda rest: rest.since)


def of_scope(scope: str, since: datetime, until: datetime | None, whole: Mapping[int, Collection[int]]) -> list[Rest]:
    """Who rested while a breaker of this scope was open."""
    known = scope_of(scope)
    if known.deployment is not None:
        return [Rest(known.deployment, since, until)]
    return [Rest(pk, since, until) for pk in sorted(whole.get(known.provider or 0, ()))]


def grouped(provider: str, spans: Iterable[Rest], placed: Mapping[int, Collection[str]]) -> list[Incident]:
    """Rests of one provider (oldest first) with less than GAP between them are one incident."""
    groups: list[list[Rest]] = []
    for rest in spans:
        last = groups[-1] if groups else []
        if last and any(one.until is None or rest.since - one.until < GAP for one in last):
            last.append(rest)
        else:
            groups.append([rest])
    return [incident(provider, group, placed) for group in groups]


def incident(provider: str, group: list[Rest], placed: Mapping[int, Collection[str]]) -> Incident:
    ends = [rest.until for rest in group if rest.until is not None]
    return Incident(
        provider=provider,
        models=len({rest.deployment for rest in group}),
        since=group[0].since,
        until=max(ends) if len(ends) == len(group) else None,
        pools=tuple(sorted({pool for rest in group for pool in placed.get(rest.deployment, ())})),
    )
