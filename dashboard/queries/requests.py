"""Requests and their attempts as rows: the latest, a page of them, one.

Raw rows are read newest first by primary key. Before that, the hourly roll-up tells how far back enough of the wanted
rows lie, so that rare outcomes (or none at all) never make Postgres walk through a million others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

from django.db.models import Q

from dashboard.queries.sums import fetch
from rotation.models import Attempt, CallOutcome, Request

LONGEST_CALL = timedelta(hours=1)
COUNTED = {
    None: "calls",
    CallOutcome.ANSWERED: "first_try + rotated",
    CallOutcome.FAILED: "failed",
    CallOutcome.REFUSED: "refused",
    CallOutcome.CANCELLED: "cancelled",
    CallOutcome.INTERRUPTED: "interrupted",
}


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the log: everything older than this (at, id) comes next."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{self.at.timestamp():.6f}~{self.id}"

    @classmethod
    def read(cls, text: str | None) -> Cursor | None:
        """The cursor of a link; None for what is none."""
        at, _, uuid = (text or "").partition("~")
        try:
            return cls(datetime.fromtimestamp(float(at), UTC), UUID(uuid))
        except (ValueError, OverflowError, OSError):
            return None


@dataclass(frozen=True, slots=True)
class Logged:
    """A request with its attempts in order."""

    request: Request
    attempts: tuple[Attempt, ...]


def horizon(*, simulated: bool, outcome: CallOutcome | None, before: datetime, enough: int) -> datetime | None:
    """One query: the hour from which on `enough` such calls began before `before`; None when there is not one.

    The hour `before` lies in is looked at but not counted: its calls may all be newer.
    """
    column = COUNTED[outcome]
    (first,) = fetch(
        "SELECT min(at) FROM (SELECT at, sum(counted) OVER (ORDER BY at DESC) - counted AS newer FROM ("  # noqa: S608 - no input
        f"SELECT at, CASE WHEN at > %s - interval '1 hour' THEN 0 ELSE sum({column}) END AS counted "
        f"FROM rotation_callhour WHERE simulated = %s AND at <= %s GROUP BY at HAVING sum({column}) > 0"
        ") hours) walked WHERE newer < %s",
        [before, simulated, before, enough],
    )[0]
    return cast("datetime | None", first)


def page(
    *, simulated: bool, size: int, outcome: CallOutcome | None = None, after: Cursor | None = None, now: datetime
) -> list[Logged]:
    """Three queries at most: `size` requests, newest first, with their attempts."""
    start = horizon(simulated=simulated, outcome=outcome, before=after.at if after else now, enough=size)
    if start is None:
        return []
    chosen = Request.objects.filter(simulated=simulated, at__gte=start).defer("trace")
    if outcome is not None:
        chosen = chosen.filter(outcome=outcome)
    if after is not None:
        chosen = chosen.filter(Q(at__lt=after.at) | Q(at=after.at, id__lt=after.id), at__lte=after.at)
    return with_attempts(list(chosen.order_by("-at", "-id")[:size]))


def with_attempts(requests: Sequence[Request]) -> list[Logged]:
    """One query (none for no requests)."""
    if not requests:
        return []
    times = [request.at for request in requests]
    found = Attempt.objects.filter(
        request_id__in=[request.id for request in requests], at__gte=min(times), at__lt=max(times) + LONGEST_CALL
    ).order_by("request_id", "n")
    by_request: dict[UUID, list[Attempt]] = defaultdict(list)
    for attempt in found:
        by_request[attempt.request_id].append(attempt)
    return [Logged(request, tuple(by_request[request.id])) for request in requests]


def one(uuid: UUID) -> Logged | None:
    """Two queries: a request by its id, with everything."""
    request = Request.objects.filter(id=uuid).first()
    return with_attempts([request])[0] if request else None
