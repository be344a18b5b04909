"""Puts a made-up past into the database through the ledger's own writer: rows and roll-ups always agree.

A second run with the same seed and end adds nothing, because rows that are there already are left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection

from rotation import partitions
from rotation.history.calls import HOUR, calls, per_hour
from rotation.history.people import Offer, cast_of
from rotation.ledger.batch import prepare, write_calls
from rotation.ledger.rows import Call
from rotation.models import ClientKey, Key, Placement

BATCH = 10_000  # calls in one transaction


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
    """Writes `many` calls over the `days` before `end` (those of the running hour still to come are left out).

    Raises ValueError when there is nobody to ask.
    """
    cast = cast_of(offers(), seed)
    start = end.replace(minute=0, second=0, microsecond=0) - timedelta(days=days) + HOUR
    counts = per_hour(many, start, days * 24, seed)
    client = ClientKey.objects.filter(enabled=True).order_by("pk").values_list("pk", flat=True).first()
    partitions.ensure(days, now=start)
    prepare(connection)
    done, waiting = Filled(0, 0), list[Call]()
    for n, count in enumerate(counts):
        drawn = calls(cast, hour=start + n * HOUR, many=count, seed=seed, client=client)
        waiting += [call for call in drawn if call.request.at <= end]  # the running hour is not over
        if len(waiting) >= BATCH or n + 1 == len(counts):
            done = Filled(done.calls + len(waiting), done.attempts + written(connection, waiting))
            said(f"{done.calls:,} of {many:,} calls")
            waiting = []
    return done


def written(connection: Connection, batch: list[Call]) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        write_calls(cursor, batch)
    return sum(len(call.attempts) for call in batch)
