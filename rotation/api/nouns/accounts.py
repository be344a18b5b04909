"""Accounts of providers."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field

from rotation.api.keyset import Listing, Paging, page
from rotation.api.shapes import Id, Label, Strict, named, one
from rotation.api.who import by
from rotation.control import accounts as control
from rotation.models import Account, Provider

router = Router(tags=["accounts"])
PLACE = "/v1/accounts/{int:account_id}"


class AccountShown(Schema):
    """What a provider bills and limits; all its keys share the limits."""

    id: int
    provider_id: int
    label: str
    plan: str
    enabled: bool
    verify_share: float = Field(description="How much of each day's requests may go into verifying models, 0 to 1.")
    held: int = Field(description="Keys stored under it.")


class AccountChange(Strict):
    label: Label = Field("main", min_length=1)
    plan: Label = Field("", examples=["free"])
    enabled: bool = True
    verify_share: float = Field(0.2, ge=0, le=1, allow_inf_nan=False)


class AccountNew(AccountChange):
    provider: Id


class Filters(Paging):
    provider: Id | None = None


def rows() -> QuerySet[Any]:
    return Account.objects.annotate(held=Count("keys"))


@router.get("/v1/accounts", response=Listing[AccountShown])
def list_accounts(request: HttpRequest, at: Query[Filters]) -> Any:
    """Every account."""
    found = rows().filter(provider=at.provider) if at.provider else rows()
    return page(request, found, ("id",), at)


@router.post("/v1/accounts", response={201: AccountShown})
def add_account(request: HttpRequest, body: AccountNew) -> Any:
    """Add one to a provider."""
    fields = body.given()
    provider = named(Provider.objects.all(), fields.pop("provider"), "provider")
    return Status(201, rows().get(pk=control.add(by(request), provider, **fields).pk))


@router.get(PLACE, response=AccountShown)
def get_account(request: HttpRequest, account_id: Id) -> Any:
    """One account."""
    return one(rows(), account_id, "account")


@router.patch(PLACE, response=AccountShown)
def change_account(request: HttpRequest, account_id: Id, body: AccountChange) -> Any:
    """Change what is given."""
    account = one(Account.objects.all(), account_id, "account")
    return rows().get(pk=control.change(by(request), account, **body.given()).pk)


@router.delete(PLACE, response={204: None})
def remove_account(request: HttpRequest, account_id: Id) -> Any:
    """Remove it with its keys. Removing it again changes nothing."""
    if found := Account.objects.filter(pk=account_id).first():
        control.remove(by(request), found)
    return Status(204, None)
