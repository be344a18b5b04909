"""What Django itself turns down: under `/v1` in OpenAI's envelope, under `/api` as a problem, elsewhere as a page."""

from __future__ import annotations

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.views import defaults

from rotation.api.problems import NOTHING, problem
from rotation.gateway import paths
from rotation.gateway.envelope import JSON, Refusal

API = "/api/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return problem(400, "The request could not be read.")
    if not paths.is_call(request.path):
        return defaults.bad_request(request, exception)
    refusal = Refusal(400, "The request could not be read.", "bad_request")
    return _rendered(paths.unknown_host() if isinstance(exception, DisallowedHost) else refusal)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return problem(404, NOTHING)
    if not paths.is_call(request.path):
        return defaults.page_not_found(request, exception)
    return _rendered(paths.unknown_url(request.path))


def _rendered(refusal: Refusal) -> HttpResponse:
    return HttpResponse(refusal.body(), status=refusal.status, content_type=JSON)
