"""What the gateway has learnt: breakers, cooldowns, limits, trips; to read, and to end or overrule."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field, StringConstraints

from rotation.api.keyset import Listing, Paging, page
from rotation.api.shapes import Id, Moment, Strict
from rotation.api.who import by
from rotation.control import health as control
from rotation.models import BreakerState, Cooldown, LearnedLimit, Trip
from rotation.models.scopes import in_words

router = Router(tags=["health"])
Scope = Annotated[str, StringConstraints(max_length=120)]
Breakable = Annotated[str, StringConstraints(pattern=r"^(provider|deployment):[1-9][0-9]{0,17}$")]


class Scoped(Schema):
    scope: str = Field(examples=["deployment:12"])
    about: str = Field(description="The scope in words.")


class BreakerShown(Scoped):
    """A scope without a row is closed."""

    id: int
    state: str
    until: Moment | None
    opens: int
    changed_at: Moment


class CooldownShown(Scoped):
    id: int
    until: Moment
    kind: str
    reason: str
    set_at: Moment


class LearnedShown(Scoped):
    id: int
    axis: str
    limit: float
    window_s: float
    source: str
    seen_at: Moment


class TripShown(Scoped):
    id: int
    at: Moment
    before: str
    after: str
    reason: str
    request_id: str | None


class BreakerSet(Strict):
    """`forced_open`: nothing is sent there. `disabled`: failures no longer open it. `closed`: back to normal."""

    scope: Breakable = Field(examples=["deployment:12"])
    state: Literal["forced_open", "disabled", "closed"]


class Filters(Paging):
    scope: Scope | None = None


class Cooling(Filters):
    cooling: bool = Field(True, description="Only those that are not over.")


def shown(names: tuple[str, ...]) -> Any:
    """Rows with their scopes in words: a few queries for the whole page."""

    def told(rows: list[Any]) -> list[dict[str, Any]]:
        words = in_words(row.scope for row in rows)
        return [{"about": words[row.scope], **{name: _plain(getattr(row, name)) for name in names}} for row in rows]

    return told


def _plain(value: Any) -> Any:
    return str(value) if hasattr(value, "hex") and not isinstance(value, float) else value


def fields(shape: type[Schema]) -> tuple[str, ...]:
    return tuple(name for name in shape.model_fields if name != "about")


def within(rows: Any, at: Filters) -> Any:
    return rows if at.scope is None else rows.none() if "\0" in at.scope else rows.filter(scope=at.scope)


@router.get("/v1/health/breakers", response=Listing[BreakerShown])
def list_breakers(request: HttpRequest, at: Query[Filters]) -> Any:
    """Every breaker that ever moved."""
    rows = within(BreakerState.objects.all(), at)
    return page(request, rows, ("id",), at, shown=shown(fields(BreakerShown)))


@router.put("/v1/health/breakers", response=BreakerShown)
def set_breaker(request: HttpRequest, body: BreakerSet) -> Any:
    """Force one open, switch it off, or set it back to normal."""
    return shown(fields(BreakerShown))([control.set_breaker(by(request), body.scope, body.state)])[0]


@router.get("/v1/health/cooldowns", response=Listing[CooldownShown])
def list_cooldowns(request: HttpRequest, at: Query[Cooling]) -> Any:
    """Who is left alone, until when, and why."""
    rows = Cooldown.objects.filter(until__gt=timezone.now()) if at.cooling else Cooldown.objects.all()
    return page(request, within(rows, at), ("-until", "-id"), at, shown=shown(fields(CooldownShown)))


@router.delete("/v1/health/cooldowns/{int:cooldown_id}", response={204: None})
def lift_cooldown(request: HttpRequest, cooldown_id: Id) -> Any:
    """It ends now. Lifting one that is over changes nothing."""
    if found := Cooldown.objects.filter(pk=cooldown_id, until__gt=timezone.now()).first():
        control.lift_cooldown(by(request), found)
    return Status(204, None)


@router.get("/v1/health/limits", response=Listing[LearnedShown])
def list_limits(request: HttpRequest, at: Query[Filters]) -> Any:
    """Limits learnt from providers, and those an operator set."""
    return page(request, within(LearnedLimit.objects.all(), at), ("id",), at, shown=shown(fields(LearnedShown)))


@router.delete("/v1/health/limits/{int:limit_id}", response={204: None})
def lift_limit(request: HttpRequest, limit_id: Id) -> Any:
    """Forget it; the provider may tell it again."""
    if found := LearnedLimit.objects.filter(pk=limit_id).first():
        control.lift_limit(by(request), found)
    return Status(204, None)


@router.get("/v1/health/trips", response=Listing[TripShown])
def list_trips(request: HttpRequest, at: Query[Filters]) -> Any:
    """Every change of a breaker, the newest first."""
    return page(request, within(Trip.objects.all(), at), ("-at", "-id"), at, shown=shown(fields(TripShown)))
