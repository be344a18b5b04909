"""The laboratory: traffic replayed under another order or policy; traces; how far each week was from its best order."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field, StringConstraints

from rotation.api.keyset import Listing, Paging, page
from rotation.api.nouns.pools import PoolShown
from rotation.api.shapes import Id, Instant, Label, Moment, Strict, named, one
from rotation.api.who import by
from rotation.control import laboratory as control
from rotation.models import Pool, RegretReport, Reordering, Replay, ReplayState, Trace

router = Router(tags=["laboratory"])
PLACE = "/v1/replays/{int:replay_id}"


class ReplayShown(Schema):
    """Traffic run again under the present policy and a candidate. `result` when it is done."""

    id: int
    pool_id: int
    trace_id: int | None
    since: Moment | None
    until: Moment | None
    candidate: dict[str, Any]
    seed: int
    by: str
    at: Moment
    state: str = Field(examples=list(ReplayState.values))
    progress: float = Field(description="0 to 1")
    started_at: Moment | None
    ended_at: Moment | None
    result: Any
    error: str


class ReplayNew(Strict):
    """A window of the ledger (the last 24 hours unless said) or a trace; a candidate, or a proposal's order."""

    pool: Id
    candidate: dict[str, Any] | None = Field(None, examples=[{"strategy": "fastest"}])
    reordering: Id | None = None
    trace: Id | None = None
    since: Instant | None = None
    until: Instant | None = None
    seed: int = Field(1, ge=0, le=2**63 - 1)


class TraceShown(Schema):
    """Recorded traffic from elsewhere."""

    id: int
    name: str
    calls: int
    starts_at: Moment | None
    ends_at: Moment | None
    by: str
    at: Moment


class TraceNew(Strict):
    name: Label = Field(min_length=1)
    csv: Annotated[str, StringConstraints(max_length=24_000_000)]


class RegretShown(Schema):
    """One pool, one week: how far its order was from the best fixed one in hindsight."""

    id: int
    pool_id: int
    week: Any = Field(description="The Monday it begins on.")
    result: Any
    at: Moment


class Filters(Paging):
    pool: Id | None = None


def traces() -> Any:
    return Trace.objects.defer("body")


def of_pool(rows: Any, pool: int | None) -> Any:
    return rows.filter(pool=pool) if pool else rows


@router.get("/v1/replays", response=Listing[ReplayShown])
def list_replays(request: HttpRequest, at: Query[Filters]) -> Any:
    """Replays, the newest first."""
    return page(request, of_pool(Replay.objects.all(), at.pool), ("-at", "-id"), at)


@router.post("/v1/replays", response={201: ReplayShown})
def start_replay(request: HttpRequest, body: ReplayNew) -> Any:
    """Ask for one; a worker plays it."""
    fields = body.given()
    pool = named(Pool.objects.all(), fields.pop("pool"), "pool")
    for name, rows in (("trace", Trace.objects.all()), ("reordering", Reordering.objects.all())):
        if fields.get(name) is not None:
            fields[name] = named(rows, fields[name], name)
    return Status(201, control.request(by(request), pool, **fields))


@router.get(PLACE, response=ReplayShown)
def get_replay(request: HttpRequest, replay_id: Id) -> Any:
    """One replay: how far it is, and its result."""
    return one(Replay.objects.all(), replay_id, "replay")


@router.delete(PLACE, response={204: None})
def remove_replay(request: HttpRequest, replay_id: Id) -> Any:
    """Remove it; one that waits is not played. Removing it again changes nothing."""
    if found := Replay.objects.filter(pk=replay_id).first():
        control.remove(by(request), found)
    return Status(204, None)


@router.post(f"{PLACE}/adopt", response=PoolShown)
def adopt_replay(request: HttpRequest, replay_id: Id) -> Any:
    """Run the pool as the replay's candidate did."""
    return control.adopt(by(request), one(Replay.objects.select_related("pool"), replay_id, "replay"))


@router.get("/v1/traces", response=Listing[TraceShown])
def list_traces(request: HttpRequest, at: Query[Paging]) -> Any:
    """Traces, the newest first."""
    return page(request, traces(), ("-at", "-id"), at)


@router.post("/v1/traces", response={201: TraceShown})
def import_trace(request: HttpRequest, body: TraceNew) -> Any:
    """Take in recorded traffic in CSV."""
    return Status(201, control.import_trace(by(request), body.name, body.csv.encode()))


@router.delete("/v1/traces/{int:trace_id}", response={204: None})
def remove_trace(request: HttpRequest, trace_id: Id) -> Any:
    """Remove it; its replays stay. Removing it again changes nothing."""
    if found := Trace.objects.filter(pk=trace_id).first():
        control.remove_trace(by(request), found)
    return Status(204, None)


@router.get("/v1/regret", response=Listing[RegretShown])
def list_regret(request: HttpRequest, at: Query[Filters]) -> Any:
    """Weekly reports, the newest first."""
    return page(request, of_pool(RegretReport.objects.all(), at.pool), ("-week", "-id"), at)
