"""Pools, and the places in their orders."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field

from rotation.api.keyset import Listing, Paging, page
from rotation.api.shapes import GoesWith, Id, Label, Moment, Slug, Strict, Text, named, one
from rotation.api.who import by
from rotation.control import placements as places
from rotation.control import pools as control
from rotation.models import Deployment, Mode, Placement, Pool, Preset, Strategy

router = Router(tags=["pools"])
PLACE, STAND = "/v1/pools/{int:pool_id}", "/v1/placements/{int:placement_id}"
Version = Annotated[int | None, Field(ge=1, description="The pool's, as you read it: 409 when it is another.")]
Position = Annotated[int, Field(ge=1, le=places.HIGHEST, description="1 is first.")]


class PoolShown(Schema):
    """A named rotation order. `version` rises with every change."""

    id: int
    name: str = Field(examples=["auto"])
    label: str
    strategy: str
    preset: str
    policy: dict[str, Any]
    discovery: str
    reordering: str
    admits: dict[str, Any]
    canary_share: float
    version: int


class PoolChange(Strict):
    name: Slug = ""
    label: Label = ""
    strategy: Strategy = Strategy.ORDERED
    preset: Preset = Preset.BALANCED
    policy: dict[str, Any] = Field({}, description="Single knobs changed.", examples=[{"patience": 5}])
    discovery: Mode = Mode.PROPOSE
    reordering: Mode = Mode.AUTOMATIC
    admits: dict[str, Any] = Field({}, examples=[{"free": True, "capabilities": ["tools"], "context": 32000}])
    canary_share: float = Field(0.03, ge=0.01, le=0.05, allow_inf_nan=False)
    version: Version = None


class PoolNew(Strict):
    name: Slug = Field(examples=["night"])
    label: Label = ""
    strategy: Strategy = Strategy.ORDERED
    preset: Preset = Preset.BALANCED
    policy: dict[str, Any] = {}
    discovery: Mode = Mode.PROPOSE
    reordering: Mode = Mode.AUTOMATIC
    admits: dict[str, Any] = {}
    canary_share: float = Field(0.03, ge=0.01, le=0.05, allow_inf_nan=False)


class PlaceShown(Schema):
    """A deployment's place in a pool; the lowest position is tried first."""

    id: int
    pool_id: int
    model_id: int = Field(description="The deployment's id.")
    model: str = Field(description="provider/model")
    position: int
    pinned: bool
    enabled: bool
    canary: float | None
    since: Moment
    why: str

    @staticmethod
    def resolve_model_id(placement: Placement) -> int:
        return int(placement.deployment_id)

    @staticmethod
    def resolve_model(placement: Placement) -> str:
        return placement.deployment.name


class PlaceChange(Strict):
    pinned: bool = False
    enabled: bool = True
    canary: float | None = Field(None, ge=0.01, le=0.05, allow_inf_nan=False)
    why: Text = ""
    version: Version = None


class PlaceNew(Strict):
    model: Id = Field(description="The deployment's id.")
    position: Position | None = None
    pinned: bool = False
    enabled: bool = True
    canary: float | None = Field(None, ge=0.01, le=0.05, allow_inf_nan=False)
    why: Text = ""
    version: Version = None


class Moved(Strict):
    position: Position
    why: Text = ""
    version: Version = None


class Arranged(Strict):
    """Every model of the pool once, the first one first."""

    order: list[Id] = Field(max_length=10_000)
    why: Text = ""
    version: Version = None


def standing() -> Any:
    return Placement.objects.select_related("pool", "deployment__provider")


@router.get("/v1/pools", response=Listing[PoolShown])
def list_pools(request: HttpRequest, at: Query[Paging]) -> Any:
    """Every pool."""
    return page(request, Pool.objects.all(), ("name", "id"), at)


@router.post("/v1/pools", response={201: PoolShown})
def add_pool(request: HttpRequest, body: PoolNew) -> Any:
    """Add one; `placements` fill it."""
    return Status(201, control.add(by(request), **body.given()))


@router.get(PLACE, response=PoolShown)
def get_pool(request: HttpRequest, pool_id: Id) -> Any:
    """One pool."""
    return one(Pool.objects.all(), pool_id, "pool")


@router.patch(PLACE, response=PoolShown)
def change_pool(request: HttpRequest, pool_id: Id, body: PoolChange) -> Any:
    """Change what is given."""
    return control.change(by(request), one(Pool.objects.all(), pool_id, "pool"), **body.given())


@router.delete(PLACE, response={204: None})
def remove_pool(request: HttpRequest, pool_id: Id) -> Any:
    """Remove it with its order; the models stay. Removing it again changes nothing."""
    if found := Pool.objects.filter(pk=pool_id).first():
        control.remove(by(request), found)
    return Status(204, None)


@router.get(f"{PLACE}/goes-with", response=GoesWith)
def what_goes_with_pool(request: HttpRequest, pool_id: Id) -> Any:
    """What would be removed together with it, and whom it concerns."""
    return {"with_it": control.goes_with(one(Pool.objects.all(), pool_id, "pool"))}


@router.get(f"{PLACE}/placements", response=Listing[PlaceShown])
def list_placements(request: HttpRequest, pool_id: Id, at: Query[Paging]) -> Any:
    """A pool's order, the first one first."""
    pool = one(Pool.objects.all(), pool_id, "pool")
    return page(request, standing().filter(pool=pool), ("position", "id"), at)


@router.post(f"{PLACE}/placements", response={201: PlaceShown})
def place_model(request: HttpRequest, pool_id: Id, body: PlaceNew) -> Any:
    """Give a model a place: at a position, else at the end of the line."""
    pool, fields = one(Pool.objects.all(), pool_id, "pool"), body.given()
    model = named(Deployment.objects.all(), fields.pop("model"), "model")
    return Status(201, standing().get(pk=places.place(by(request), pool, model, **fields).pk))


@router.put(f"{PLACE}/order", response=PoolShown)
def arrange_pool(request: HttpRequest, pool_id: Id, body: Arranged) -> Any:
    """The whole order at once."""
    pool = one(Pool.objects.all(), pool_id, "pool")
    return places.arrange(by(request), pool, body.order, version=body.version, why=body.why)


@router.get(STAND, response=PlaceShown)
def get_placement(request: HttpRequest, placement_id: Id) -> Any:
    """One place."""
    return one(standing(), placement_id, "placement")


@router.patch(STAND, response=PlaceShown)
def change_placement(request: HttpRequest, placement_id: Id, body: PlaceChange) -> Any:
    """Pin it, switch it on and off, make it a canary or a full member."""
    return places.change(by(request), one(standing(), placement_id, "placement"), **body.given())


@router.delete(STAND, response={204: None})
def remove_placement(request: HttpRequest, placement_id: Id) -> Any:
    """Take the place away; the model stays. Taking it away again changes nothing."""
    if found := standing().filter(pk=placement_id).first():
        places.remove(by(request), found)
    return Status(204, None)


@router.post(f"{STAND}/move", response=PlaceShown)
def move_placement(request: HttpRequest, placement_id: Id, body: Moved) -> Any:
    """Stand at another position; whoever stands between moves by one."""
    found = one(standing(), placement_id, "placement")
    return places.move(by(request), found, body.position, why=body.why, version=body.version)
