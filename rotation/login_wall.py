"""Closed by default: every page wants a login unless its view is marked `@login_not_required`.

`/v1` and `/api` are let past, because they take no session for granted and check their own keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase

OWN_KEYS = ("/v1/", "/api/")


class LoginWall(LoginRequiredMiddleware):
    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if request.path.startswith(OWN_KEYS):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)
