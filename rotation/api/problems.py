"""Errors of the management API as problem details (RFC 9457): what went wrong and what to do, never a trace of ours."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import BaseModel, ConfigDict

PROBLEM = "application/problem+json"
SIGN_IN = "Sign in at /login/ first: these answers are for people with an account here."
NOTHING = "There is nothing here; /api/docs lists what there is."
log = logging.getLogger("rotation.api")


class Problem(BaseModel):
    """Every answer of the management API that is not a success, as `application/problem+json`."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str


def problem(status: int, detail: str, **more: Any) -> HttpResponse:
    """The answer; `more` are members of its own."""
    said = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, **more)
    return HttpResponse(said.model_dump_json(), status=status, content_type=PROBLEM)


def install(api: NinjaAPI) -> None:
    """Lets every error of an API leave it as a problem."""
    for kind in (AuthenticationError, HttpError, Http404, ValidationError, Exception):
        api.add_exception_handler(kind, told)


def told(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """The problem an error is."""
    match error:
        case AuthenticationError():
            return problem(401, SIGN_IN)
        case HttpError():
            return problem(error.status_code, str(error))
        case Http404():
            return problem(404, NOTHING)
        case ValidationError():
            return problem(422, "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors) + ".")
    log.error("an error of our own at %s", request.path, exc_info=error if isinstance(error, Exception) else None)
    return problem(500, "An internal error; it has been logged.")
