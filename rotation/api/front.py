"""What all operations of the management API have in common: HEAD, OPTIONS, 405 with Allow, unknown parameters, ETags.

A GET answers with an ETag of its body, and 304 when the client has it. A change with If-Match is made only when what
GET would answer now has that ETag, else 412; two such changes of one thing wait for each other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any
from zlib import crc32

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import parse_etags
from ninja.operation import Operation

from rotation.api import problems

LOCKS = 7_301_020  # first half of the advisory locks; the second is the path
STALE = "What you changed has changed since you read it: read it again."
View = Callable[..., HttpResponseBase]


def fronted(view: View, operations: list[Operation]) -> View:
    """The view of a path, with all that around it."""
    by_method = {method: operation for operation in operations for method in operation.methods}

    @wraps(view)
    def answered(request: HttpRequest, **values: Any) -> HttpResponseBase:
        if request.method == "OPTIONS":
            answer = HttpResponse(status=204)
            answer["Allow"] = allow(by_method)
            return answer
        method = "GET" if request.method == "HEAD" else request.method or ""
        operation = by_method.get(method)
        if operation is None:
            return not_allowed(request, by_method)
        if unknown := unknown_parameters(request, operation):
            return problems.fields((name, "There is no such parameter.") for name in unknown)
        if method == "GET":
            return read(view, request, values)
        return changed(view, request, values, by_method)

    answered.csrf_exempt = True  # type: ignore[attr-defined]  # whoever comes with a cookie is asked in `who`
    return answered


def allow(methods: Any) -> str:
    return ", ".join(sorted({*methods, "OPTIONS", *({"HEAD"} if "GET" in methods else ())}))


def not_allowed(request: HttpRequest, methods: Any) -> HttpResponse:
    answer = problems.problem(405, f"Use {allow(methods)} for {request.path}.")
    answer["Allow"] = allow(methods)
    return answer


def unknown_parameters(request: HttpRequest, operation: Operation) -> list[str]:
    """Names in the query the operation knows nothing of."""
    known: set[str] = set()
    for model in operation.models:
        if model.__ninja_param_source__ == "query":
            known |= set(model.__ninja_flatten_map__)
    return sorted(name for name in request.GET if name not in known)


def read(view: View, request: HttpRequest, values: dict[str, Any]) -> HttpResponseBase:
    answer = _as_get(view, request, values)
    if answer.status_code != 200 or not isinstance(answer, HttpResponse):
        return answer
    answer["ETag"] = tag(answer)
    answer["Cache-Control"] = "private, no-cache"
    answer["Vary"] = "Authorization, Cookie"
    if answer["ETag"] in (held := parse_etags(request.headers.get("If-None-Match", ""))) or held == ["*"]:
        same = HttpResponse(status=304)
        for name in ("ETag", "Cache-Control", "Vary"):
            same[name] = answer[name]
        return same
    if request.method == "HEAD":
        answer.content = b""
    return answer


def tag(answer: HttpResponse) -> str:
    return f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'


def _as_get(view: View, request: HttpRequest, values: dict[str, Any]) -> HttpResponseBase:
    """The view as GET would be answered, whatever the method is."""
    method, request.method = request.method, "GET"
    try:
        return view(request, **values)
    finally:
        request.method = method


def changed(view: View, request: HttpRequest, values: dict[str, Any], methods: Any) -> HttpResponseBase:
    wants = parse_etags(request.headers.get("If-Match", ""))
    if not wants:
        answer = view(request, **values)
    elif "GET" not in methods:
        return problems.problem(412, f"{request.path} has no ETag: leave out If-Match.")
    else:
        answer = _if_matching(view, request, values, wants)
    answer["Cache-Control"] = "no-store"
    return answer


def _if_matching(view: View, request: HttpRequest, values: dict[str, Any], wants: list[str]) -> HttpResponseBase:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCKS, crc32(request.path.encode()) - 2**31])
        now = _as_get(view, request, values)
        if now.status_code in {401, 403, 429}:
            return now
        there = now.status_code == 200 and isinstance(now, HttpResponse)
        if not there or (wants != ["*"] and tag(now) not in wants):  # type: ignore[arg-type]  # `there` says it is one
            return problems.problem(412, STALE)
        return view(request, **values)


def route_name(path: str) -> str:
    """`/v1/pools/{int:pk}/placements` is the route `pools.one.placements`."""
    steps = [step for step in re.sub(r"{[^}]*}|<[^>]*>", "one", path).split("/") if step]
    return ".".join(steps[1:] if steps[:1] == ["v1"] else steps)
