"""Figures: how calls went, and what was saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field, StringConstraints

from rotation import switches
from rotation.api.shapes import Moment, Usd
from rotation.core.stats import BUCKETS, quantile
from rotation.models import BreakerState, Cooldown, DayStat, Deployment, KeyState
from rotation.models.health import Breaker
from rotation.models.keys import Key
from rotation.providers.model_names import work_of

router = Router(tags=["figures"])
MILLION = 1_000_000
COUNTS = (
    "calls", "first_try", "rotated", "failed", "refused", "cancelled", "interrupted", "attempts", "tokens_in",
    "tokens_out", "cost",
)  # fmt: skip


class PoolFigures(Schema):
    """Calls of one pool. Times in milliseconds, cost in USD."""

    pool: str
    calls: int
    first_try: int
    rotated: int
    failed: int
    refused: int
    cancelled: int
    interrupted: int
    attempts: int
    tokens_in: int
    tokens_out: int
    cost: Usd
    p50_ms: float | None
    p95_ms: float | None


class Overview(Schema):
    """The last hours, pool by pool, and what is out now."""

    since: Moment
    pools: list[PoolFigures]
    breakers_open: int
    cooldowns: int
    keys_in_trouble: int


class Saved(Schema):
    """Answered attempts, tokens, USD spent, and USD the compared model would have asked."""

    answered: int
    tokens_in: int
    tokens_out: int
    spent: Usd
    instead: Usd
    saved: Usd


class SavedByModel(Saved):
    model: str


class Savings(Schema):
    compared_with: str
    since: Moment
    whole: Saved
    models: list[SavedByModel]


class Range(Schema):
    hours: int = Field(24, ge=1, le=24 * 90)
    simulated: bool = False


class Compared(Schema):
    days: int = Field(30, ge=1, le=366)
    model: Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00]*$")] = Field(
        "", description="provider/model of a paid model; empty: the installation's choice."
    )
    simulated: bool = False


@router.get("/v1/overview", response=Overview)
def get_overview(request: HttpRequest, at: Query[Range]) -> Any:
    """How calls went in the last whole hours and this one."""
    now = timezone.now()
    since = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=at.hours - 1)
    opened = (Breaker.OPEN, Breaker.FORCED_OPEN)
    return {
        "since": since,
        "pools": pools(since, simulated=at.simulated),
        "breakers_open": BreakerState.objects.filter(state__in=opened).count(),
        "cooldowns": Cooldown.objects.filter(until__gt=now).count(),
        "keys_in_trouble": Key.objects.usable().exclude(state=KeyState.READY).count(),
    }


def pools(since: Any, *, simulated: bool) -> list[dict[str, Any]]:
    """One query over hours; histograms are added up bucket by bucket."""
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in COUNTS)
    hist = ", ".join(f"coalesce(sum(total_hist[{n}]), 0)" for n in range(1, BUCKETS + 1))
    query = f"""
        SELECT pool, {sums}, array[{hist}] FROM rotation_callhour
        WHERE at >= %s AND simulated = %s GROUP BY pool ORDER BY pool"""  # noqa: S608 - names of our own
    with connection.cursor() as cursor:
        cursor.execute(query, [since, simulated])
        return [_figures(*row) for row in cursor.fetchall()]


def _figures(pool: str, *row: Any) -> dict[str, Any]:
    *numbers, hist = row
    told: Sequence[int] = [int(count) for count in hist]
    return {
        "pool": pool,
        **dict(zip(COUNTS, numbers, strict=True)),
        "p50_ms": quantile(told, 0.5),
        "p95_ms": quantile(told, 0.95),
    }


@router.get("/v1/savings", response=Savings)
def get_savings(request: HttpRequest, at: Query[Compared]) -> Any:
    """What was spent, and what the same tokens would have cost on one paid model. Audio counts as what it cost."""
    paid = yardstick(at.model or switches.value("savings_model"))
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=at.days - 1)
    used = DayStat.objects.filter(at__gte=since, simulated=at.simulated).values("deployment_id")
    rows = list(used.annotate(Sum("ok"), Sum("tokens_in"), Sum("tokens_out"), Sum("cost")).order_by())
    known = Deployment.objects.select_related("provider").in_bulk([row["deployment_id"] for row in rows])
    models = [_saved(known.get(row["deployment_id"]), row, paid) for row in rows]
    models.sort(key=lambda one: (-one["saved"], one["model"]))
    return {"compared_with": paid.name, "since": since, "whole": _whole(models), "models": models}


def yardstick(name: str) -> Deployment:
    """Raises ValidationError on `model`."""
    provider, _, model = name.partition("/")
    found = Deployment.objects.filter(provider__name=provider, model_id=model).select_related("provider").first()
    if found is None or found.price_in is None or found.price_out is None:
        say = f"{name} has no known prices" if name else "No model to compare with is chosen"
        raise ValidationError({"model": f"{say}: name a paid one as provider/model."})
    return found


def _saved(deployment: Deployment | None, row: Mapping[str, Any], paid: Deployment) -> dict[str, Any]:
    tokens_in, tokens_out, spent = row["tokens_in__sum"], row["tokens_out__sum"], row["cost__sum"]
    instead = (tokens_in * (paid.price_in or 0) + tokens_out * (paid.price_out or 0)) / Decimal(MILLION)
    if deployment is not None and work_of(deployment.model_id, deployment.tags) == "transcription":
        instead = spent
    return {
        "model": deployment.name if deployment else f"deployment {row['deployment_id']}, removed",
        "answered": row["ok__sum"],
        "tokens_in": tokens_in,
        "tokens_out": tokens_out,
        "spent": spent,
        "instead": instead,
        "saved": instead - spent,
    }


def _whole(models: list[dict[str, Any]]) -> dict[str, Any]:
    names = ("answered", "tokens_in", "tokens_out")
    money = ("spent", "instead", "saved")
    return {name: sum(one[name] for one in models) for name in names} | {
        name: sum((one[name] for one in models), Decimal(0)) for name in money
    }
