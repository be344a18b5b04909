"""Requests and their attempts as rows: the latest, a page of them, one.

Raw rows are read newest first by primary key. Before that, the hourly roll-up tells how far back enough of the wanted
rows lie, so that rare outcomes (or none at all) never make Postgres walk through a million others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Q

from dashboard.queries.sums import fetch
from dashboard.span import floored
from rotation.models import Attempt, CallOutcome, Request

HOUR = LONGEST_CALL = timedelta(hours=1)
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


def horizon(*, simulated: bool, outcome: CallOutcome | None, before: datetime, enough: int) -> datetime:
    """One query: the hour from which on at least `enough` such calls began before `before`, as far as there are any.

    The hour `before` lies in is part of it but not counted: its calls may all be newer.
    """
    column = COUNTED[outcome]
    hours = fetch(
        f"SELECT at, {column} FROM rotation_callhour "  # noqa: S608 - no input
        f"WHERE simulated = %s AND at <= %s AND {column} > 0 ORDER BY at DESC LIMIT %s",
        [simulated, before - HOUR, enough],
    )
    found, first = 0, floored(before, HOUR)
    for at, many in hours:
        found, first = found + many, at
        if found >= enough:
            break
    return first


def page(
    *, simulated: bool, size: int, outcome: CallOutcome | None = None, after: Cursor | None = None, now: datetime
) -> list[Logged]:
    """Three queries at most: `size` requests, newest first, with their attempts."""
    start = horizon(simulated=simulated, outcome=outcome, before=after.at if after else now, enough=size)
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
