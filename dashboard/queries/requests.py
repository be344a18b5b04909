"""Requests and their attempts as rows: a place in the log, one request. `search` finds many of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rotation.models import Attempt, Request

LONGEST_CALL = timedelta(hours=1)


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
