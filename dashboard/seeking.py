"""The request log's filters, and what they look for."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from dashboard.filters import Choice, Flag, Period, Text
from dashboard.listing import Column, Listing, State
from dashboard.queries.search import Sought, models_named
from rotation.models import CallOutcome, ClientKey, Pool

CLIENTS = 200  # so many to choose from


def pools() -> list[tuple[str, str]]:
    return [(name, name) for name in Pool.objects.values_list("name", flat=True)]


def clients() -> list[tuple[str, str]]:
    """One query: people's keys first, then the one of Rotation's own jobs."""
    return [(str(key.pk), str(key.label)) for key in ClientKey.objects.order_by("internal", "label", "pk")[:CLIENTS]]


LISTING = Listing(
    name="requests",
    columns=(Column("at", "Time"),),  # drawn by a template of its own
    filters=(
        Text(key="model", label="Answered by", placeholder="Answered by: any model"),
        Choice(key="outcome", label="Outcome", choices=CallOutcome.choices),
        Choice(key="pool", label="Pool", choices=pools),
        Choice(key="client", label="Client", choices=clients),
        Period(key="at", label="Time"),
        Flag(key="rotated", label="Rotated"),
    ),
)
AT = LISTING.filters[4]


def sought(state: State, now: datetime, *, simulated: bool) -> Sought:
    """One query when a model is named, none otherwise."""
    chosen = state.chosen
    assert isinstance(AT, Period)
    since, until = AT.bounds(chosen["at"], now) if "at" in chosen else (None, None)
    return Sought(
        simulated=simulated,
        outcome=CallOutcome(chosen["outcome"]) if "outcome" in chosen else None,
        pool=chosen.get("pool"),
        deployments=models_named(chosen["model"]) if "model" in chosen else None,
        client=int(chosen["client"]) if "client" in chosen else None,
        rotated="rotated" in chosen,
        since=since,
        until=until,
    )


def request_id(text: str) -> UUID | None:
    """A call's id as somebody pastes it; None for what is none."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None
