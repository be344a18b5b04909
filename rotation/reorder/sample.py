"""A sample of attempts, so many of each deployment's hours and no more: as quick with ten million rows as with ten."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection

from rotation.core.failures import TABLE, Consequence
from rotation.core.work import Try

#: Attempts of one deployment in one hour, the latest of it.
PER_HOUR = 120
#: Outcomes a call loses time on and that say something about the deployment: what counts, and what is limited.
LOST_ON = [
    kind.value
    for kind, row in TABLE.items()
    if row.consequence
    in {Consequence.COUNT, Consequence.COUNT_PROVIDER, Consequence.COOL, Consequence.COOL_UNTIL_RESET}
]

SAMPLE = """
SELECT wanted.id, extract(epoch FROM tried.at), tried.outcome = 'ok', tried.total_ms, tried.first_ms,
       tried.tokens_in, tried.tokens_out
FROM unnest(%(ids)s::int[]) AS wanted(id)
CROSS JOIN generate_series(%(hour)s::timestamptz, %(now)s::timestamptz, interval '1 hour') AS hours(at)
CROSS JOIN LATERAL (
    SELECT at, outcome, total_ms, first_ms, tokens_in, tokens_out FROM rotation_attempt
    WHERE NOT internal AND deployment_id = wanted.id AND at >= greatest(hours.at, %(since)s::timestamptz)
      AND at < hours.at + interval '1 hour'
    ORDER BY at DESC LIMIT %(most)s
) AS tried
WHERE tried.outcome = 'ok' OR tried.outcome = ANY(%(lost)s)
"""


def sample(deployments: Collection[int], since: datetime, now: datetime) -> dict[int, list[Try]]:
    """One query: tries since a moment by deployment id; each of them, tried or not, has a list."""
    found: dict[int, list[Try]] = {one: [] for one in deployments}
    if not found:
        return found
    hour = since.replace(minute=0, second=0, microsecond=0)
    values: dict[str, Any] = {
        "ids": list(found),
        "hour": hour,
        "since": since,
        "now": now,
        "most": PER_HOUR,
        "lost": LOST_ON,
    }
    with connection.cursor() as cursor:
        cursor.execute(SAMPLE, values)
        for one, at, answered, ms, first_ms, tokens_in, tokens_out in cursor:
            found[one].append(Try(float(at), ms, answered, tokens_in, tokens_out, first_ms))
    return found
