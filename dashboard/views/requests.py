"""The request log and one request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from dashboard import story
from dashboard.exports import TYPES, Batch, export
from dashboard.inquest import Inquest
from dashboard.lines import lines
from dashboard.listing import Shown, read
from dashboard.live import attributes, live
from dashboard.queries import mode
from dashboard.queries.freshness import everything, token
from dashboard.queries.requests import Cursor, Logged, one
from dashboard.queries.search import Sought, search
from dashboard.seeking import LISTING, request_id, sought
from rotation.models import Request
from rotation.why import why_not

PAGE = 50
EXPORTED = 5_000  # calls in one file
LONGEST_NAME = 200
STORED = tuple(field.name for field in Request._meta.concrete_fields if field.name not in {"trace", "needs", "policy"})
COLUMNS = (*STORED, "story")


@require_safe
def requests(request: HttpRequest) -> HttpResponseBase:
    """Newest first, by the filters of the link; `?id=` leads to one call, `?format=csv|json` gives a file."""
    if (wanted := request_id(request.GET.get("id", ""))) is not None and one(wanted) is not None:
        return redirect("request", uuid=wanted)
    state, now, simulated = read(request, LISTING), timezone.now(), mode.simulated()
    looked_for = sought(state, now, simulated=simulated)
    if (kind := request.GET.get("format", "")) in TYPES:
        return export(request, kind, "requests", COLUMNS, lambda: rows(looked_for, now))
    after = Cursor.read(state.after)

    def context() -> dict[str, Any]:
        found = search(looked_for, size=PAGE, after=after, now=now, clock=monotonic)
        return {
            "listing": Shown(state, found.logged, str(found.older) if found.older else ""),
            "found": found,
            "lines": lines(found.logged),
            "lost": request.GET.get("id", "").strip()[:LONGEST_NAME],
            "simulated": simulated,
            "endpoint": request.build_absolute_uri("/v1/chat/completions"),
        }

    if request.headers.get("HX-Target") == "listing-requests":
        return rendered(request, context())
    mark = token(state.parameters(), state.after) if after else token(state.parameters(), everything(now))
    return live(request, mark, "dashboard/requests.html", "dashboard/_requests.html", context)


def rendered(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The list alone, for a script that changed a filter; the next answer makes it live again."""
    mark = attributes(request, "")
    response = render(request, "dashboard/_requests_list.html", {**context, "live": mark})
    response["HX-Push-Url"] = request.path + context["listing"].state.parameters().removesuffix("?")
    patch_vary_headers(response, ["HX-Target"])
    return response


def rows(sought: Sought, now: datetime) -> Iterator[Batch]:
    """Page after page, as they are found."""
    after, told = None, 0
    while told < EXPORTED:
        found = search(sought, size=min(500, EXPORTED - told), after=after, now=now, clock=monotonic)
        yield [row(logged) for logged in found.logged]
        told, after = told + len(found.logged), found.older
        if after is None:
            return


def row(logged: Logged) -> list[Any]:
    told = [getattr(logged.request, name) for name in STORED]
    return [*told, story.short(logged.request, logged.attempts)]


@require_safe
def one_request(request: HttpRequest, uuid: UUID) -> HttpResponse:
    logged = one(uuid)
    if logged is None:
        raise Http404
    return render(request, "dashboard/request.html", {"shown": Inquest(logged)})


@require_safe
def why_not_model(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Why not `?model=`: the answer alone for htmx, the whole page with it for everybody else."""
    logged = one(uuid)
    if logged is None:
        raise Http404
    shown, model = Inquest(logged), request.GET.get("model", "").strip()[:LONGEST_NAME]
    context = {"shown": shown, "model": model, "answer": why_not(shown.explanation, model) if model else None}
    alone = request.headers.get("HX-Request") == "true"
    response = render(request, "dashboard/_why_not.html" if alone else "dashboard/request.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
def one_request_json(request: HttpRequest, uuid: UUID) -> JsonResponse:
    """The row and its attempts as they are stored; no secret and no prompt is ever in them."""
    logged = one(uuid)
    if logged is None:
        raise Http404
    rows = [logged.request, *logged.attempts]
    call, *attempts = ({field.name: getattr(row, field.name) for field in row._meta.concrete_fields} for row in rows)
    return JsonResponse({**call, "attempts": attempts}, json_dumps_params={"indent": 2})
