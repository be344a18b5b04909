"""Who asks the management API: somebody signed in (a session cookie), or a program with a token; and whether they may.

The role is looked up by route and method in `rotation.roles`, the same table the pages go by.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja.errors import AuthenticationError, HttpError
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from rotation import api_tokens
from rotation.api import tries
from rotation.control.by import By
from rotation.models import Door, Role
from rotation.roles import role_of, suffices, wanted

NO_CSRF = (
    "A change made with the session cookie wants its CSRF token in X-CSRFToken; a program uses a token (Authorization: "
    "Bearer rt_...)."
)
WRONG = "This token is not valid: it may be revoked, expired, mistyped, or its owner locked."


class Token(HttpBearer):
    """`Authorization: Bearer rt_...`"""

    def __call__(self, request: HttpRequest) -> Any:
        given = request.META.get("HTTP_AUTHORIZATION", "")
        if not given:
            return None
        scheme, _, text = given.partition(" ")
        return self.authenticate(request, text.strip() if scheme.lower() == "bearer" else "")

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        address = request.META.get("REMOTE_ADDR", "")
        if wait := tries.wait(address):
            raise tries.TooMany(wait)
        found = api_tokens.find(token)
        if found is None:
            tries.failed(address)
            raise AuthenticationError(message=WRONG)
        tries.forget(address)
        api_tokens.used(found)
        return allowed(request, found.owner, api_tokens.role_of_token(found), f"token {found.label}")


class Session(APIKeyCookie):
    """The cookie of somebody who has signed in at /login/."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Any:
        if not request.user.is_authenticated:
            return None
        if check_csrf(request):
            raise HttpError(403, NO_CSRF)
        return allowed(request, request.user, role_of(request.user), request.user.get_username())

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        raise NotImplementedError  # `__call__` knows already


class Caller:
    """Who was let in: the account, the role that counts now, and how a change is signed."""

    def __init__(self, user: User, role: Role | None, actor: str) -> None:
        self.user, self.role, self.by = user, role, By(actor, Door.API)

    def may_be(self, role: Role) -> bool:
        return suffices(self.role, role)


def allowed(request: HttpRequest, user: Any, role: Role | None, actor: str) -> Caller:
    """Raises HttpError (403) naming the role it takes."""
    route = request.resolver_match.view_name if request.resolver_match else ""
    needs = wanted(route, request.method or "")
    if not suffices(role, needs):
        has = role.value if role else "nobody"
        raise HttpError(403, f"This takes the role {needs}; you are {has}. Ask an admin for it.")
    return Caller(user, role, actor)


def caller(request: HttpRequest) -> Caller:
    """Of a request that was let in."""
    found = request.auth  # type: ignore[attr-defined]  # ninja puts it there
    assert isinstance(found, Caller)
    return found


def by(request: HttpRequest) -> By:
    return caller(request).by
