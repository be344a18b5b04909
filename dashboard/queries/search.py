"""The request log searched: newest first, by any mixture of outcome, pool, model, client and time, in bounded time.

What is rare is not looked for through months of rows at once. The search goes back in growing strides and ends when
its page is full, when the store ends, or when it has taken long enough: then it says how far it came, and the next
page goes on from there. Hours in which the roll-up knows no such call are passed over without reading a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Min, Q

from dashboard.queries.requests import Cursor, Logged, with_attempts
from dashboard.queries.sums import fetch
from dashboard.span import floored
from rotation.models import CallOutcome, Deployment, Request

HOUR = FIRST_STRIDE = timedelta(hours=1)
GROWTH = 4
LONG_ENOUGH = 0.06  # seconds after which a search says how far it came
MODELS = 100  # so many models a word may mean
#: Columns of the hourly roll-up that count an outcome.
COUNTED = {
    None: "calls",
    CallOutcome.ANSWERED: "first_try + rotated",
    CallOutcome.FAILED: "failed",
    CallOutcome.REFUSED: "refused",
    CallOutcome.CANCELLED: "cancelled",
    CallOutcome.INTERRUPTED: "interrupted",
}


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; None does not matter. `deployments`: of whom one answered. Times: since <= at < until."""

    simulated: bool
    outcome: CallOutcome | None = None
    pool: str | None = None
    deployments: tuple[int, ...] | None = None
    client: int | None = None
    rotated: bool = False
    since: datetime | None = None
    until: datetime | None = None

    @property
    def rows(self) -> Q:
        wanted = Q(simulated=self.simulated)
        if self.outcome is not None:
            wanted &= Q(outcome=self.outcome)
        if self.pool is not None:
            wanted &= Q(pool=self.pool)
        if self.deployments is not None:
            wanted &= Q(deployment_id__in=self.deployments)
        if self.client is not None:
            wanted &= Q(client_key_id=self.client)
        if self.rotated:
            wanted &= Q(attempts__gt=1)
        return wanted


@dataclass(frozen=True, slots=True)
class Found:
    """`older` continues where this page ends; `reached` is set when the search stopped before it was full."""

    logged: Sequence[Logged]
    older: Cursor | None
    reached: datetime | None


def search(sought: Sought, *, size: int, after: Cursor | None, now: datetime, clock: Callable[[], float]) -> Found:
    """One page. `clock` counts seconds from anywhere."""
    begun, end = clock(), store_begins()
    upper = min(filter(None, [after.at if after else None, sought.until]), default=now + HOUR)
    lower = max(filter(None, [end, sought.since]), default=None)
    if lower is None or upper < lower:
        return Found((), None, None)
    rows: list[Request] = []
    stride = FIRST_STRIDE
    while upper >= lower:
        upper = newest_hour(sought, upper, lower)
        if upper < lower:
            break
        start = max(lower, floored(upper, HOUR) - stride)
        rows += page_of(sought, start, upper, after, size + 1 - len(rows), sought.until)
        if len(rows) > size:
            return Found(with_attempts(rows[:size]), place(rows[size - 1]), None)
        upper, stride = start - timedelta(microseconds=1), stride * GROWTH
        if clock() - begun > LONG_ENOUGH and upper >= lower:
            return Found(with_attempts(rows), Cursor(start, UUID(int=0)), start)
    return Found(with_attempts(rows), None, None)


def place(row: Request) -> Cursor:
    return Cursor(row.at, row.id)


def page_of(
    sought: Sought, start: datetime, upper: datetime, after: Cursor | None, size: int, until: datetime | None
) -> list[Request]:
    """One query: what lies between two moments, newest first."""
    chosen = Request.objects.filter(sought.rows, at__gte=start, at__lte=upper).defer("trace")
    if until is not None:
        chosen = chosen.filter(at__lt=until)
    if after is not None:
        chosen = chosen.filter(Q(at__lt=after.at) | Q(at=after.at, id__lt=after.id))
    return list(chosen.order_by("-at", "-id")[:size])


def newest_hour(sought: Sought, upper: datetime, lower: datetime) -> datetime:
    """One query: the latest moment up to `upper` that may hold such a call, by the hourly roll-up (written with the
    calls themselves); before `lower` when there is none."""
    column = "rotated" if sought.rotated and sought.outcome is None else COUNTED[sought.outcome]
    pools = "AND pool = %s " if sought.pool is not None else ""
    given = [sought.simulated, floored(upper, HOUR), floored(lower, HOUR)]
    found = fetch(
        f"SELECT max(at) FROM rotation_callhour WHERE simulated = %s AND at <= %s AND at >= %s "  # noqa: S608 - no input
        f"{pools}AND {column} > 0",
        [*given, sought.pool] if sought.pool is not None else given,
    )
    latest: datetime | None = found[0][0]
    return lower - HOUR if latest is None else min(upper, latest + HOUR - timedelta(microseconds=1))


def store_begins() -> datetime | None:
    """One query: when the oldest stored call began; None for an empty store."""
    first: datetime | None = Request.objects.aggregate(first=Min("at"))["first"]
    return first


def models_named(text: str) -> tuple[int, ...]:
    """One query: deployments whose `provider/model` holds the text; the exact name alone when there is one."""
    provider, _, model = text.partition("/")
    exact = Deployment.objects.filter(Q(model_id=text) | Q(provider__name=provider, model_id=model))
    found = exact if exact.exists() else Deployment.objects.filter(model_id__icontains=text)
    return tuple(found.order_by("pk").values_list("pk", flat=True)[:MODELS])
