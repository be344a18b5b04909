"""What was measured of deployments in the last day, as the ranking wants to see it. Reads roll-ups; decides nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Sum

from rotation.core.failures import TABLE, Consequence
from rotation.core.ranking import Evidence
from rotation.core.stats import merge, quantile
from rotation.models import Attempt, Deployment, HourStat

HOURS = 24
#: Outcomes a call loses time on and that say something about the deployment: what counts, and what is limited.
LOST_ON = [
    kind.value
    for kind, row in TABLE.items()
    if row.consequence
    in {Consequence.COUNT, Consequence.COUNT_PROVIDER, Consequence.COOL, Consequence.COOL_UNTIL_RESET}
]


def evidence(deployments: Collection[Deployment], now: datetime) -> dict[int, Evidence]:
    """By deployment id. The window begins on the hour, so that it is whole hours of the roll-up and the present one."""
    since = (now - timedelta(hours=HOURS)).replace(minute=0, second=0, microsecond=0)
    ids = [deployment.pk for deployment in deployments]
    lost = _time_lost(ids, since)
    counts = _counts(ids, since)
    return {d.pk: _evidence(d, counts.get(d.pk, {}), lost.get(d.pk)) for d in deployments}


def _evidence(deployment: Deployment, counts: Mapping[str, Any], fail_ms: float | None) -> Evidence:
    ok, seed = int(counts.get("ok", 0)), deployment.seed_latency_s
    return Evidence(
        deployment=deployment.pk,
        ok=ok,
        failed=int(counts.get("failed", 0)),
        rate_limited=int(counts.get("rate_limited", 0)),
        p50_ms=counts.get("p50_ms"),
        mean_ms=counts["sum_ms"] / ok if ok else None,
        fail_ms=fail_ms,
        prior_ms=None if seed is None else seed * 1000,
    )


def _counts(ids: Collection[int], since: datetime) -> dict[int, dict[str, Any]]:
    rows = HourStat.objects.filter(deployment_id__in=ids, at__gte=since)
    sums = {name: Sum(name) for name in ("ok", "failed", "rate_limited", "sum_ms")}
    found: dict[int, Any] = {row["deployment_id"]: row for row in rows.values("deployment_id").annotate(**sums)}
    histograms: dict[int, list[int]] = {}
    for deployment, histogram in rows.values_list("deployment_id", "total_hist"):
        histograms[deployment] = merge(histograms.get(deployment), histogram)
    return {one: {**row, "p50_ms": quantile(histograms.get(one), 0.5)} for one, row in found.items()}


def _time_lost(ids: Collection[int], since: datetime) -> dict[int, float]:
    """Mean ms of attempts that were not answered."""
    rows = Attempt.objects.filter(deployment_id__in=ids, at__gte=since, outcome__in=LOST_ON)
    return dict(rows.values_list("deployment_id").annotate(Avg("total_ms")))
