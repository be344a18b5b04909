"""What client keys used, from the roll-up of days: today and this month (UTC), and day by day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from dashboard.queries import mode
from rotation.gateway.spending import origins_of
from rotation.models import ClientDay, ClientKey

DAYS = 30
NONE = Decimal(0)


@dataclass(frozen=True, slots=True)
class Client:
    """One key with its use. Money in USD, tokens both ways together."""

    key: ClientKey
    calls_today: int
    calls: int  # of the last 30 days
    tokens: int
    today: Decimal
    month: Decimal
    now: datetime

    @property
    def state(self) -> str:
        """in use, revoked, expired, or ending: past its replacement, with a date."""
        if not self.key.enabled:
            return "revoked"
        if self.key.expires_at and self.key.expires_at <= self.now:
            return "expired"
        return "ending" if self.key.expires_at and self.key.replaced_by.all() else "in use"

    @property
    def live(self) -> bool:
        return self.state in {"in use", "ending"}


def with_use(keys: Sequence[ClientKey]) -> list[Client]:
    """One page of keys with their use: three questions, whatever their number. Money is told of a key together with
    what it replaces and what replaces it, for they share their budgets."""
    now, simulated = timezone.now(), mode.simulated()
    origins = origins_of(dict(ClientKey.objects.filter(replaces__isnull=False).values_list("pk", "replaces_id")))
    purses = {origins.get(key.pk, key.pk) for key in keys}
    ids = purses | {pk for pk, origin in origins.items() if origin in purses}
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    month = midnight.replace(day=1)
    since = min(month, midnight - timedelta(days=DAYS - 1))
    rows = ClientDay.objects.filter(client_key_id__in=ids, at__gte=since, simulated=simulated)
    summed: dict[int, Mapping[str, Any]] = {
        row["client_key_id"]: row
        for row in rows.values("client_key_id").annotate(
            calls_today=Coalesce(Sum("calls", filter=Q(at__gte=midnight)), 0),
            sum_calls=Coalesce(Sum("calls", filter=Q(at__gte=midnight - timedelta(days=DAYS - 1))), 0),
            tokens=Coalesce(Sum("tokens_in"), 0) + Coalesce(Sum("tokens_out"), 0),
            today=Sum("cost", filter=Q(at__gte=midnight)),
            month=Sum("cost", filter=Q(at__gte=month)),
        )
    }
    spent: dict[int, tuple[Decimal, Decimal]] = {}
    for pk, row in summed.items():
        today, whole = spent.get(purse := origins.get(pk, pk), (NONE, NONE))
        spent[purse] = today + (row["today"] or NONE), whole + (row["month"] or NONE)
    nothing = (NONE, NONE)
    return [_client(key, summed.get(key.pk, {}), spent.get(origins.get(key.pk, key.pk), nothing), now) for key in keys]


def _client(key: ClientKey, row: Mapping[str, Any], spent: tuple[Decimal, Decimal], now: datetime) -> Client:
    today, calls, tokens = (int(row.get(name) or 0) for name in ("calls_today", "sum_calls", "tokens"))
    return Client(key, today, calls, tokens, *spent, now)


def days_of(key: ClientKey, now: datetime) -> Iterable[ClientDay]:
    """The last 30 days on which it was used, the newest first."""
    since = now - timedelta(days=DAYS)
    return ClientDay.objects.filter(client_key_id=key.pk, at__gt=since, simulated=mode.simulated()).order_by("-at")


def shown() -> QuerySet[ClientKey, ClientKey]:
    return ClientKey.objects.prefetch_related("replaced_by").select_related("replaces")
