"""Providers, and whether they answer."""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field, StringConstraints

from rotation.api.keyset import Listing, Paging, page
from rotation.api.shapes import GoesWith, Id, Label, Moment, Slug, Strict, one
from rotation.api.who import by
from rotation.control import providers as control
from rotation.models import Provider

router = Router(tags=["providers"])
Url = Annotated[str, StringConstraints(max_length=500)]
Secret = Annotated[str, StringConstraints(max_length=4096)]
PLACE = "/v1/providers/{int:provider_id}"


class ProviderShown(Schema):
    """Somebody who answers. `simulated` ones are Rotation's own."""

    id: int
    kind: str = Field(examples=["openrouter"])
    name: str = Field(examples=["openrouter"])
    label: str
    base_url: str
    enabled: bool
    simulated: bool
    priority: int
    options: dict[str, Any]
    created_at: Moment
    accounts: int
    keys: int = Field(description="Enabled keys of enabled accounts.")
    models: int


class ProviderChange(Strict):
    """What may be changed. An address of another origin wants the key again."""

    name: Slug = ""
    label: Label = ""
    base_url: Url = Field("", examples=["https://api.example.com/v1"])
    enabled: bool = True
    priority: int = Field(100, ge=-(2**31), le=2**31 - 1)
    options: dict[str, Any] = Field({}, examples=[{"local": True}])
    secret: Secret | None = Field(None, description="Write-only.", examples=["sk-..."])


class ProviderNew(ProviderChange):
    """A provider; with `secret` an account called main gets that key."""

    kind: Annotated[str, StringConstraints(max_length=40)] = Field(examples=["generic"])
    name: Slug = Field(examples=["lab"])
    base_url: Url = Field(examples=["http://127.0.0.1:11434/v1"])


class Candidate(Strict):
    """A connection to test before it is stored. An enabled provider of that origin need not exist."""

    kind: Annotated[str, StringConstraints(max_length=40)] = "generic"
    base_url: Url
    options: dict[str, Any] = {}
    secret: Secret = ""


class TestedShown(Schema):
    """What came of asking. `trouble` is one word of a table, empty when it works."""

    works: bool
    trouble: str = Field(examples=["", "dns", "tls", "key", "path"])
    words: str
    said: str
    status: int | None
    took_ms: float | None
    models: list[str]


class Filters(Paging):
    kind: str | None = Field(None, max_length=40)
    enabled: bool | None = None
    simulated: bool | None = None


class Given(Strict):
    secret: Secret | None = Field(None, description="Instead of the stored key. Write-only.")


def counted(rows: QuerySet[Provider]) -> QuerySet[Any]:
    usable = Q(accounts__enabled=True, accounts__keys__enabled=True)
    return rows.annotate(
        account_count=Count("accounts", distinct=True),
        key_count=Count("accounts__keys", filter=usable, distinct=True),
        model_count=Count("deployments", distinct=True),
    )


def shown(rows: list[Any]) -> list[dict[str, Any]]:
    """Not `keys` and `accounts` themselves, which are whole tables."""
    names = ("id", "kind", "name", "label", "base_url", "enabled", "simulated", "priority", "options", "created_at")
    return [
        {name: getattr(row, name) for name in names}
        | {"accounts": row.account_count, "keys": row.key_count, "models": row.model_count}
        for row in rows
    ]


def again(provider: Provider) -> dict[str, Any]:
    return shown([counted(Provider.objects.all()).get(pk=provider.pk)])[0]


@router.get("/v1/providers", response=Listing[ProviderShown])
def list_providers(request: HttpRequest, at: Query[Filters]) -> Any:
    """Every provider, by its name."""
    wanted = {name: getattr(at, name) for name in ("kind", "enabled", "simulated")}
    rows = Provider.objects.filter(**{name: value for name, value in wanted.items() if value is not None})
    return page(request, counted(rows), ("name", "id"), at, shown=shown)


@router.post("/v1/providers", response={201: ProviderShown})
def add_provider(request: HttpRequest, body: ProviderNew) -> Any:
    """Add one; with its key at once, if you like."""
    return Status(201, again(control.add(by(request), **body.given())))


@router.post("/v1/connection-tests", response=TestedShown)
def try_connection(request: HttpRequest, body: Candidate) -> Any:
    """Ask an address that is not stored yet whether it answers, and name what is wrong."""
    fields = body.model_dump(exclude={"secret"})
    return control.test_connection(by(request), Provider(label="new", **fields), secret=body.secret)


@router.get(PLACE, response=ProviderShown)
def get_provider(request: HttpRequest, provider_id: Id) -> Any:
    """One provider."""
    return again(one(Provider.objects.all(), provider_id, "provider"))


@router.patch(PLACE, response=ProviderShown)
def change_provider(request: HttpRequest, provider_id: Id, body: ProviderChange) -> Any:
    """Change what is given. Another origin wants `secret`, and erases the keys given for the old one."""
    provider = one(Provider.objects.all(), provider_id, "provider")
    return again(control.change(by(request), provider, **body.given()))


@router.delete(PLACE, response={204: None})
def remove_provider(request: HttpRequest, provider_id: Id) -> Any:
    """Remove it with everything `goes-with` names. Removing it again changes nothing."""
    if found := Provider.objects.filter(pk=provider_id).first():
        control.remove(by(request), found)
    return Status(204, None)


@router.get(f"{PLACE}/goes-with", response=GoesWith)
def what_goes_with_provider(request: HttpRequest, provider_id: Id) -> Any:
    """What would be removed together with it."""
    return {"with_it": control.goes_with(one(Provider.objects.all(), provider_id, "provider"))}


@router.post(f"{PLACE}/test", response=TestedShown)
def try_provider(request: HttpRequest, provider_id: Id, body: Given | None = None) -> Any:
    """Ask it now whether it answers, and name what is wrong. Costs no quota."""
    provider = one(Provider.objects.all(), provider_id, "provider")
    return control.test_connection(by(request), provider, secret=body.secret if body else None)
