"""Tokens of this API. Everybody sees and revokes their own; an admin everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field

from rotation.api.keyset import Listing, Paging, page
from rotation.api.shapes import Id, Instant, Label, Moment, Strict, one
from rotation.api.who import by, caller
from rotation.control import tokens as control
from rotation.models import ApiToken, Role

router = Router(tags=["tokens"])
PLACE = "/v1/tokens/{int:token_id}"


class TokenShown(Schema):
    """A token, by its public part and tail. It never exceeds its owner's role."""

    id: int
    label: str
    masked: str = Field(examples=["rt_a1b2c3d4_…wxyz"])
    role: str
    owner: str
    enabled: bool
    expires_at: Moment | None
    created_at: Moment
    last_used_at: Moment | None = Field(description="To the minute.")


class TokenIssued(TokenShown):
    token: str = Field(description="The token itself, shown this once.")


class TokenNew(Strict):
    label: Label = Field(min_length=1, examples=["deploy script"])
    role: Role = Role.VIEWER
    expires_at: Instant | None = None


def shown(tokens: Sequence[ApiToken]) -> list[dict[str, Any]]:
    names = [name for name in TokenShown.model_fields if name != "owner"]
    return [{name: getattr(row, name) for name in names} | {"owner": row.owner.get_username()} for row in tokens]


def mine(request: HttpRequest) -> Any:
    rows = ApiToken.objects.select_related("owner")
    asking = caller(request)
    return rows if asking.may_be(Role.ADMIN) else rows.filter(owner=asking.user)


@router.get("/v1/tokens", response=Listing[TokenShown])
def list_tokens(request: HttpRequest, at: Query[Paging]) -> Any:
    """Your tokens (an admin's: everybody's), the newest first."""
    return page(request, mine(request), ("-id",), at, shown=shown)


@router.post("/v1/tokens", response={201: TokenIssued})
def issue_token(request: HttpRequest, body: TokenNew) -> Any:
    """Issue a token of yours, of at most the role you have here. It is shown in this answer and nowhere else."""
    asking = caller(request)
    token, plain = control.issue(asking.by, asking.user, within=asking.role, **body.given())
    return Status(201, {**shown([token])[0], "token": plain})


@router.get(PLACE, response=TokenShown)
def get_token(request: HttpRequest, token_id: Id) -> Any:
    """One token."""
    return shown([one(mine(request), token_id, "token")])[0]


@router.delete(PLACE, response={204: None})
def revoke_token(request: HttpRequest, token_id: Id) -> Any:
    """Refused from now on; it stays in the list. Revoking it again changes nothing."""
    if found := mine(request).filter(pk=token_id).first():
        control.revoke(by(request), found)
    return Status(204, None)
