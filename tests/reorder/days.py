"""Traffic of a pool's deployments as the ledger stores it: attempts, and the roll-ups added up from them."""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from rotation.core.stats import histogram
from rotation.models import Attempt, Deployment, HourStat, MinuteStat

Groups = dict[tuple[datetime, int], list[Attempt]]


def hour_of(
    deployment: Deployment,
    at: datetime,
    seconds: float,
    *,
    tries: int = 30,
    lost: float = 0.0,
    lost_s: float = 2.0,
    out: tuple[int, int] = (20, 20),
    per_token: float = 0.0,
) -> None:
    """One hour of one deployment, its tries spread over the hour that begins at `at`."""
    chance = random.Random(f"{deployment.model_id} {at}")
    attempts = []
    for n in range(tries):
        answered, wrote = chance.random() >= lost, chance.randint(*out)
        took = max((seconds + per_token * wrote) * chance.gauss(1.0, 0.3), 0.05) if answered else lost_s
        attempts.append(
            Attempt(
                at=at + timedelta(seconds=n * 3600 / tries), id=uuid.uuid4(), request_id=uuid.uuid4(), n=1,
                provider_id=deployment.provider_id, deployment_id=deployment.pk, account_id=1, key_id=1,
                model=deployment.model_id, outcome="ok" if answered else "overloaded", message="", start_ms=0.0,
                first_ms=took * 300 if answered else None, total_ms=took * 1000, tokens_in=100, tokens_out=wrote,
                simulated=False,
            )
        )  # fmt: skip
    Attempt.objects.bulk_create(attempts)
    roll_up(attempts)


def roll_up(attempts: list[Attempt]) -> None:
    """Adds attempts up by minute and by hour. Nothing else may have been stored of these."""
    by_minute: Groups = defaultdict(list)
    by_hour: Groups = defaultdict(list)
    for one in attempts:
        minute = one.at.replace(second=0, microsecond=0)
        by_minute[minute, one.deployment_id].append(one)
        by_hour[minute.replace(minute=0), one.deployment_id].append(one)
    MinuteStat.objects.bulk_create(MinuteStat(**_sums(*key, many)) for key, many in by_minute.items())
    HourStat.objects.bulk_create(HourStat(**_sums(*key, many)) for key, many in by_hour.items())


def _sums(at: datetime, deployment: int, many: list[Attempt]) -> dict[str, Any]:
    ok = [one for one in many if one.outcome == "ok"]
    return {
        "at": at, "deployment_id": deployment, "key_id": 1, "attempts": len(many), "ok": len(ok),
        "failed": len(many) - len(ok), "sum_ms": sum(one.total_ms for one in ok),
        "tokens_out": sum(one.tokens_out for one in ok), "total_hist": histogram([one.total_ms for one in ok]),
        "first_hist": histogram([one.first_ms or 0.0 for one in ok]),
    }  # fmt: skip
