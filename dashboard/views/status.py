"""The public status page, its badge and its JSON: for anybody, and only while the operator wants it."""

from __future__ import annotations

from dataclasses import asdict

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard.charts.badge import badge
from dashboard.standing import Standing, standing
from rotation import switches

KEPT = 15  # seconds one reading serves everybody who asks


def current() -> Standing:
    """Raises Http404 while the page is switched off: then nobody can tell that it exists."""
    if not switches.value("status_page"):
        raise Http404
    found = cache.get("status")
    if not isinstance(found, Standing):
        found = standing(timezone.now())
        cache.set("status", found, KEPT)
    return found


@login_not_required
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    response = render(request, "dashboard/status.html", {"shown": current()})
    response["Cache-Control"] = f"public, max-age={KEPT}"
    return response


@login_not_required
@require_safe
def status_badge(request: HttpRequest) -> HttpResponse:
    shown = current()
    response = HttpResponse(badge(shown.title, shown.state), content_type="image/svg+xml")
    response["Cache-Control"] = f"public, max-age={KEPT}"
    return response


@login_not_required
@require_safe
def status_json(request: HttpRequest) -> JsonResponse:
    """The same for programs."""
    shown = current()
    pools = [{"name": pool.name, "state": pool.state, "answered": pool.answered} for pool in shown.pools]
    incidents = [asdict(one) for one in shown.incidents]
    return JsonResponse({"state": shown.state, "at": shown.at, "pools": pools, "incidents": incidents})
