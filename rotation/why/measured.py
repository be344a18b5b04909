"""The last 24 hours of deployments up to a minute, from the roll-ups: whole hours, and the minutes of the running one.

So nothing that came after the minute began is counted. Minutes are kept for days only: of older calls the whole hours
speak.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache

from django.db import connection

from rotation.core.stats import BUCKETS, quantile
from rotation.why.facts import Measured

HOURS = timedelta(hours=24)


@cache
def _sql() -> str:
    sums = ", ".join(f"coalesce(sum(total_hist[{n}]), 0)" for n in range(1, BUCKETS + 1))
    tables = " UNION ALL ".join(
        f"SELECT deployment_id, attempts - cancelled - refused AS tries, ok, total_hist FROM {table} "  # noqa: S608 - ours
        "WHERE deployment_id = ANY(%s) AND at >= %s AND at < %s"
        for table in ("rotation_hourstat", "rotation_minutestat")
    )
    return f"SELECT deployment_id, sum(tries), sum(ok), array[{sums}] FROM ({tables}) AS rows GROUP BY 1"  # noqa: S608 - no input


def measured(deployments: Collection[int], until: datetime) -> dict[int, Measured]:
    """One query (none for no deployments): by id, those that were tried."""
    if not deployments:
        return {}
    minute = until.replace(second=0, microsecond=0)
    hour = minute.replace(minute=0)
    ids = sorted(set(deployments))
    with connection.cursor() as cursor:
        cursor.execute(_sql(), [ids, hour - HOURS, hour, ids, hour, minute])
        rows = cursor.fetchall()
    return {one: Measured(int(tries), int(ok), quantile(hist, 0.5)) for one, tries, ok, hist in rows if tries > 0}
