"""`/api`: everything the pages can do, as JSON for programs. Errors are problem details.

The nouns are routers of their own (`nouns/`); what every operation has in common is in `front.py` and `declared.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required, login_required
from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.errors import HttpError

from rotation.api import problems, tries
from rotation.api.declared import Declared
from rotation.api.nouns import NOUNS
from rotation.api.problems import NOTHING, problem
from rotation.api.who import Session, Token
from rotation.gateway.paths import METHODS
from rotation.why import NotStored

ABOUT = """Everything the dashboard can do. Sign in and use the session cookie (changes want its CSRF token), or send a
token: `Authorization: Bearer rt_...`. `/v1` is the address for models, this is the one for operators.

Lists come in pages: follow `next` until it is null. Every GET answers with an ETag; send it as `If-None-Match` to ask
cheaply, or as `If-Match` with a change to make it only when nobody was quicker. Every error is a problem detail whose
`errors` name the fields."""


def for_people_and_programs(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The documentation: whoever has signed in, or comes with a token."""

    @login_not_required
    def shown(request: HttpRequest, **values: Any) -> HttpResponse:
        if "HTTP_AUTHORIZATION" not in request.META:
            return login_required(view)(request, **values)
        try:
            Token()(request)
        except (HttpError, tries.TooMany) as refused:
            return problems.told(request, refused)
        return view(request, **values)

    return shown


api = Declared(
    title="Rotation, management",
    version="1",
    description=ABOUT,
    urls_namespace="management",
    docs_url="/docs",
    openapi_url="/openapi.json",
    docs_decorator=for_people_and_programs,
    auth=[Token(), Session()],
)
problems.install(api)
rest = Router()


@rest.api_operation(METHODS, "/{path:name}", include_in_schema=False, url_name="unknown")
def unknown(request: HttpRequest, name: str) -> HttpResponse:
    """404 for everything else."""
    return problem(404, NOTHING)


for noun in (*NOUNS, rest):  # the rest comes last: it takes everything
    api.add_router("", noun)


@api.exception_handler(NotStored)
def not_stored(request: HttpRequest, missing: NotStored) -> HttpResponse:
    return problem(404, str(missing))
