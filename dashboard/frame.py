"""What every page has around it: the links, the reader's theme and time zone. Both are remembered in cookies."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import unquote

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from rotation.models import Role
from rotation.roles import role_of, suffices, wanted

THEMES = {"auto": "light", "light": "dark", "dark": "auto"}  # each with the one the button offers next
PAGES = (
    ("Overview", "overview", {"overview", "table"}),
    ("Requests", "requests", {"requests", "request", "why_not"}),
    ("Transcription", "transcription", {"transcription"}),
)


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
    """Context processor: what base.html asks for."""
    theme = request.COOKIES.get("theme", "auto")
    theme = theme if theme in THEMES else "auto"
    return {
        "theme": theme,
        "next_theme": THEMES[theme],
        "zone": timezone.get_current_timezone_name(),
        "pages": links(request),
        "may": May(request),
    }


class May:
    """`{% if may.undo_reordering %}`: whether who looks may change what the route of that name changes."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def role(self) -> Role | None:
        return role_of(getattr(self.request, "user", None))

    def __getitem__(self, route: str) -> bool:
        return suffices(self.role, wanted(route, "POST"))


def links(request: HttpRequest) -> list[dict[str, Any]]:
    here = request.resolver_match.view_name if request.resolver_match else ""
    pages = [{"label": label, "url": reverse(name), "current": here in names} for label, name, names in PAGES]
    user = getattr(request, "user", None)  # a failing request may have none yet
    if user is not None and user.is_active and user.is_staff:
        pages.append({"label": "Admin", "url": reverse("admin:index"), "current": False})
    return pages
