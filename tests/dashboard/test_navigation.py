"""Which links a page has around it."""

from __future__ import annotations

import pytest

from dashboard import navigation
from dashboard.navigation import PAGES, address_of, groups, within
from rotation.models import Role


def labels(role: Role | None) -> set[str]:
    return {link.label for group in groups("/", role) for link in group.links}


def test_everybody_sees_the_pages_their_role_may_read():
    assert labels(None) == set()
    assert {"Overview", "Pools", "Clients", "Providers & keys", "Settings"} <= labels(Role.VIEWER)
    assert "People & tokens" not in labels(Role.OPERATOR)
    assert labels(Role.VIEWER) <= labels(Role.OPERATOR) <= labels(Role.ADMIN)
    assert "People & tokens" in labels(Role.ADMIN)


def test_a_page_nobody_has_built_has_no_link(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(navigation, "PAGES", {"Watch": (("Overview", "overview"), ("Later", "not-built-yet"))})
    assert address_of("not-built-yet") is None
    assert labels(Role.ADMIN) == {"Overview"}


def test_exactly_one_page_is_the_one_somebody_is_at():
    for path in (
        "/",
        "/table/ladder/",
        "/requests/0/",
        "/providers/keys/3/change/",
        "/pools/1/",
        "/tokens/",
        "/people/",
    ):
        current = [link.label for group in groups(path, Role.ADMIN) for link in group.links if link.current]
        assert len(current) == 1, path
    assert not within("/requests/", "/")


def test_no_page_stands_in_two_groups():
    routes = [route for pages in PAGES.values() for _, route in pages]
    assert len(routes) == len(set(routes))
