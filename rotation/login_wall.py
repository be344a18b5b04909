"""Closed by default: every page wants a login unless its view is marked `@login_not_required`, and then the role that
`rotation.roles` names.

`/v1` and `/api` are let past, because they take no session for granted and check their own keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_cache_control

from rotation.roles import role_of, suffices, wanted

OWN_KEYS = ("/v1/", "/api/")


class LoginWall(LoginRequiredMiddleware):
    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if request.path.startswith(OWN_KEYS) or not getattr(view_func, "login_required", True):
            return None
        to_login = super().process_view(request, view_func, view_args, view_kwargs)
        if to_login is None:
            self.by_role(request)
        return to_login

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """What was made for somebody who signed in is kept by nobody between, and asked for again after signing out."""
        if not response.has_header("Cache-Control") and not request.path.startswith(OWN_KEYS):
            patch_cache_control(response, private=True, no_cache=True)
        return response

    def by_role(self, request: HttpRequest) -> None:
        """Raises PermissionDenied, which says which role it takes."""
        route = request.resolver_match.view_name if request.resolver_match else ""
        needs = wanted(route, request.method or "")
        if not suffices(role_of(request.user), needs):
            raise PermissionDenied(f"This takes the role {needs}; ask an admin for it.")
