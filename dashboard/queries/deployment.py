"""One model: what was measured of it, from roll-ups; what its provider said of it; where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from dashboard.charts.heat import Hour
from dashboard.queries.sums import counters, fetch, histogram
from dashboard.span import floored
from rotation.models import CatalogueChange, DayStat, Deployment, HourStat, KindDay, LifeStep, StepState

DAYS = 30
WEEKS = 4  # of the heat map
SHOWN = 30  # rows of a history
COUNTED = "attempts - cancelled - refused"
SPREAD = (
    f"SELECT {histogram('total_hist')}, {histogram('first_hist')}, {counters(COUNTED, 'ok', 'tokens_out', 'cost')} "  # noqa: S608 - no input
    f"FROM {DayStat._meta.db_table} WHERE deployment_id = %s AND at >= %s"
)
BY_DAY = (
    f"SELECT at, {counters(COUNTED, 'ok')} FROM {DayStat._meta.db_table} "  # noqa: S608 - no input
    "WHERE deployment_id = %s AND at >= %s GROUP BY at"
)
BY_HOUR = (
    "SELECT extract(isodow FROM at AT TIME ZONE %s)::int, extract(hour FROM at AT TIME ZONE %s)::int, "  # noqa: S608 - no input
    f"{counters(COUNTED, 'ok', 'sum_ms')} FROM {HourStat._meta.db_table} "
    "WHERE deployment_id = %s AND at >= %s GROUP BY 1, 2"
)
KINDS = (
    f"SELECT kind, {counters('attempts')} AS many FROM {KindDay._meta.db_table} "  # noqa: S608 - no input
    "WHERE deployment_id = %s AND at >= %s GROUP BY kind ORDER BY many DESC, kind"
)


MOVES = """
    SELECT (SELECT max(id) FROM rotation_verification WHERE deployment_id = %(pk)s),
           (SELECT count(*) FROM rotation_verificationtask WHERE deployment_id = %(pk)s),
           (SELECT count(*) FROM rotation_verificationtask
               WHERE deployment_id = %(pk)s AND state IN ('waiting', 'under_way')),
           (SELECT count(*) + count(decided_at) FROM rotation_lifestep WHERE deployment_id = %(pk)s)"""


@dataclass(frozen=True, slots=True)
class Spread:
    """Thirty days of attempts: histograms of answers by total time and by time to first token."""

    total: Sequence[int]
    first: Sequence[int]
    tries: int
    ok: int
    tokens_out: int
    cost: float


@dataclass(frozen=True, slots=True)
class Day:
    at: datetime
    tries: int = 0
    ok: int = 0


def midnight(now: datetime) -> datetime:
    return floored(now.astimezone(UTC), timedelta(days=1))


def since(now: datetime) -> datetime:
    return midnight(now) - timedelta(days=DAYS - 1)


def moves(pk: int) -> tuple[Any, ...]:
    """One query: what changes on its page beside what changes everywhere."""
    return fetch(MOVES, {"pk": pk})[0]


def spread(pk: int, now: datetime) -> Spread:
    """One query."""
    total, first, tries, ok, tokens, cost = fetch(SPREAD, [pk, since(now)])[0]
    return Spread(total, first, tries, ok, int(tokens), float(cost))


def days(pk: int, now: datetime) -> list[Day]:
    """One query: thirty UTC days, the oldest first, today last."""
    known = {row[0]: Day(*row) for row in fetch(BY_DAY, [pk, since(now)])}
    moments = [since(now) + timedelta(days=n) for n in range(DAYS)]
    return [known.get(moment, Day(moment)) for moment in moments]


def hours(pk: int, now: datetime) -> dict[tuple[int, int], Hour]:
    """One query: by (weekday, 1 is Monday; hour) of the reader's zone, over four weeks."""
    zone = timezone.get_current_timezone_name()
    rows = fetch(BY_HOUR, [zone, zone, pk, now - timedelta(weeks=WEEKS)])
    return {(day, hour): Hour(tries, ok, total / ok if ok else None) for day, hour, tries, ok, total in rows}


def kinds(pk: int, now: datetime) -> list[tuple[str, int]]:
    """One query: failures of thirty days by kind, most first; answers are not among them."""
    return [(kind, many) for kind, many in fetch(KINDS, [pk, since(now)]) if kind != "ok" and many]


def changes(deployment: Deployment) -> list[CatalogueChange]:
    found = CatalogueChange.objects.filter(provider=deployment.provider_id, model_id=deployment.model_id)
    return list(found.order_by("-at", "-id")[:SHOWN])


def steps(deployment: Deployment) -> list[LifeStep]:
    return list(
        deployment.steps.exclude(state=StepState.PROPOSED).select_related("pool").order_by("-at", "-id")[:SHOWN]
    )


def proposals(deployment: Deployment) -> list[LifeStep]:
    return list(deployment.steps.filter(state=StepState.PROPOSED).select_related("pool").order_by("-at", "-id"))
