"""Every page in both themes, wide and narrow: free of what axe-core finds wrong, and photographed to be looked at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.installation import USERNAME, Installation

MORE = {"overview-1h": "/?range=1h", "table": "/table/requests/", "style": "/style/", "tokens": "/tokens/",
        "provider-add": "/providers/add/", "person-add": "/people/add/",
        "matrix": "/models/matrix/", "timeline": "/models/timeline/", "changes": "/discovery/changes/"}  # fmt: skip
# pages of one thing: their address with the first id a query finds
OF_ONE = {
    "provider": ("/providers/{}/", "SELECT min(id) FROM rotation_provider WHERE name = 'sim-openrouter'"),
    "pool": ("/pools/{}/", "SELECT id FROM rotation_pool WHERE name = 'auto'"),
    "pool-policy": ("/pools/{}/policy/", "SELECT id FROM rotation_pool WHERE name = 'auto'"),
    "pool-member": ("/pools/{}/members/add/", "SELECT id FROM rotation_pool WHERE name = 'auto'"),
    "model": ("/models/{}/", "SELECT min(deployment_id) FROM rotation_daystat"),
    "model-adopt": ("/models/{}/adopt/", "SELECT min(id) FROM rotation_deployment"),
    "offer": ("/providers/models/{}/change/", "SELECT min(id) FROM rotation_deployment"),
    "client": ("/clients/{}/", "SELECT min(id) FROM rotation_clientkey WHERE NOT internal"),
    "client-rotate": ("/clients/{}/rotate/", "SELECT min(id) FROM rotation_clientkey WHERE NOT internal"),
}


def pages(installation: Installation, uuid: str) -> dict[str, str]:
    """Every page of the navigation, whoever built it, and pages of one thing."""
    from dashboard.navigation import PAGES, address_of

    routes = [route for group in PAGES.values() for _, route in group]
    found = {route: address for route in routes if (address := address_of(route))}
    of_one = {name: path.format(installation.sql(query)[0][0]) for name, (path, query) in OF_ONE.items()}
    return {**found, **MORE, **of_one, "request": f"/requests/{uuid}/"}


@pytest.fixture
def lively(installation: Installation) -> str:
    """Something of everything to be seen; the id of a call that rotated."""
    installation.sql("DELETE FROM rotation_breakerstate")
    installation.sql("DELETE FROM rotation_cooldown")
    installation.sql("DELETE FROM rotation_learnedlimit")
    installation.sql(LIMITS)
    installation.sql(COOLING)
    installation.sql(OPEN)
    if not installation.sql("SELECT 1 FROM rotation_reordering"):
        installation.sql(REORDERED)
        installation.sql(SWAPPED)
        installation.ask("code", failed=1)
        installation.ask("auto", failed=2)
    return str(installation.sql("SELECT id FROM rotation_request WHERE attempts = 3 ORDER BY at DESC LIMIT 1")[0][0])


# the first simulated account twice near its minute limit, another one with a limit per day
LIMITS = """
    INSERT INTO rotation_learnedlimit (scope, axis, "limit", window_s, source, seen_at)
    SELECT 'account:' || a.id, 'requests', CASE row_number() OVER (ORDER BY a.id) WHEN 1 THEN 20 ELSE 1000 END,
           CASE row_number() OVER (ORDER BY a.id) WHEN 1 THEN 60 ELSE 86400 END, 'header', now()
    FROM rotation_account a JOIN rotation_provider p ON p.id = a.provider_id WHERE p.simulated ORDER BY a.id LIMIT 3"""
COOLING = """
    INSERT INTO rotation_cooldown (scope, until, kind, reason, set_at)
    SELECT 'key:' || k.id, now() + interval '74 s', 'rate_limited', 'Rate limit exceeded', now()
    FROM rotation_key k JOIN rotation_account a ON a.id = k.account_id JOIN rotation_provider p ON p.id = a.provider_id
    WHERE p.simulated ORDER BY k.id OFFSET 1 LIMIT 1"""
OPEN = """
    INSERT INTO rotation_breakerstate (scope, state, until, opens, changed_at)
    SELECT 'deployment:' || d.id, 'open', now() + interval '41 s', 1, now()
    FROM rotation_deployment d JOIN rotation_provider p ON p.id = d.provider_id
    WHERE p.simulated AND d.model_id LIKE '%qwq-32b%' LIMIT 1"""
# the seventh of the rotation overtook the sixth
REORDERED = """
    WITH placed AS (
        SELECT o.id AS pool, d.id, p.name || '/' || d.model_id AS name,
               row_number() OVER (ORDER BY a.position, a.id) AS n
        FROM rotation_placement a JOIN rotation_pool o ON o.id = a.pool_id AND o.name = 'auto'
        JOIN rotation_deployment d ON d.id = a.deployment_id JOIN rotation_provider p ON p.id = d.provider_id
        WHERE p.simulated),
    moved AS (SELECT *, CASE n WHEN 6 THEN 7 WHEN 7 THEN 6 ELSE n END AS to_n FROM placed)
    INSERT INTO rotation_reordering
        (pool_id, at, before, after, evidence, reason, applied_by, applied_at, undone_by, undone_at)
    SELECT pool, now() - interval '47 min',
           jsonb_agg(jsonb_build_object('deployment', id, 'name', name, 'position', n, 'why', '') ORDER BY n),
           jsonb_agg(jsonb_build_object('deployment', id, 'name', name, 'position', to_n, 'why', CASE n
               WHEN 7 THEN '2025-11-20 12:00 UTC: 3.01 s, 98.9 % of 214; overtakes minimax-m2 (4.70 s)'
               WHEN 6 THEN '2025-11-20 12:00 UTC: 9 rate limits in the last day' ELSE '' END) ORDER BY to_n),
           '{"deployments": [{"ok": 1204, "failed": 9, "rate_limited": 31}]}', '', 'rotation',
           now() - interval '47 min', '', NULL
    FROM moved GROUP BY pool"""

SWAPPED = """
    WITH placed AS (
        SELECT a.id, a.position, row_number() OVER (ORDER BY a.position, a.id) AS n
        FROM rotation_placement a JOIN rotation_pool o ON o.id = a.pool_id AND o.name = 'auto'
        JOIN rotation_deployment d ON d.id = a.deployment_id JOIN rotation_provider p ON p.id = d.provider_id
        WHERE p.simulated),
    pair AS (SELECT id, position FROM placed WHERE n IN (6, 7))
    UPDATE rotation_placement a SET position = (SELECT sum(position) FROM pair) - a.position
    WHERE a.id IN (SELECT id FROM pair)"""


def violations(page: Page) -> list[str]:
    found = Axe().run(page)
    return [f"{v['id']}: {[n['html'][:160] for n in v['nodes']][:3]}" for v in found.response["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_at_the_doors(open_page: Open, installation: Installation, scheme: str):
    installation.people(USERNAME)
    page = open_page("/login/", scheme=scheme)
    assert violations(page) == []


@pytest.mark.parametrize("width", [1440, 380])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_free_of_what_axe_finds_fits_its_screen_and_has_its_picture(
    signed_in: Open, installation: Installation, lively: str, pictures: Path, scheme: str, width: int
):
    page = signed_in("/", scheme=scheme, width=width)
    wrong: dict[str, list[str]] = {}
    for name, path in pages(installation, lively).items():
        page.goto(path)
        page.screenshot(path=pictures / f"{name}-{scheme}-{width}.png", full_page=True)
        found = violations(page)
        if (across := page.evaluate("document.documentElement.scrollWidth")) > width:
            found.append(f"{across} pixels across")
        if found:
            wrong[name] = found
    assert wrong == {}
    where = os.environ.get("ROTATION_PICTURES")
    if where and scheme == "light" and width == 1440:
        installation.sql("DELETE FROM rotation_breakerstate")
        page.goto("/")
        page.screenshot(path=Path(where) / "overview.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_dialog_and_in_an_open_menu(signed_in: Open, installation: Installation, scheme: str):
    page = signed_in("/clients/", scheme=scheme)
    page.get_by_role("link", name="Add a client key").click()
    expect(page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.goto("/providers/")
    page.locator("main details.menu > summary").first.click()
    assert violations(page) == []
