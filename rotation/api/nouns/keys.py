"""Keys of providers. A secret is written and never read."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field, StringConstraints

from rotation.api.keyset import Listing, Paging, page
from rotation.api.shapes import Id, Label, Moment, Strict, named, one
from rotation.api.who import by
from rotation.control import keys as control
from rotation.models import Account, Key, KeyState

router = Router(tags=["keys"])
Secret = Annotated[str, StringConstraints(max_length=4096)]
PLACE = "/v1/keys/{int:key_id}"


class KeyShown(Schema):
    """A key, by its last four characters."""

    id: int
    account_id: int
    provider_id: int
    masked: str = Field(examples=["…a1b2"])
    label: str
    enabled: bool
    state: str = Field(examples=list(KeyState.values))
    state_reason: str
    state_since: Moment
    checked_at: Moment | None
    source: str

    @staticmethod
    def resolve_provider_id(key: Key) -> int:
        return int(key.account.provider_id)


class KeysNew(Strict):
    """One or several secrets, stored all or none."""

    account: Id
    secrets: list[Secret] = Field(max_length=100, examples=[["sk-..."]], description="Write-only.")
    label: Label = ""


class KeyChange(Strict):
    label: Label = ""
    enabled: bool = True


class Replacement(Strict):
    secret: Secret = Field(description="Write-only.", examples=["sk-..."])


class ValidatedShown(Schema):
    """What the provider says of it now."""

    works: bool
    state: str
    words: str


class Filters(Paging):
    account: Id | None = None
    provider: Id | None = None
    state: KeyState | None = None


def rows() -> Any:
    return Key.objects.select_related("account__provider")


@router.get("/v1/keys", response=Listing[KeyShown])
def list_keys(request: HttpRequest, at: Query[Filters]) -> Any:
    """Every key."""
    wanted = {"account": at.account, "account__provider": at.provider, "state": at.state}
    found = rows().filter(**{name: value for name, value in wanted.items() if value is not None})
    return page(request, found, ("id",), at)


@router.post("/v1/keys", response={201: list[KeyShown]})
def add_keys(request: HttpRequest, body: KeysNew) -> Any:
    """Store one or several secrets under an account."""
    account = named(Account.objects.select_related("provider"), body.account, "account")
    return Status(201, control.add(by(request), account, body.secrets, label=body.label))


@router.get(PLACE, response=KeyShown)
def get_key(request: HttpRequest, key_id: Id) -> Any:
    """One key."""
    return one(rows(), key_id, "key")


@router.patch(PLACE, response=KeyShown)
def change_key(request: HttpRequest, key_id: Id, body: KeyChange) -> Any:
    """Its label, whether it is used."""
    return control.change(by(request), one(rows(), key_id, "key"), **body.given())


@router.delete(PLACE, response={204: None})
def remove_key(request: HttpRequest, key_id: Id) -> Any:
    """Forget it. Removing it again changes nothing."""
    if found := rows().filter(pk=key_id).first():
        control.remove(by(request), found)
    return Status(204, None)


@router.put(f"{PLACE}/secret", response=KeyShown)
def replace_key(request: HttpRequest, key_id: Id, body: Replacement) -> Any:
    """Another secret in its place."""
    return control.replace(by(request), one(rows(), key_id, "key"), body.secret)


@router.post(f"{PLACE}/validate", response=ValidatedShown)
def validate_key(request: HttpRequest, key_id: Id) -> Any:
    """Ask the provider now whether it takes it. Costs no quota."""
    return control.validate(by(request), one(rows(), key_id, "key"))


@router.post(f"{PLACE}/revive", response=KeyShown)
def revive_key(request: HttpRequest, key_id: Id) -> Any:
    """Say that it works again: what benched it is over."""
    return control.revive(by(request), one(rows(), key_id, "key"))
