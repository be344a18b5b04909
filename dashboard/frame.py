"""What every page has around it: the links, the reader's theme and time zone. Both are remembered in cookies."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import unquote

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.functional import cached_property

from dashboard.navigation import groups
from rotation.models import Role
from rotation.roles import role_of, suffices, wanted

THEMES = {"auto": "light", "light": "dark", "dark": "auto"}  # each with the one the button offers next
DIALOG = "dialog"  # the id of the element into which pages are opened as a dialog


@cache
def zones() -> frozenset[str]:
    """Names this machine knows; without a time zone database only UTC."""
    return frozenset(zoneinfo.available_timezones()) | {"UTC"}


def zone_of(request: HttpRequest) -> zoneinfo.ZoneInfo | None:
    name = unquote(request.COOKIES.get("tz", ""))
    return zoneinfo.ZoneInfo(name) if name != "UTC" and name in zones() else None


class LocalTime:
    """Middleware: times on pages are in the zone the browser told in the `tz` cookie, UTC before it has."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self.is_async:
            return self.wait(request)
        with timezone.override(zone_of(request)):
            response: HttpResponseBase = self.get_response(request)
        return response

    async def wait(self, request: HttpRequest) -> HttpResponseBase:
        with timezone.override(zone_of(request)):
            response: HttpResponseBase = await self.get_response(request)
        return response


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what base.html asks for. `layout` is what a page extends that may also open as a dialog."""
    theme = request.COOKIES.get("theme", "auto")
    theme = theme if theme in THEMES else "auto"
    may = May(request)
    navigation = groups(request.path, may.role)
    return {
        "theme": theme,
        "next_theme": THEMES[theme],
        "zone": timezone.get_current_timezone_name(),
        "navigation": navigation,
        "here": next((link.label for group in navigation for link in group.links if link.current), "Pages"),
        "may": may,
        "layout": "dashboard/_dialog.html" if in_dialog(request) else "base.html",
    }


def in_dialog(request: HttpRequest) -> bool:
    """Whether the answer is put into the dialog of the page that asks."""
    return request.headers.get("HX-Target") == DIALOG


class May:
    """`{% if may.undo_reordering %}`: whether who looks may change what the route of that name changes."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def role(self) -> Role | None:
        return role_of(getattr(self.request, "user", None))  # a failing request may have none yet

    def __getitem__(self, route: str) -> bool:
        return suffices(self.role, wanted(route, "POST"))
