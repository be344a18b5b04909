"""What was measured of deployments over some hours, as the ranking wants to see it. Reads; decides nothing.

How many tries there were and how they ended is counted from the roll-ups; how long they took is told by a sample of
attempts, brought to equal work. Where no attempt is kept any more the roll-up's own times stand in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models.functions import TruncHour

from rotation.core.evidence import HOURS, NONE, Evidence, Hour, Measured, Spread, priors, weighed
from rotation.core.stats import merge, quantile, value_of
from rotation.core.work import Try, Work, at_common_work, common_work, shapes
from rotation.models import Deployment, HourStat, MinuteStat
from rotation.reorder import beliefs
from rotation.reorder.sample import sample

SECONDS = 3600
COUNTS = ("ok", "failed", "rate_limited", "sum_ms", "tokens_out", "cost")


@dataclass(frozen=True, slots=True)
class Window:
    """What was read, by deployment id. `hour` is the number of the present hour, `work` what times were brought to."""

    hour: int
    work: Work
    measured: Mapping[int, Measured]
    tries: Mapping[int, Sequence[Try]]
    sums: Mapping[int, Mapping[str, Any]]

    @property
    def evidence(self) -> dict[int, Evidence]:
        return {one: weighed(found, self.hour) for one, found in self.measured.items()}


def read(deployments: Collection[Deployment], now: datetime, *, since: datetime | None = None) -> Window:
    """The last HOURS whole hours and the present one; or what came `since` a moment, to the minute.

    Some five queries, whatever there is in the store.
    """
    begin = since or (now - timedelta(hours=HOURS)).replace(minute=0, second=0, microsecond=0)
    ids = [deployment.pk for deployment in deployments]
    tries = sample(ids, begin, now)
    work = common_work(tries)
    counted, sums = _counts(ids, begin, minutes=since is not None)
    verified = beliefs.verified(ids)
    prior = priors(beliefs.believed(deployments, verified))
    shaped = shapes(tries, work)
    measured = {
        d.pk: Measured(
            d.pk,
            _hours(counted[d.pk], [(t, at_common_work(t, shaped[d.pk], work) if t.answered else t.ms)
                                   for t in tries[d.pk]]),
            limited=int(sums[d.pk]["rate_limited"]),
            p50_ms=quantile(sums[d.pk]["total_hist"], 0.5),
            prior_ms=prior[d.pk][0],
            prior_from=prior[d.pk][1],
            usd=beliefs.usd(d, work),
            quality=verified[d.pk].score,
        )
        for d in deployments
    }  # fmt: skip
    return Window(int(now.timestamp()) // SECONDS, work, measured, tries, sums)


Counted = dict[int, dict[int, dict[str, Any]]]  # deployment -> hour -> sums


def _counts(ids: Collection[int], since: datetime, *, minutes: bool) -> tuple[Counted, dict[int, dict[str, Any]]]:
    """One query: the roll-ups by hour of the epoch, whatever zone a page is read in, and all of them together."""
    table = MinuteStat if minutes else HourStat
    rows = table.objects.filter(deployment_id__in=ids, at__gte=since)  # a minute under way at `since` is left out
    by_hour: Counted = {one: defaultdict(_nothing) for one in ids}
    whole = {one: _nothing() for one in ids}
    values = ("deployment_id", "hour", "ok", "failed", "rate_limited", "sum_ms", "tokens_out", "cost", "total_hist",
              "first_hist")  # fmt: skip
    for row in rows.annotate(hour=TruncHour("at", tzinfo=UTC)).values(*values):
        one, hour = row.pop("deployment_id"), int(row.pop("hour").timestamp()) // SECONDS
        for sums in (by_hour[one][hour], whole[one]):
            _add(sums, row)
    return by_hour, whole


def _nothing() -> dict[str, Any]:
    return {**dict.fromkeys(COUNTS, 0), "total_hist": [], "first_hist": []}


def _add(sums: dict[str, Any], row: Mapping[str, Any]) -> None:
    for name, value in row.items():
        sums[name] = merge(sums[name], value) if name.endswith("_hist") else sums[name] + (value or 0)


def _hours(counted: Mapping[int, Mapping[str, Any]], timed: Sequence[tuple[Try, float]]) -> dict[int, Hour]:
    """Counts and sampled times, hour by hour. The ledger adds both in one transaction."""
    answers: dict[int, list[float]] = defaultdict(list)
    losses: dict[int, list[float]] = defaultdict(list)
    for one, ms in timed:
        (answers if one.answered else losses)[int(one.at) // SECONDS].append(ms)
    found = {}
    for hour, sums in counted.items():
        ok, lost = int(sums["ok"]), int(sums["failed"] + sums["rate_limited"])
        told = Spread.of(answers[hour]) if hour in answers else _rolled_up(ok, sums)
        if ok or lost:
            found[hour] = Hour(ok, lost, told, Spread.of(losses[hour]) if hour in losses else NONE)
    return found


def _rolled_up(ok: int, sums: Mapping[str, Any]) -> Spread:
    """The times of an hour whose attempts are not kept: the mean is exact, the variance that of the histogram."""
    if not ok:
        return NONE
    mean = float(sums["sum_ms"]) / ok
    squares = sum(count * (value_of(bucket) - mean) ** 2 for bucket, count in enumerate(sums["total_hist"]))
    return Spread(ok, mean, squares / ok)
