"""Client keys: who may call."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field

from rotation.api.keyset import Listing, Paging, page
from rotation.api.shapes import Budget, Id, Instant, Label, Moment, Strict, Usd, Words, one
from rotation.api.who import by
from rotation.control import clients as control
from rotation.models import ClientKey

router = Router(tags=["clients"])
PLACE = "/v1/clients/{int:client_id}"


class ClientShown(Schema):
    """A caller's key, by its public part and tail. Budgets in USD."""

    id: int
    label: str
    masked: str = Field(examples=["rk_a1b2c3d4_…wxyz"])
    enabled: bool
    internal: bool = Field(description="Used by Rotation's own jobs; nobody changes it.")
    pools: list[str] = Field(description="What it may ask for; none means all.")
    requests_per_minute: int | None
    daily_budget: Usd | None
    monthly_budget: Usd | None
    replaces_id: int | None
    expires_at: Moment | None
    created_at: Moment
    last_used_at: Moment | None


class ClientIssued(ClientShown):
    key: str = Field(description="The key itself, shown this once.")


class ClientNew(Strict):
    label: Label = Field(min_length=1, examples=["laptop"])
    pools: Words = Field([], examples=[["auto"]])
    requests_per_minute: int | None = Field(None, ge=1, le=2**31 - 1)
    daily_budget: Budget | None = Field(None, examples=["2.50"])
    monthly_budget: Budget | None = None
    expires_at: Instant | None = None


class ClientChange(ClientNew):
    label: Label = Field("", min_length=1)
    enabled: bool = True


class Grace(Strict):
    """How long the old key goes on, in seconds; a day unless said, 0 ends it at once."""

    grace_s: int = Field(86400, ge=0, le=365 * 86400)


class Filters(Paging):
    enabled: bool | None = None


def issued(key: ClientKey, plain: str) -> Any:
    shown = ClientShown.from_orm(key).model_dump()
    return Status(201, {**shown, "key": plain})


@router.get("/v1/clients", response=Listing[ClientShown])
def list_clients(request: HttpRequest, at: Query[Filters]) -> Any:
    """Every client key, the newest first."""
    rows = ClientKey.objects.all() if at.enabled is None else ClientKey.objects.filter(enabled=at.enabled)
    return page(request, rows, ("-id",), at)


@router.post("/v1/clients", response={201: ClientIssued})
def issue_client(request: HttpRequest, body: ClientNew) -> Any:
    """Issue a key. It is shown in this answer and nowhere else."""
    return issued(*control.issue(by(request), **body.given()))


@router.get(PLACE, response=ClientShown)
def get_client(request: HttpRequest, client_id: Id) -> Any:
    """One client key."""
    return one(ClientKey.objects.all(), client_id, "client")


@router.patch(PLACE, response=ClientShown)
def change_client(request: HttpRequest, client_id: Id, body: ClientChange) -> Any:
    """What it may ask for, how much, how long."""
    return control.change(by(request), one(ClientKey.objects.all(), client_id, "client"), **body.given())


@router.delete(PLACE, response={204: None})
def revoke_client(request: HttpRequest, client_id: Id) -> Any:
    """Refused within seconds; it stays in the list. Revoking it again changes nothing."""
    if found := ClientKey.objects.filter(pk=client_id).first():
        control.revoke(by(request), found)
    return Status(204, None)


@router.post(f"{PLACE}/rotate", response={201: ClientIssued})
def rotate_client(request: HttpRequest, client_id: Id, body: Grace | None = None) -> Any:
    """A new key with the same rights; the old one goes on for a while."""
    found = one(ClientKey.objects.all(), client_id, "client")
    grace = timedelta(seconds=body.grace_s) if body else control.GRACE
    return issued(*control.rotate(by(request), found, grace=grace))
