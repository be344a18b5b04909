"""How full the learned limits are now, as far as what was written down tells; the gateway alone knows exactly.

A limit of up to an hour is held against the attempts within its window, a longer one against the hours since midnight
UTC. What a provider turned away because of a limit did not use it up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from rotation.core.targets import Target
from rotation.gateway.limits import Limits
from rotation.why.facts import Left

HOUR = 3600.0
AXES = {"requests": 0, "tokens": 1}

RECENT = """
    SELECT {window}::float8, a.account_id, a.deployment_id, coalesce(d.free, false),
           count(*) FILTER (WHERE a.outcome NOT IN ('rate_limited', 'quota_day', 'upstream_busy')),
           sum(a.tokens_in + a.tokens_out)
    FROM rotation_attempt a LEFT JOIN rotation_deployment d ON d.id = a.deployment_id
    WHERE a.at > %s AND a.at <= %s GROUP BY 2, 3, 4"""
TODAY = """
    SELECT {window}::float8, k.account_id, s.deployment_id, coalesce(d.free, false),
           sum(s.attempts - s.rate_limited), sum(s.tokens_in + s.tokens_out)
    FROM rotation_hourstat s JOIN rotation_key k ON k.id = s.key_id
    LEFT JOIN rotation_deployment d ON d.id = s.deployment_id
    WHERE s.at >= %s AND s.at <= %s GROUP BY 2, 3, 4"""
#: What the jobs' own calls used of the same: they are in no roll-up, and few.
OF_JOBS = RECENT.replace("WHERE ", "WHERE a.internal AND ")


@dataclass(frozen=True, slots=True)
class Used:
    """What one deployment used of one account within the window."""

    window: float
    account: int
    deployment: int
    free: bool
    requests: int
    tokens: int

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes whose limits count it."""
        account = f"account:{self.account}"
        free = {f"{account}/free"} if self.free else set()
        return frozenset({account, f"{account}/deployment:{self.deployment}", *free})


def used(windows: Sequence[float], now: datetime) -> list[Used]:
    """One query, none for no windows."""
    if not windows:
        return []
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    parts, parameters = list[str](), list[datetime]()
    for window in windows:
        recent = window <= HOUR
        since = now - timedelta(seconds=window) if recent else midnight
        for part in (RECENT,) if recent else (TODAY, OF_JOBS):
            parts.append(part.format(window=float(window)))
            parameters += [since, now]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), parameters)
        return [Used(w, a, d, free, int(n), int(t)) for w, a, d, free, n, t in cursor.fetchall()]


def fill(limits: Limits, now: datetime) -> None:
    """Take what was used out of the buckets of a throw-away `Limits`."""
    moment = now.timestamp()
    known = [(scope, quota, told) for scope, quota in limits.quotas.items() for told in quota.standing(moment)]
    use = used(sorted({told.window for _, _, told in known if told.axis in AXES}), now)
    for scope, quota, told in known:
        here = [u for u in use if u.window == told.window and scope in u.scopes and told.axis in AXES]
        spent = sum((u.requests, u.tokens)[AXES[told.axis]] for u in here)
        if spent:
            quota.learn(told.axis, told.limit, told.window, max(told.limit - spent, 0.0), moment, source="stored")


def left(limits: Limits, target: Target, now: float) -> tuple[Left, ...]:
    """What is left of every limit the target stands in."""
    quotas = [limits.quotas[scope] for scope in sorted(target.scopes) if scope in limits.quotas]
    return tuple(Left(s.axis, s.window, s.limit, s.left) for quota in quotas for s in quota.standing(now))
