"""The links of every page: one table. A page shows up when its address exists and the role of who looks may read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from rotation.models import Role
from rotation.roles import suffices, wanted

#: Group -> (label, name of the route). A page's own pages have addresses below it: /requests/<id>/ is in Requests.
PAGES: Mapping[str, Sequence[tuple[str, str]]] = {
    "Watch": (
        ("Overview", "overview"),
        ("Requests", "requests"),
        ("Models", "models"),
        ("Savings", "savings"),
    ),
    "Decide": (
        ("Rotation", "rotation"),
        ("Laboratory", "laboratory"),
        ("Discovery", "discovery"),
        ("Pools", "pools"),
        ("Transcription", "transcription"),
    ),
    "Keep": (
        ("Providers & keys", "providers"),
        ("Clients", "clients"),
        ("Playground", "playground"),
        ("People & tokens", "people"),
        ("Settings", "settings"),
        ("Audit", "audit"),
    ),
}


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    links: Sequence[Link]


def address_of(route: str) -> str | None:
    """Its address; None while nobody has built the page."""
    try:
        return reverse(route)
    except NoReverseMatch:
        return None


def within(path: str, url: str) -> bool:
    """Whether an address is that page's or below it; the Overview has charts as tables, People has tokens."""
    if url == "/":
        return path == "/" or path.startswith("/table/")
    return path.startswith(url) or (url == "/people/" and path.startswith("/tokens/"))


def groups(path: str, role: Role | None) -> list[Group]:
    """The links for somebody of that role who is at `path`; groups with nothing to show are left out."""
    shown = []
    for label, pages in PAGES.items():
        found = [(name, address_of(route)) for name, route in pages if suffices(role, wanted(route, "GET"))]
        links = [Link(name, url, within(path, url)) for name, url in found if url]
        if links:
            shown.append(Group(label, links))
    return shown
