"""What every client key has spent today and this month, from the roll-ups: where its budgets go on after a start."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, Sum

from rotation.gateway.purse import Spent, day_of, month_begins, month_of
from rotation.models import ClientDay


def spent_by(now: datetime) -> list[dict[str, Any]]:
    """Per client key, simulated or not: USD since 00:00 UTC and since the first of the month, as plain rows."""
    day = day_of(now.timestamp())
    month = month_of(day)
    today = Q(at=now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    rows = ClientDay.objects.filter(at__gte=month_begins(month), cost__gt=0).values("client_key_id", "simulated")
    sums = rows.annotate(today=Sum("cost", filter=today), this_month=Sum("cost")).order_by()
    return [{"day": day, "month": month, **row} for row in sums]


def spent_of(rows: Iterable[dict[str, Any]], *, simulated: bool) -> dict[int, Spent]:
    """Those rows by client key: of simulated answers or of real ones, which never mix."""
    return {
        row["client_key_id"]: Spent(row["day"], float(row["today"] or 0), row["month"], float(row["this_month"] or 0))
        for row in rows
        if row["simulated"] is simulated
    }
