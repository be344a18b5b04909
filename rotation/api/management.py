"""`/api`: what the pages know, as JSON for programs. For now for people who have signed in; errors are problem details.

It translates between HTTP and the functions that answer, nothing more.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Query
from ninja.security import django_auth

from rotation.api import problems
from rotation.api.problems import NOTHING, Problem, problem
from rotation.gateway.paths import METHODS
from rotation.why import NotStored, explain, why_not
from rotation.why.facts import Explanation, WhyNot

WHY, WHY_NOT = "/v1/requests/{uuid:request_id}/why", "/v1/requests/{uuid:request_id}/why-not"
LONGEST_NAME = 200

api = NinjaAPI(
    title="Rotation, management",
    version="1",
    description="What the dashboard knows. Sign in first; `/v1` is the address for models.",
    urls_namespace="management",
    docs_url="/docs",
    openapi_url="/openapi.json",
    docs_decorator=login_required,
    auth=django_auth,
)
problems.install(api)

ERRORS: dict[Any, Any] = {frozenset({401, 404, 422}): Problem}
READ_ONLY = [method for method in METHODS if method not in {"GET", "HEAD"}]
Name = Annotated[str, Query(max_length=LONGEST_NAME, description="`provider/model`, or a bare model id")]


@api.api_operation(["HEAD"], WHY, include_in_schema=False)
@api.get(WHY, response={200: Explanation, **ERRORS}, tags=["requests"])
def why(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Why this model: the candidates, the attempts, the reasons, and what the present policy would choose."""
    return JsonResponse(explain(request_id).as_json())


@api.api_operation(["HEAD"], WHY_NOT, include_in_schema=False)
@api.get(WHY_NOT, response={200: WhyNot, **ERRORS}, tags=["requests"])
def why_not_model(request: HttpRequest, request_id: UUID, model: Name) -> HttpResponse:
    """Why this request was not answered by `model`, and how that stands under the present policy."""
    return JsonResponse(why_not(explain(request_id), model).as_json())


@api.api_operation(READ_ONLY, WHY, include_in_schema=False)
@api.api_operation(READ_ONLY, WHY_NOT, include_in_schema=False)
def read_only(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """405 for what can only be read."""
    answer = problem(405, f"Use GET for {request.path}.")
    answer["Allow"] = "GET"
    return answer


@api.api_operation(METHODS, "/{path:name}", include_in_schema=False)
def unknown(request: HttpRequest, name: str) -> HttpResponse:
    """404 for everything else."""
    return problem(404, NOTHING)


@api.exception_handler(NotStored)
def not_stored(request: HttpRequest, missing: NotStored) -> HttpResponse:
    return problem(404, str(missing))
