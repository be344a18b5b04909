"""What every client key has spent today and this month, from the roll-ups: where its budgets go on after a start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from django.db.models import Q, Sum

from rotation.gateway.purse import Spent, day_of, month_begins, month_of
from rotation.models import ClientDay

NONE: Mapping[int, int] = MappingProxyType({})


def spent_by(now: datetime) -> list[dict[str, Any]]:
    """Per client key, simulated or not: USD since 00:00 UTC and since the first of the month, as plain rows."""
    day = day_of(now.timestamp())
    month = month_of(day)
    today = Q(at=now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    rows = ClientDay.objects.filter(at__gte=month_begins(month), cost__gt=0).values("client_key_id", "simulated")
    sums = rows.annotate(today=Sum("cost", filter=today), this_month=Sum("cost")).order_by()
    return [{"day": day, "month": month, **row} for row in sums]


def spent_of(rows: Iterable[dict[str, Any]], *, simulated: bool, origins: Mapping[int, int] = NONE) -> dict[int, Spent]:
    """Those rows by purse, of simulated answers or of real ones, which never mix. `origins` as of the function."""
    found: dict[int, Spent] = {}
    for row in (one for one in rows if one["simulated"] is simulated):
        purse = origins.get(row["client_key_id"], row["client_key_id"])
        before = found.get(purse, Spent(row["day"], 0.0, row["month"], 0.0))
        today, month = (float(row[name] or 0) for name in ("today", "this_month"))
        found[purse] = Spent(row["day"], before.today + today, row["month"], before.this_month + month)
    return found


def origins_of(replaced: Mapping[int, int]) -> dict[int, int]:
    """By the id of a key that replaces another (`replaced`): the first of those it replaces."""
    found = {}
    for key in replaced:
        origin, seen = key, {key}
        while (before := replaced.get(origin)) is not None and before not in seen:
            origin = before
            seen.add(before)
        found[key] = origin
    return found
