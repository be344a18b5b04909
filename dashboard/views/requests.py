"""The request log and one request."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from dashboard.inquest import Inquest
from dashboard.lines import lines
from dashboard.queries import mode
from dashboard.queries.requests import Cursor, one, page
from rotation.models import CallOutcome
from rotation.why import why_not

PAGE = 50
LONGEST_NAME = 200


@require_safe
def requests(request: HttpRequest) -> HttpResponse:
    """Newest first, `?outcome=` and `?after=` (a place in the log, from the link to older ones)."""
    wanted = request.GET.get("outcome", "")
    outcome = CallOutcome(wanted) if wanted in CallOutcome.values else None
    after = Cursor.read(request.GET.get("after"))
    simulated = mode.simulated()
    found = page(simulated=simulated, size=PAGE + 1, outcome=outcome, after=after, now=timezone.now())
    shown = found[:PAGE]
    last = shown[-1].request if len(found) > PAGE else None
    context = {
        "lines": lines(shown),
        "outcome": outcome,
        "outcomes": CallOutcome.choices,
        "older": Cursor(last.at, last.id) if last else None,
        "after": after,
        "simulated": simulated,
        "endpoint": request.build_absolute_uri("/v1/chat/completions"),
    }
    return render(request, "dashboard/requests.html", context)


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
