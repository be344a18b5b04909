"""The order of pools: what it rests on, what is proposed, what was changed and undone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from rotation.api.keyset import Listing, Paging, page
from rotation.api.shapes import Id, Moment, one
from rotation.api.who import by
from rotation.control import order as control
from rotation.models import Pool, Reordering, ReorderingState
from rotation.reorder.statistics import statistics

router = Router(tags=["order"])
PLACE = "/v1/reorderings/{int:reordering_id}"


class ReorderingShown(Schema):
    """One proposed or applied new order of a pool, with its evidence."""

    id: int
    pool_id: int
    at: Moment
    state: str = Field(examples=list(ReorderingState.values))
    reason: str
    before: list[Any]
    after: list[Any]
    evidence: Any
    confidence: float | None = Field(description="Of the least certain swap, 0 to 1.")
    decided_by: str
    decided_at: Moment | None
    applied_by: str
    applied_at: Moment | None
    watch_until: Moment | None
    watched: Any
    undone_by: str
    undone_at: Moment | None


class Proposed(Schema):
    """What looking at the evidence now brought; null: the order stands."""

    proposal: ReorderingShown | None


class StatisticsShown(Schema):
    """What the order of a pool rests on. Times in milliseconds, shares 0 to 1."""

    pool: str
    at: Moment
    hours: int
    half_life_hours: float
    work: dict[str, Any]
    deployments: list[dict[str, Any]]


class Filters(Paging):
    pool: Id | None = None
    state: ReorderingState | None = None


def found(reordering_id: int) -> Reordering:
    return one(Reordering.objects.select_related("pool"), reordering_id, "reordering")


@router.get("/v1/reorderings", response=Listing[ReorderingShown])
def list_reorderings(request: HttpRequest, at: Query[Filters]) -> Any:
    """New orders, proposed and applied, the newest first."""
    wanted = {"pool": at.pool, "state": at.state}
    rows = Reordering.objects.filter(**{name: value for name, value in wanted.items() if value is not None})
    return page(request, rows, ("-at", "-id"), at)


@router.get(PLACE, response=ReorderingShown)
def get_reordering(request: HttpRequest, reordering_id: Id) -> Any:
    """One of them."""
    return found(reordering_id)


@router.post(f"{PLACE}/apply", response=ReorderingShown)
def apply_reordering(request: HttpRequest, reordering_id: Id) -> Any:
    """Make a proposed order the pool's; it is watched, and rolled back when it turns out worse."""
    return control.apply(by(request), found(reordering_id))


@router.post(f"{PLACE}/hold", response=ReorderingShown)
def hold_reordering(request: HttpRequest, reordering_id: Id) -> Any:
    """Wait with it."""
    return control.hold(by(request), found(reordering_id))


@router.post(f"{PLACE}/reject", response=ReorderingShown)
def reject_reordering(request: HttpRequest, reordering_id: Id) -> Any:
    """Do not make this change."""
    return control.reject(by(request), found(reordering_id))


@router.post(f"{PLACE}/undo", response=ReorderingShown)
def undo_reordering(request: HttpRequest, reordering_id: Id) -> Any:
    """Put back what it moved, but for what was moved since."""
    return control.undo(by(request), found(reordering_id))


@router.post("/v1/pools/{int:pool_id}/propose", response=Proposed)
def propose_order(request: HttpRequest, pool_id: Id) -> Any:
    """Look at the evidence now. Nothing is applied."""
    return {"proposal": control.propose_now(by(request), one(Pool.objects.all(), pool_id, "pool"))}


@router.get("/v1/pools/{int:pool_id}/statistics", response=StatisticsShown)
def get_statistics(request: HttpRequest, pool_id: Id) -> Any:
    """What the order rests on, and the reason of each place."""
    return asdict(statistics(one(Pool.objects.all(), pool_id, "pool"), timezone.now()))
