"""The management API's own kind of NinjaAPI: one route a path, a front before every view, and errors declared once."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.urls import URLPattern, path
from ninja import NinjaAPI, Router
from ninja.operation import Operation
from ninja.utils import normalize_path, replace_path_param_notation

from rotation.api.front import fronted, route_name
from rotation.api.problems import PROBLEM, Problem

UNSAFE = {"post", "put", "patch", "delete"}
ETAG = {
    "description": "Of this answer; send it as If-None-Match, or as If-Match with a change.",
    "schema": {"type": "string"},
}
IF_NONE_MATCH = {
    "name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"},
    "description": "An ETag you hold: 304 when it is still right.",
}  # fmt: skip
IF_MATCH = {
    "name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"},
    "description": "The ETag you read: 412 when somebody has changed it meanwhile.",
}  # fmt: skip


class Declared(NinjaAPI):
    """Operation ids are the functions' names, route names come from the paths, errors are problem details."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return str(operation.view_func.__name__)

    def get_operation_url_name(self, operation: Operation, router: Router) -> str:
        return route_name(operation.path)

    def _get_urls(self) -> list[Any]:
        """As ninja's, but one pattern a path, each behind the front."""
        from ninja.openapi.urls import get_openapi_urls, get_root_url  # noqa: PLC0415 - ninja does so too

        found: list[Any] = get_openapi_urls(self)
        for bound in self._get_bound_routers():
            for place, view in bound.path_operations.items():
                full = normalize_path("/".join(part for part in (bound.prefix, place) if part)).lstrip("/")
                found.append(pattern(replace_path_param_notation(full), view))
        return [*found, get_root_url(self)]

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> Any:
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        shape = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schema["components"]["schemas"].update(shape.pop("$defs", {}))
        schema["components"]["schemas"]["Problem"] = shape
        for place, methods in schema["paths"].items():
            for method, operation in methods.items():
                _declare(place, method, operation, conditional="get" in methods)
        return schema


def pattern(route: str, view: Any) -> URLPattern:
    operations = list(view.operations)
    name = getattr(operations[0], "url_name", "") or route_name("/" + route)
    return path(route, fronted(view.get_view(), operations), name=name)


def _declare(place: str, method: str, operation: dict[str, Any], *, conditional: bool) -> None:
    """The errors every operation may answer with, and the conditions it understands."""
    statuses = {401, 403, 422, 429}
    statuses |= {404} if "{" in place else set()
    statuses |= {400, 409, 413} if method in UNSAFE else set()
    parameters = operation.setdefault("parameters", [])
    if method == "get":
        parameters.append(IF_NONE_MATCH)
        operation["responses"][304] = {"description": "You hold it already.", "headers": {"ETag": ETAG}}
        operation["responses"][200]["headers"] = {"ETag": ETAG}
    elif conditional:
        parameters.append(IF_MATCH)
        statuses.add(412)
    for status in sorted(statuses):
        operation["responses"].setdefault(status, _problem(status))


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
