"""Errors of the management API as problem details (RFC 9457): what went wrong and what to do, never a trace of ours."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from django.core import exceptions as django
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import BaseModel, ConfigDict, Field

from rotation.api.tries import TooMany
from rotation.control.fields import ChangedMeanwhile

PROBLEM = "application/problem+json"
SIGN_IN = "Sign in at /login/ first, or send a token (Authorization: Bearer rt_...)."
NOTHING = "There is nothing here; /api/docs lists what there is."
FIELDS = "Some fields are not right; `errors` names each."
log = logging.getLogger("rotation.api")


class FieldError(BaseModel):
    """What is wrong with one field: where (a JSON pointer into the body, or a parameter's name), and what to do."""

    pointer: str = Field(examples=["/base_url"])
    detail: str


class Problem(BaseModel):
    """Every answer of the management API that is not a success, as `application/problem+json`."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] = Field(default_factory=list)


class Missing(Http404):
    """Something named by its id that is not there; the message says what."""


def problem(status: int, detail: str, **more: Any) -> HttpResponse:
    """The answer; `more` are members of its own."""
    said = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, **more)
    body = said.model_dump(exclude={"errors"} if not said.errors else set())
    return HttpResponse(_json(body), status=status, content_type=PROBLEM)


def _json(body: Any) -> bytes:
    """Half characters in what we were sent are shown escaped."""
    import json  # noqa: PLC0415 - only here

    return json.dumps(body).encode()


def fields(errors: Iterable[tuple[str, str]], status: int = 422) -> HttpResponse:
    """What is wrong with each field: (pointer, words)."""
    found = [FieldError(pointer=pointer, detail=words) for pointer, words in errors]
    told = " ".join(f"{error.pointer.removeprefix('/') or 'body'}: {error.detail}" for error in found[:3])
    return problem(status, told[:1000] or FIELDS, errors=found)


def install(api: NinjaAPI) -> None:
    """Lets every error of an API leave it as a problem."""
    for kind in (
        AuthenticationError, HttpError, Http404, ValidationError, django.ValidationError, django.BadRequest,
        django.RequestDataTooBig, TooMany, Exception,
    ):  # fmt: skip
        api.add_exception_handler(kind, told)


def told(request: HttpRequest, error: Any) -> HttpResponse:  # noqa: PLR0911 - one a kind, a table in all but name
    """The problem an error is."""
    match error:
        case AuthenticationError():
            return _unknown(error)
        case HttpError():
            return problem(error.status_code, str(error))
        case Missing():
            return problem(404, str(error))
        case Http404():
            return problem(404, NOTHING)
        case ValidationError():
            return fields(_wrong(error))
        case django.ValidationError():
            return fields(_refused(error), 409 if isinstance(error, ChangedMeanwhile) else 422)
        case django.RequestDataTooBig():
            return problem(413, "The body is too large.")
        case django.BadRequest():
            return problem(400, "The request could not be read.")
        case TooMany():
            answer = problem(429, str(error))
            answer["Retry-After"] = str(math.ceil(error.seconds))
            return answer
    log.error("an error of our own at %s", request.path, exc_info=error if isinstance(error, Exception) else None)
    return problem(500, "An internal error; it has been logged.")


def _unknown(error: AuthenticationError) -> HttpResponse:
    answer = problem(401, SIGN_IN if error.message == "Unauthorized" else error.message)
    answer["WWW-Authenticate"] = 'Bearer realm="rotation"'
    return answer


def _wrong(error: ValidationError) -> Iterable[tuple[str, str]]:
    """Pydantic's findings; `loc` begins with where it looked, and for a body with the name of the argument."""
    for one in error.errors:
        where, *parts = one["loc"]
        parts = parts[1:] if where == "body" else parts
        steps = [str(part).replace("~", "~0").replace("/", "~1") for part in parts]
        yield "/" + "/".join(steps) if where == "body" else ".".join(steps), _words(one)


def _words(one: dict[str, Any]) -> str:
    if one["type"] == "extra_forbidden":
        return "There is no such field."
    return f"{one['msg']}."


def _refused(error: django.ValidationError) -> Iterable[tuple[str, str]]:
    """What the control plane refused, by field."""
    found = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    for name, messages in found.items():
        pointer = "" if name in {"", "__all__"} else f"/{name}"
        yield from ((pointer, str(message)) for message in messages)
