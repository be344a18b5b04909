"""Every change of the configuration: who, through which door, what it was and what it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from dashboard.filters import Choice, Period, Text
from dashboard.listing import Column, Listing, answer
from rotation.models import AuditEvent, Door

SHOWN = 3  # differences in one line
LONG = 90  # characters of a value in a line


@dataclass(frozen=True, slots=True)
class Difference:
    """One column; `before` and `after` as text, None where there was or is none."""

    name: str
    before: str | None
    after: str | None


def differences(event: AuditEvent) -> list[Difference]:
    return [Difference(name, written(before), written(after)) for name, before, after in event.differences]


def written(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def kinds() -> list[tuple[str, str]]:
    """What has been changed at all."""
    names = AuditEvent.objects.order_by("object_type").values_list("object_type", flat=True).distinct()
    return [(name, words(name)) for name in names]


def words(kind: str) -> str:
    """`clientkey` for people."""
    return {
        "clientkey": "client key",
        "apitoken": "API token",
        "learnedlimit": "limit",
        "breakerstate": "breaker",
        "lifestep": "step",
        "verificationrun": "verification",
    }.get(kind, kind)


def told(event: AuditEvent) -> str:
    """The change in one line; where a row was made or removed, only its name."""
    if event.before is None or event.after is None:
        return ""
    parts = [f"{d.name}: {short(d.before)} → {short(d.after)}" for d in differences(event)]
    more = f" and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
    return "; ".join(parts[:SHOWN]) + more


def short(value: str | None) -> str:
    text = "nothing" if value in {None, ""} else str(value)
    return text if len(text) <= LONG else f"{text[:LONG]}…"


LISTING = Listing(
    name="audit",
    columns=(
        Column("at", "When", sort="at", template="dashboard/cells/_audit_when.html"),
        Column("actor", "Who", sort="actor"),
        Column("door", "Through", cell=lambda event: event.get_door_display(), wide=True),
        Column("action", "Did", cell=lambda event: f"{event.action} {words(event.object_type)}"),
        Column("change", "Name and change", template="dashboard/cells/_audit_change.html", cell=told),
        Column("object_type", "What", on_page=False),
        Column("object_id", "Id", on_page=False),
        Column("name", "Name", cell=lambda event: event.about, on_page=False),
        Column("before", "Before", cell=lambda event: written(event.before), on_page=False),
        Column("after", "After", cell=lambda event: written(event.after), on_page=False),
    ),
    filters=(
        Text(key="q", label="Search", fields=("actor", "action", "about", "object_id"), placeholder="Who, what, name"),
        Choice(key="door", label="Through", choices=Door.choices, field="door"),
        Choice(key="kind", label="What", choices=kinds, field="object_type"),
        Period(key="at", label="When", field="at"),
    ),
    sort="-at",
    empty="Nothing was changed yet. Whatever a person, a program or a job changes is written down here.",
)


def events() -> QuerySet[AuditEvent]:
    return AuditEvent.objects.all()


@require_safe
def audit(request: HttpRequest) -> HttpResponseBase:
    return answer(request, LISTING, events(), "dashboard/audit.html")


@require_safe
def audit_event(request: HttpRequest, pk: int) -> HttpResponse:
    """One change, whole: a page, or a dialog over the list."""
    event = get_object_or_404(AuditEvent, pk=pk)
    context = {"event": event, "kind": words(event.object_type), "differences": differences(event)}
    return render(request, "dashboard/audit_event.html", context)
