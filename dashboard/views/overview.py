"""The Overview, its live part, and its charts as tables."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard.overview import Overview
from dashboard.queries import freshness
from dashboard.sheets import SHEETS, as_csv
from dashboard.span import RANGES, Span, span_of


def span_in(request: HttpRequest) -> Span:
    return span_of(request.GET.get("range"), timezone.now())


def context_of(request: HttpRequest, span: Span, state: str) -> dict[str, Any]:
    return {
        "shown": Overview(span),
        "state": state,
        "ranges": RANGES.values(),
        "endpoint": request.build_absolute_uri("/v1/chat/completions"),
    }


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    span = span_in(request)
    return render(request, "dashboard/overview.html", context_of(request, span, freshness.state(span)))


@require_safe
def overview_live(request: HttpRequest) -> HttpResponse:
    """The changing part of the page; 204 while it is what the browser has (`?state=`)."""
    span = span_in(request)
    state = freshness.state(span)
    if request.GET.get("state") == state:
        return HttpResponse(status=204)
    return render(request, "dashboard/_overview.html", context_of(request, span, state))


@require_safe
def table(request: HttpRequest, name: str) -> HttpResponse:
    """One chart as a table; `?format=csv` for the file."""
    if name not in SHEETS:
        raise Http404
    span = span_in(request)
    sheet = SHEETS[name](Overview(span))
    if request.GET.get("format") == "csv":
        headers = {"Content-Disposition": f'attachment; filename="rotation-{name}-{span.range.name}.csv"'}
        return HttpResponse(as_csv(sheet), content_type="text/csv; charset=utf-8", headers=headers)
    return render(request, "dashboard/table.html", {"sheet": sheet, "span": span, "ranges": RANGES.values()})
