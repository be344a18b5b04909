"""How quick deployments were in the last hour, from the roll-ups, for the strategies that go by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from rotation.core.stats import merge, quantile
from rotation.gateway.pace import Pace
from rotation.models import MinuteStat

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MOST = 64  # samples that count of each, as in the gateway's memory


def fill(pace: Pace, deployments: Collection[int], now: datetime) -> None:
    """One query: lets a throw-away `Pace` hear what the minutes tell of whole answers and of first contents."""
    heard: dict[tuple[int, bool], list[int]] = defaultdict(list)
    last: dict[int, datetime] = {}
    rows = MinuteStat.objects.filter(deployment_id__in=deployments, at__gt=now - HOUR, at__lte=now, ok__gt=0)
    for one, at, first, whole in rows.order_by("at").values_list("deployment_id", "at", "first_hist", "total_hist"):
        heard[one, True], heard[one, False] = merge(heard[one, True], first), merge(heard[one, False], whole)
        last[one] = at
    for (one, stream), hist in heard.items():
        many, then = min(sum(hist), MOST), min(last[one] + MINUTE, now).timestamp()
        for n in range(many):
            seconds = (quantile(hist, (n + 0.5) / many) or 0.0) / 1000
            pace.learn(one, seconds if stream else None, seconds, now=then)
