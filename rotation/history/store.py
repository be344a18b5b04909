"""Puts a made-up past into the database through the ledger's own writer: rows and roll-ups always agree.

A second run with the same seed and end adds nothing, because rows that are there already are left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg import Connection

from rotation import partitions
from rotation.history.calls import HOUR, calls, per_hour
from rotation.history.people import Offer, cast_of
from rotation.history.repeat import repeat
from rotation.ledger.batch import prepare, write_calls
from rotation.ledger.rows import Call
from rotation.models import ClientKey, Key, Placement

BATCH = 10_000  # calls in one transaction
DRAWN = 300_000  # calls that are drawn; what is more is copied


@dataclass(frozen=True, slots=True)
class Filled:
    calls: int
    attempts: int


def offers() -> dict[str, list[Offer]]:
    """Simulated deployments by pool, in order, with the keys of their providers."""
    keys: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for key in Key.objects.filter(account__provider__simulated=True, enabled=True).select_related("account"):
        keys[key.account.provider_id].append((key.account_id, key.pk))
    found: dict[str, list[Offer]] = defaultdict(list)
    placed = Placement.objects.filter(deployment__provider__simulated=True, enabled=True)
    for place in placed.select_related("pool", "deployment").order_by("pool__name", "position", "pk"):
        d = place.deployment
        prices = [float(price or 0) / 1e6 for price in (d.price_in, d.price_out)]
        theirs = tuple(keys[d.provider_id])
        found[place.pool.name].append(Offer(d.pk, d.provider_id, d.model_id, theirs, d.seed_latency_s, *prices))
    return found


def fill(
    connection: Connection,
    *,
    many: int,
    days: int,
    seed: int,
    end: datetime,
    said: Callable[[str], None] = lambda _: None,
) -> Filled:
    """Writes about `many` calls over the `days` before `end` (those of the running hour still to come are left out).

    Up to DRAWN calls are drawn one by one. A larger past is made of its last days, drawn, and copies of them.
    Raises ValueError when there is nobody to ask.
    """
    drawn = max(1, DRAWN * days // many)
    if drawn >= days:
        start = end.replace(minute=0, second=0, microsecond=0) - timedelta(days=days) + HOUR
        return draw(connection, many=many, start=start, seed=seed, end=end, said=said)
    midnight = end.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    source = midnight - timedelta(days=drawn)
    share = (end - source) / timedelta(days=days)
    done = draw(connection, many=round(many * share), start=source, seed=seed, end=end, said=said)
    start = midnight - timedelta(days=days - 1)
    more = repeat(connection, source=source, drawn=drawn, start=start, now=end, said=said)
    return Filled(done.calls + more.calls, done.attempts + more.attempts)


def draw(
    connection: Connection, *, many: int, start: datetime, seed: int, end: datetime, said: Callable[[str], None]
) -> Filled:
    """Writes calls drawn one by one, from `start` (a full hour) to `end`."""
    cast = cast_of(offers(), seed)
    counts = per_hour(many, start, -((start - end) // HOUR), seed)
    client = ClientKey.objects.filter(enabled=True).order_by("internal", "pk").values_list("pk", flat=True).first()
    partitions.ensure((end - start).days + 1, now=start)
    prepare(connection)
    done, waiting = Filled(0, 0), list[Call]()
    for n, count in enumerate(counts):
        drawn = calls(cast, hour=start + n * HOUR, many=count, seed=seed, client=client)
        waiting += [call for call in drawn if call.request.at <= end]  # the running hour is not over
        if len(waiting) >= BATCH or n + 1 == len(counts):
            done = Filled(done.calls + len(waiting), done.attempts + written(connection, waiting))
            said(f"{done.calls:,} of {many:,} calls drawn")
            waiting = []
    return done


def written(connection: Connection, batch: list[Call]) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        write_calls(cursor, batch)
    return sum(len(call.attempts) for call in batch)
