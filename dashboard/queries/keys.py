"""Keys with their state, what benches them, and how full the limit is that they are nearest to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard import figures
from dashboard.queries.health import Benched, Health, Scope, scope_of
from dashboard.queries.sums import fetch
from rotation.models import Key, KeyState, LearnedLimit

MINUTE, DAY = 60.0, 86_400.0
UNITS = {
    ("requests", MINUTE): "rpm",
    ("tokens", MINUTE): "tpm",
    ("requests", DAY): "a day",
    ("tokens", DAY): "tokens a day",
}

# One pass over the last minute's attempts by primary key, one over today's hours, one over what the jobs asked today,
# which is in no roll-up: by account, key and deployment.
# What a provider turned away because of a limit did not use it up.
USED = """
    SELECT 60.0, a.account_id, a.key_id, a.deployment_id, coalesce(d.free, false),
           count(*) FILTER (WHERE a.outcome NOT IN ('rate_limited', 'quota_day', 'upstream_busy')),
           sum(a.tokens_in + a.tokens_out)
    FROM rotation_attempt a LEFT JOIN rotation_deployment d ON d.id = a.deployment_id
    WHERE a.at > %s AND a.at <= %s AND a.simulated = %s GROUP BY 2, 3, 4, 5
    UNION ALL
    SELECT 86400.0, k.account_id, s.key_id, s.deployment_id, coalesce(d.free, false),
           sum(s.attempts - s.rate_limited), sum(s.tokens_in + s.tokens_out)
    FROM rotation_hourstat s JOIN rotation_key k ON k.id = s.key_id
    LEFT JOIN rotation_deployment d ON d.id = s.deployment_id
    WHERE s.at >= %s AND s.simulated = %s GROUP BY 2, 3, 4, 5
    UNION ALL
    SELECT 86400.0, a.account_id, a.key_id, a.deployment_id, coalesce(d.free, false),
           count(*) FILTER (WHERE a.outcome NOT IN ('rate_limited', 'quota_day', 'upstream_busy')),
           sum(a.tokens_in + a.tokens_out)
    FROM rotation_attempt a LEFT JOIN rotation_deployment d ON d.id = a.deployment_id
    WHERE a.internal AND a.at >= %s AND a.simulated = %s GROUP BY 2, 3, 4, 5"""


@dataclass(frozen=True, slots=True)
class Used:
    """Requests and tokens of the last minute (window 60) or of today in UTC (window 86400)."""

    window: float
    account: int
    key: int
    deployment: int
    free: bool
    requests: int
    tokens: int

    def within(self, scope: Scope) -> bool:
        """Whether a limit of that scope counts it."""
        return (
            (scope.key is None or scope.key == self.key)
            and (scope.account is None or scope.account == self.account)
            and (scope.deployment is None or scope.deployment == self.deployment)
            and (not scope.free or self.free)
        )


@dataclass(frozen=True, slots=True)
class Fill:
    """How much of one limit is used up."""

    used: float
    limit: float
    unit: str
    scope: Scope

    @property
    def share(self) -> float:
        return self.used / self.limit if self.limit else 0.0

    @property
    def words(self) -> str:
        return f"{figures.short_count(self.used)} / {figures.short_count(self.limit)} {self.unit}"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key as the pages show it; never its secret."""

    key: Key
    benched: Benched | None
    models_cooling: int
    fill: Fill | None

    @property
    def off(self) -> bool:
        return not (self.key.enabled and self.key.account.enabled and self.key.account.provider.enabled)

    @property
    def trouble(self) -> bool:
        return self.key.state != KeyState.READY


def keys(*, simulated: bool) -> list[Key]:
    """One query: in the order of their providers."""
    return list(
        Key.objects.filter(account__provider__simulated=simulated)
        .select_related("account__provider")
        .order_by("account__provider__priority", "account__provider__name", "account_id", "pk")
    )


def limits() -> list[tuple[Scope, LearnedLimit]]:
    """One query: the learned limits whose use the roll-ups can tell."""
    rows = LearnedLimit.objects.filter(window_s__in=[MINUTE, DAY], axis__in=["requests", "tokens"], limit__gt=0)
    return [(scope_of(row.scope), row) for row in rows]


def used(now: datetime, *, simulated: bool) -> list[Used]:
    """One query."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = [midnight, simulated]
    return [Used(*row) for row in fetch(USED, [now - timedelta(minutes=1), now, simulated, *today, *today])]


def fullest(key: Key, known: Iterable[tuple[Scope, LearnedLimit]], use: Iterable[Used]) -> Fill | None:
    """The limit this key is nearest to; with nothing used, one by the minute before one by the day."""
    fills = [fill_of(scope, limit, use) for scope, limit in known if concerns(scope, key)]
    return max(fills, key=lambda f: (f.share, f.scope.deployment is None, f.unit == "rpm", -f.limit), default=None)


def concerns(scope: Scope, key: Key) -> bool:
    return scope.key == key.pk or scope.account == key.account_id


def fill_of(scope: Scope, limit: LearnedLimit, use: Iterable[Used]) -> Fill:
    spent = sum(
        row.requests if limit.axis == "requests" else row.tokens
        for row in use
        if row.window == limit.window_s and row.within(scope)
    )
    return Fill(float(spent), limit.limit, UNITS[limit.axis, limit.window_s], scope)


def rows(
    all_keys: list[Key], known: list[tuple[Scope, LearnedLimit]], use: list[Used], now_benched: Health
) -> list[KeyRow]:
    return [
        KeyRow(
            key=key,
            benched=now_benched.of_key(key.pk, key.account_id, key.account.provider_id),
            models_cooling=now_benched.models_cooling(key.pk, key.account_id),
            fill=fullest(key, known, use),
        )
        for key in all_keys
    ]
