"""The audit: every change of the configuration, by whom, through which door, before and after."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from ninja import Query, Router, Schema
from pydantic import Field, StringConstraints

from rotation.api.keyset import Listing, Paging, page
from rotation.api.shapes import Id, Instant, Moment, one
from rotation.control.fields import unstorable
from rotation.models import AuditEvent, Door
from rotation.spreadsheet import harmless

router = Router(tags=["audit"])
MOST = 100_000  # rows of one file
AT_ONCE = 1000
COLUMNS = ("at", "actor", "door", "action", "object_type", "object_id", "about", "before", "after")
Word = Annotated[str, StringConstraints(max_length=200)]


class EventShown(Schema):
    """One change. Secrets are masked, what differs is in `before` and `after`."""

    id: int
    at: Moment
    actor: str
    door: str = Field(examples=list(Door.values))
    action: str
    object_type: str
    object_id: str
    about: str
    before: Any | None
    after: Any | None


class Search(Schema):
    """What to look for; all of it must fit."""

    actor: Word | None = None
    door: Door | None = None
    action: Word | None = None
    object_type: Word | None = None
    object_id: Word | None = None
    q: Word | None = Field(None, description="Part of what it is about, or of who did it.")
    since: Instant | None = None
    until: Instant | None = None


class Filters(Search, Paging):
    pass


class Export(Search):
    format: Literal["csv", "json"] = "csv"


def sought(at: Search) -> QuerySet[AuditEvent]:
    exact = ("actor", "door", "action", "object_type", "object_id")
    wanted: dict[str, Any] = {name: getattr(at, name) for name in exact}
    wanted |= {"at__gte": at.since, "at__lt": at.until}
    if any(unstorable(value) for value in (*wanted.values(), at.q) if isinstance(value, str)):
        return AuditEvent.objects.none()
    rows = AuditEvent.objects.filter(**{name: value for name, value in wanted.items() if value is not None})
    return rows.filter(Q(about__icontains=at.q) | Q(actor__icontains=at.q)) if at.q else rows


@router.get("/v1/audit", response=Listing[EventShown])
def list_audit_events(request: HttpRequest, at: Query[Filters]) -> Any:
    """Changes, the newest first."""
    return page(request, sought(at), ("-at", "-id"), at)


@router.get("/v1/audit/{int:event_id}", response=EventShown)
def get_audit_event(request: HttpRequest, event_id: Id) -> Any:
    """One change."""
    return one(AuditEvent.objects.all(), event_id, "event")


FILE = {"text/csv": {"schema": {"type": "string"}}, "application/json": {"schema": {"type": "array", "items": {}}}}


@router.get(
    "/v1/audit/export",
    response={200: None},
    openapi_extra={"responses": {200: {"description": "A file, the newest first.", "content": FILE}}},
)
def export_audit(request: HttpRequest, at: Query[Export]) -> HttpResponseBase:
    """The same as a file, at most 100,000 changes: CSV or JSON."""
    rows = sought(at).order_by("-at", "-id").values(*COLUMNS)[:MOST].iterator(AT_ONCE)
    lines, kind = (as_csv(rows), "text/csv") if at.format == "csv" else (as_json(rows), "application/json")
    answer = StreamingHttpResponse(lines, content_type=f"{kind}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="rotation-audit.{at.format}"'
    return answer


def as_csv(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield _line(COLUMNS)
    for row in rows:
        yield _line([_cell(row[name]) for name in COLUMNS])


def _line(cells: Any) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _cell(value: Any) -> str:
    """As a text no spreadsheet takes for a formula."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else value.isoformat() if hasattr(value, "isoformat") else json.dumps(value)
    return harmless(text)


def as_json(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield "["
    for number, row in enumerate(rows):
        yield ("," if number else "") + json.dumps({**row, "at": row["at"].isoformat()})
    yield "]"
