"""Requests: the log of calls, one call with its attempts, and why it went as it did."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Query, Router, Schema
from pydantic import Field, StringConstraints

from rotation.api.keyset import Listing, Paging, page
from rotation.api.problems import Missing
from rotation.api.shapes import Id, Instant, Moment, Usd
from rotation.models import Attempt, CallOutcome, Request
from rotation.why import explain, why_not
from rotation.why.facts import Explanation, WhyNot

router = Router(tags=["requests"])
PLACE = "/v1/requests/{uuid:request_id}"
LONGEST_NAME = 200
LONGEST_CALL = timedelta(hours=1)
Text = Annotated[str, StringConstraints(max_length=LONGEST_NAME, pattern=r"^[^\x00]*$")]
Name = Annotated[str, Query(max_length=LONGEST_NAME, description="`provider/model`, or a bare model id")]


class RequestShown(Schema):
    """One call. Times in milliseconds, cost in USD."""

    id: UUID
    at: Moment
    client_key_id: int | None
    operation: str
    asked: str
    pool: str
    model: str
    provider_id: int | None
    deployment_id: int | None
    key_id: int | None
    stream: bool
    status: int
    outcome: str = Field(examples=list(CallOutcome.values))
    failure_kind: str | None
    attempts: int
    queue_ms: float
    first_ms: float | None
    total_ms: float
    lost_ms: float
    tokens_in: int
    tokens_out: int
    usage_estimated: bool
    cost: Usd | None
    simulated: bool
    error: str


class AttemptShown(Schema):
    """One try at one target. `outcome` is "ok" or a failure kind."""

    n: int
    provider_id: int
    deployment_id: int
    account_id: int
    key_id: int
    model: str
    outcome: str
    status: int | None
    blame: str | None
    message: str
    retry_after_s: float | None
    start_ms: float
    connect_ms: float | None
    first_ms: float | None
    total_ms: float
    tokens_in: int
    tokens_out: int
    cost: Usd | None


class WholeRequest(RequestShown):
    tries: list[AttemptShown]
    trace: Any
    needs: dict[str, Any]
    policy: dict[str, Any]


class Filters(Paging):
    outcome: CallOutcome | None = None
    pool: Text | None = None
    model: Text | None = Field(None, description="The deployment that answered, as provider/model or a bare id.")
    client: Id | None = None
    rotated: bool | None = Field(None, description="Whether it took more than one attempt.")
    simulated: bool | None = None
    since: Instant | None = None
    until: Instant | None = None


def sought(at: Filters) -> Any:
    wanted: dict[str, Any] = {
        "outcome": at.outcome,
        "pool": at.pool,
        "client_key_id": at.client,
        "simulated": at.simulated,
        "at__gte": at.since,
        "at__lt": at.until,
    }
    rows = Request.objects.filter(**{name: value for name, value in wanted.items() if value is not None})
    if at.model:
        provider, _, rest = at.model.partition("/")
        rows = rows.filter(deployment_id__in=deployments(at.model, provider, rest))
    if at.rotated is not None:
        rows = rows.filter(attempts__gt=1) if at.rotated else rows.filter(attempts__lte=1)
    return rows


def deployments(name: str, provider: str, rest: str) -> list[int]:
    from rotation.models import Deployment  # noqa: PLC0415 - keeps the name of this file's noun free

    bare = Deployment.objects.filter(model_id=name)
    return list((bare | Deployment.objects.filter(provider__name=provider, model_id=rest)).values_list("pk", flat=True))


@router.get("/v1/requests", response=Listing[RequestShown])
def list_requests(request: HttpRequest, at: Query[Filters]) -> Any:
    """Calls, the newest first."""
    return page(request, sought(at), ("-at", "-id"), at)


@router.get(PLACE, response=WholeRequest)
def get_request(request: HttpRequest, request_id: UUID) -> Any:
    """One call with its attempts in order and what its decision rested on (never its text)."""
    found = Request.objects.filter(id=request_id).first()
    if found is None:
        raise Missing(f"There is no request {request_id}: it may be older than what is kept.")
    tries = Attempt.objects.filter(request_id=request_id, at__gte=found.at, at__lt=found.at + LONGEST_CALL)
    told = {name: getattr(found, name) for name in RequestShown.model_fields}
    more = {"trace": found.trace, "needs": found.needs, "policy": found.policy}
    return {**told, **more, "tries": list(tries.order_by("n"))}


@router.get(f"{PLACE}/why", response=Explanation)
def why(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Why this model: the candidates, the attempts, the reasons, and what the present policy would choose."""
    return JsonResponse(explain(request_id).as_json())


@router.get(f"{PLACE}/why-not", response=WhyNot)
def why_not_model(request: HttpRequest, request_id: UUID, model: Name) -> HttpResponse:
    """Why this request was not answered by `model`, and how that stands under the present policy."""
    return JsonResponse(why_not(explain(request_id), model).as_json())
