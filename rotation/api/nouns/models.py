"""Models: deployments, each a provider's offer of one model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router
from ninja.responses import Status
from pydantic import BaseModel, Field, StringConstraints

from rotation.api.keyset import Listing, Paging, page
from rotation.api.shapes import GoesWith, Id, Moment, Price, Strict, Text, Usd, Words, named, one
from rotation.api.who import by
from rotation.control import deployments as control
from rotation.control import limits
from rotation.models import Deployment, DeploymentStatus, LearnedLimit, Provider

router = Router(tags=["models"])
Name = Annotated[str, StringConstraints(max_length=255)]
Tokens = Annotated[int, Field(ge=0, le=2**31 - 1)]
PLACE = "/v1/models/{int:model_id}"


class LimitShown(BaseModel):
    """So many of an axis in a window of seconds."""

    axis: Literal["requests", "tokens", "audio_seconds"] = Field(examples=["requests"])
    limit: float = Field(gt=0, allow_inf_nan=False, examples=[60])
    window_s: float = Field(gt=0, le=limits.LONGEST, allow_inf_nan=False, examples=[60])


class Limit(Strict, LimitShown):
    """As an operator says it."""


class ModelShown(BaseModel):
    """A deployment. A feature that is null is not known. Prices in USD per million tokens."""

    id: int
    name: str = Field(description="provider/model, as clients ask for it.")
    provider_id: int
    model_id: str
    label: str
    family: str
    status: str = Field(examples=list(DeploymentStatus.values))
    status_reason: str
    context: int | None
    max_output: int | None
    input_modalities: list[str]
    tools: bool | None
    parallel_tools: bool | None
    json_schema: bool | None
    images: bool | None
    reasoning: bool
    price_in: Usd | None
    price_out: Usd | None
    price_source: str
    free: bool
    seed_latency_s: float | None
    tags: list[str]
    lacks: list[str]
    born_at: Moment | None
    expires_on: date | None = Field(description="The end its provider announced.")
    verified_at: Moment | None
    created_at: Moment
    limits: list[LimitShown] = Field(description="What an operator said.")


class ModelChange(Strict):
    """What an operator knows better. Listings leave alone what was set here."""

    label: Name = ""
    family: Annotated[str, StringConstraints(max_length=120)] = ""
    context: Tokens | None = None
    max_output: Tokens | None = None
    input_modalities: Words = []
    tools: bool | None = None
    parallel_tools: bool | None = None
    json_schema: bool | None = None
    images: bool | None = None
    reasoning: bool = False
    price_in: Price | None = Field(None, description="USD per million tokens read.", examples=["0.05"])
    price_out: Price | None = Field(None, description="USD per million tokens written.", examples=["0.10"])
    free: bool = False
    seed_latency_s: float | None = Field(None, ge=0, le=3600, allow_inf_nan=False)
    tags: Words = Field([], examples=[["code"]])
    lacks: Words = []
    limits: list[Limit] = Field([], max_length=20)


class ModelNew(ModelChange):
    provider: Id
    model_id: Name = Field(min_length=1, examples=["llama3.2:3b"])


class Standing(Strict):
    status: DeploymentStatus
    reason: Text = ""


class Filters(Paging):
    provider: Id | None = None
    status: DeploymentStatus | None = None
    family: str | None = Field(None, max_length=120)
    free: bool | None = None
    q: str | None = Field(None, max_length=200, description="Part of its id.")


COLUMNS = [name for name in ModelShown.model_fields if name != "limits"]


def rows() -> Any:
    return Deployment.objects.select_related("provider")


def shown(found: Sequence[Deployment]) -> list[dict[str, Any]]:
    """With what an operator said of their limits: one query for the page."""
    said: dict[str, list[dict[str, Any]]] = {limits.scope_of(deployment): [] for deployment in found}
    for row in LearnedLimit.objects.filter(scope__in=said, source=limits.SOURCE):
        said[row.scope].append({"axis": row.axis, "limit": row.limit, "window_s": row.window_s})
    return [
        {name: getattr(deployment, name) for name in COLUMNS} | {"limits": said[limits.scope_of(deployment)]}
        for deployment in found
    ]


def alone(deployment: Deployment) -> dict[str, Any]:
    return shown([deployment])[0]


@router.get("/v1/models", response=Listing[ModelShown])
def list_models(request: HttpRequest, at: Query[Filters]) -> Any:
    """Every model anybody offers, by its id."""
    wanted = {
        "provider": at.provider,
        "status": at.status,
        "family": at.family,
        "free": at.free,
        "model_id__icontains": at.q or None,
    }
    found = rows().filter(**{name: value for name, value in wanted.items() if value is not None})
    return page(request, found, ("model_id", "id"), at, shown=shown)


@router.post("/v1/models", response={201: ModelShown})
def add_model(request: HttpRequest, body: ModelNew) -> Any:
    """Add one by hand: a generic server's, or one a listing does not tell of."""
    fields = body.given()
    provider = named(Provider.objects.all(), fields.pop("provider"), "provider")
    return Status(201, alone(control.add(by(request), provider, **fields)))


@router.get(PLACE, response=ModelShown)
def get_model(request: HttpRequest, model_id: Id) -> Any:
    """One model."""
    return alone(one(rows(), model_id, "model"))


@router.patch(PLACE, response=ModelShown)
def change_model(request: HttpRequest, model_id: Id, body: ModelChange) -> Any:
    """Change what is given."""
    return alone(control.change(by(request), one(rows(), model_id, "model"), **body.given()))


@router.delete(PLACE, response={204: None})
def remove_model(request: HttpRequest, model_id: Id) -> Any:
    """Remove it with its places and verdicts. One that is still listed comes back: archive it instead."""
    if found := rows().filter(pk=model_id).first():
        control.remove(by(request), found)
    return Status(204, None)


@router.get(f"{PLACE}/goes-with", response=GoesWith)
def what_goes_with_model(request: HttpRequest, model_id: Id) -> Any:
    """What would be removed together with it."""
    return {"with_it": control.goes_with(one(rows(), model_id, "model"))}


@router.put(f"{PLACE}/status", response=ModelShown)
def set_model_status(request: HttpRequest, model_id: Id, body: Standing) -> Any:
    """Where it stands in its life, by an operator's word: `archived` retires it, `candidate` brings it back."""
    return alone(control.set_status(by(request), one(rows(), model_id, "model"), body.status, body.reason))
