"""What exploring cost a pool: calls that asked a lower model first (canaries too) beside all the others.

Both sides are compared over the same hours, by the mean time of answered calls: an hour in which all were slow is no
fault of the exploration's. Read from the calls themselves: the explored by their index, of the others a sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from rotation.core.exploration import Cause

HOURS = 24
MOST = 20_000  # explored calls read at most, the latest
PER_HOUR = 200  # of the others, the latest of each hour
LOOKED_AT = 2_000  # calls of each hour among which these are found

SQL = """
WITH explored AS (
    SELECT date_trunc('hour', at) AS hour, policy->'explored'->>'cause' AS cause, outcome = 'answered' AS answered,
           total_ms, coalesce(cost, 0) AS cost
    FROM rotation_request WHERE policy ? 'explored' AND at >= %(since)s AND at < %(now)s AND pool = %(pool)s
    ORDER BY at DESC LIMIT %(most)s
), others AS (
    SELECT hours.hour, avg(usual.total_ms) AS ms, avg(usual.cost) AS cost
    FROM (SELECT DISTINCT hour FROM explored) AS hours
    CROSS JOIN LATERAL (
        SELECT total_ms, coalesce(cost, 0) AS cost FROM (
            SELECT * FROM rotation_request
            WHERE at >= hours.hour AND at < hours.hour + interval '1 hour' AND at < %(now)s
            ORDER BY at DESC LIMIT %(looked_at)s
        ) AS latest
        WHERE pool = %(pool)s AND outcome = 'answered' AND NOT policy ? 'explored' LIMIT %(per_hour)s
    ) AS usual
    GROUP BY 1
)
SELECT cause, count(*), count(*) FILTER (WHERE explored.answered),
       sum(explored.total_ms - others.ms) FILTER (WHERE explored.answered),
       sum(explored.cost - others.cost)
FROM explored LEFT JOIN others USING (hour) GROUP BY cause
"""


@dataclass(frozen=True, slots=True)
class Explored:
    """Of one cause: calls, how many were answered, ms they took beyond the others in all, USD beyond the others."""

    cause: str
    calls: int
    answered: int
    extra_ms: float
    extra_usd: float


@dataclass(frozen=True, slots=True)
class Exploration:
    """A pool's over a window; `share` is that of all its calls."""

    hours: int
    calls: int
    causes: tuple[Explored, ...]

    @property
    def explored(self) -> int:
        return sum(one.calls for one in self.causes)

    @property
    def extra_ms(self) -> float:
        return sum(one.extra_ms for one in self.causes)

    @property
    def extra_usd(self) -> float:
        return sum(one.extra_usd for one in self.causes)

    @property
    def share(self) -> float:
        return self.explored / self.calls if self.calls else 0.0


CALLS = (
    "SELECT coalesce(sum(calls), 0) FROM rotation_callhour WHERE pool = %(pool)s AND at >= %(since)s AND at < %(now)s"
)


def exploration(pool: str, now: datetime, *, hours: int = HOURS) -> Exploration:
    """Two queries. Calls whose hour has no others to compare with add nothing to the extra time."""
    since = (now - timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
    values: dict[str, Any] = {
        "pool": pool, "since": since, "now": now, "most": MOST, "per_hour": PER_HOUR, "looked_at": LOOKED_AT,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(CALLS, values)
        (calls,) = cursor.fetchone()
        cursor.execute(SQL, values)
        known = {cause.value for cause in Cause}
        causes = tuple(
            Explored(cause, asked, answered, float(ms or 0.0), float(usd or 0.0))
            for cause, asked, answered, ms, usd in sorted(cursor.fetchall(), key=lambda row: str(row[0]))
            if cause in known
        )
    return Exploration(hours, int(calls), causes)
