"""What was seen of deployments: the last verdict per capability, and what traffic showed of them. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from rotation.core.lifecycle import Record, Seen
from rotation.core.stats import merge, quantile
from rotation.discovery.verify.causes import TABLE
from rotation.models import HourStat, Verdict, Verification

#: Verdicts that say something about a model; the others are about a bad moment, and the one before them stands.
TELLING = (Verdict.VERIFIED, Verdict.INCOMPATIBLE)
#: Causes that hold for every capability of a model: it does not exist, nobody here may use it.
WHOLE = frozenset(cause.value for cause, row in TABLE.items() if row.whole)


def verdicts(
    deployments: Collection[int], since: Mapping[int, datetime] = MappingProxyType({})
) -> dict[int, dict[str, Seen]]:
    """By deployment id and capability, the last verdict that says something; failing that, the last one.

    `since`: a moment for some of them, before which nothing counts.
    """
    rows = Verification.objects.filter(deployment_id__in=deployments).order_by("at", "id")
    found: dict[int, dict[str, Seen]] = defaultdict(dict)
    for one in rows:
        if one.deployment_id in since and one.at <= since[one.deployment_id]:
            continue
        before = found[one.deployment_id].get(one.capability)
        if before is None or one.verdict in TELLING or before.verdict not in TELLING:
            found[one.deployment_id][one.capability] = Seen(
                str(one.verdict), one.score, one.low, one.latency_ms, one.reason, whole=one.cause in WHOLE
            )
    return dict(found)


def records(deployments: Mapping[int, datetime]) -> dict[int, Record]:
    """By deployment id, what its calls showed since the moment given for it (from the hour after, for a roll-up's hour
    is whole)."""
    if not deployments:
        return {}
    since = {one: _next_hour(moment) for one, moment in deployments.items()}
    rows = HourStat.objects.filter(deployment_id__in=since, at__gte=min(since.values()))
    answered: dict[int, int] = defaultdict(int)
    broken: dict[int, int] = defaultdict(int)
    histograms: dict[int, list[int]] = {}
    for one, at, ok, failed, hist in rows.values_list("deployment_id", "at", "ok", "failed", "total_hist"):
        if at >= since[one]:
            answered[one] += ok
            broken[one] += failed
            histograms[one] = merge(histograms.get(one), hist)
    return {one: Record(answered[one], broken[one], quantile(histograms.get(one), 0.5)) for one in deployments}


def _next_hour(moment: datetime) -> datetime:
    whole = moment.replace(minute=0, second=0, microsecond=0)
    return whole if whole == moment else whole + timedelta(hours=1)


def together(records: Collection[Record]) -> Record:
    """Several as one; the median is left out."""
    return Record(sum(one.ok for one in records), sum(one.failed for one in records))
