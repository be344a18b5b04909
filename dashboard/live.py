"""Parts of a page that renew themselves: asked for every two seconds while the tab is visible, sent when they changed.

A view ends with `live(request, state, "dashboard/pools.html", "dashboard/_pools.html", context)`, where `state` is a
short text that differs when the part would (`dashboard.queries.freshness` makes such tokens) and `context` a function,
called only when there is something to send. The page includes the part, whose outermost element is

    <div id="live" {{ live }}> ... </div>

A part is not renewed while a field in it has the focus or one of its menus is open (static/js/rotation.js).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.utils.safestring import SafeString

PART = "live"  # the id of the element


def asked_alone(request: HttpRequest) -> bool:
    return request.headers.get("HX-Target") == PART


def attributes(request: HttpRequest, state: str, path: str = "") -> SafeString:
    """What makes the element ask for its next self: the page's own address (or `path`), with the state it shows."""
    query = request.GET.copy()
    query["state"] = state
    address = path or request.path
    return format_html(
        'data-live hx-get="{}{}{}" hx-trigger="tick" hx-target="this" hx-swap="outerHTML" hx-sync="this:drop"',
        address,
        "&" if "?" in address else "?",
        query.urlencode(),
    )


def live(request: HttpRequest, state: str, page: str, part: str, context: Callable[[], dict[str, Any]]) -> HttpResponse:
    """The page; its live part alone for who asks for that; 204 while it is what the browser has."""
    alone = asked_alone(request)
    if alone and request.GET.get("state") == state:
        return HttpResponse(status=204)
    response = render(request, part if alone else page, {**context(), "live": attributes(request, state)})
    patch_vary_headers(response, ["HX-Target"])
    return response
