"""Every page in both themes, wide and narrow: free of what axe-core finds wrong, and photographed to be looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.installation import USERNAME, Installation
from tests.browser.pages import NOT_PAGES, PLAIN, POSTED, every

#: A folder for the README's pictures. Then every page is photographed in four ways, else in two: drawing is dear.
ALL = os.environ.get("ROTATION_PICTURES", "")


@pytest.fixture
def lively(installation: Installation) -> str:
    """Something of everything to be seen; the id of a call that rotated."""
    installation.sql("DELETE FROM rotation_breakerstate")
    installation.sql("DELETE FROM rotation_cooldown")
    installation.sql("DELETE FROM rotation_learnedlimit")
    installation.sql(LIMITS)
    installation.sql(COOLING)
    installation.sql(OPEN)
    if not installation.sql("SELECT 1 FROM rotation_reordering WHERE applied_by = 'rotation'"):
        installation.sql(REORDERED)
        installation.sql(SWAPPED)
    if not installation.sql("SELECT 1 FROM rotation_request WHERE attempts = 3"):
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
        (pool_id, at, before, after, evidence, reason, applied_by, applied_at, undone_by, undone_at, state,
         decided_by, watched)
    SELECT pool, now() - interval '47 min',
           jsonb_agg(jsonb_build_object('deployment', id, 'name', name, 'position', n, 'why', '') ORDER BY n),
           jsonb_agg(jsonb_build_object('deployment', id, 'name', name, 'position', to_n, 'why', CASE n
               WHEN 7 THEN '2025-11-20 12:00 UTC: 3.01 s, 98.9 % of 214; overtakes minimax-m2 (4.70 s)'
               WHEN 6 THEN '2025-11-20 12:00 UTC: 9 rate limits in the last day' ELSE '' END) ORDER BY to_n),
           '{"deployments": [{"ok": 1204, "failed": 9, "rate_limited": 31}]}', '', 'rotation',
           now() - interval '47 min', '', NULL, 'kept', '', '{}'
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


@pytest.fixture(scope="module")
def known(installation: Installation) -> Iterator[dict[str, str]]:
    """Addresses with ids in them, of an installation with something of everything."""
    installation.person(USERNAME)
    yield installation.furnish("plain")
    installation.furnish("remove")


@pytest.fixture
def addresses(known: dict[str, str], lively: str) -> list[tuple[str, str]]:
    return [*every(known), ("request", f"/requests/{lively}/")]


#: What is looked at on the Overview, and what repeats itself: from the ninth row on a table is like the eight before.
SEEN = {"exclude": [["header.side"], ["tbody tr:nth-child(n+9)"], ["ol > li:nth-child(n+9)"]]}


def violations(page: Page, rules: str = "", *, whole: bool = True) -> list[str]:
    """What axe finds wrong: of all its rules, or of one; of the whole page, or without what was seen."""
    found = Axe().run(page, None if whole else SEEN, {"runOnly": [rules]} if rules else None)
    return [f"{v['id']}: {[n['html'][:160] for n in v['nodes']][:3]}" for v in found.response["violations"]]


def test_every_page_is_in_the_table():
    from dashboard.urls import urlpatterns

    free = {str(route.name) for route in urlpatterns if "<" not in str(route.pattern)}
    assert PLAIN.keys() | NOT_PAGES | POSTED == free
    assert not PLAIN.keys() & (NOT_PAGES | POSTED)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_free_of_what_axe_finds_fits_a_phone_and_has_its_pictures(
    signed_in: Open, addresses: list[tuple[str, str]], pictures: Path, scheme: str
):
    """In the dark axe looks at the colours alone: the rest is the same page."""
    page = signed_in("/", scheme=scheme)
    wrong: list[str] = []
    for name, path in addresses:
        page.set_viewport_size({"width": 1440, "height": 1180})
        page.goto(path)
        rules = "" if scheme == "light" else "color-contrast"
        wrong += [f"{name}: {one}" for one in violations(page, rules, whole=name == "overview")]
        if ALL or scheme == "light":
            page.screenshot(path=pictures / f"{name}-{scheme}-1440.png", full_page=True)
        page.set_viewport_size({"width": 380, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth") > 380:
            wrong.append(f"{name}: wider than a phone")
        if ALL or scheme == "dark":
            page.screenshot(path=pictures / f"{name}-{scheme}-380.png", full_page=True)
    assert wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_at_the_doors(open_page: Open, installation: Installation, pictures: Path, scheme: str):
    installation.person(USERNAME)
    page = open_page("/login/", scheme=scheme)
    assert violations(page) == []
    page.screenshot(path=pictures / f"login-{scheme}-1440.png")


def test_every_page_reads_without_scripts(signed_in: Open, addresses: list[tuple[str, str]]):
    page = signed_in("/", js=False)
    for name, path in addresses:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, name
        assert page.locator("main h1").count() == 1, name
        assert len(page.locator("main").inner_text()) > 60, name


@pytest.mark.usefixtures("lively")
def test_pictures_for_the_readme(signed_in: Open, installation: Installation, known: dict[str, str]):
    """Only when they are asked for: ROTATION_PICTURES=docs."""
    if not ALL:
        pytest.skip("they are made when ROTATION_PICTURES names a folder")
    installation.sql("DELETE FROM rotation_breakerstate")
    page = signed_in("/")
    (uuid,) = installation.sql(ROTATED)[0]
    for scheme, shown in (
        ("light", {"overview": "/", "request": f"/requests/{uuid}/"}),
        ("dark", {"model": known["busy_model"], "rotation": "/rotation/"}),
    ):
        page = signed_in("/", scheme=scheme)
        for name, path in shown.items():
            page.goto(path)
            high = page.evaluate("document.querySelector('main').lastElementChild.getBoundingClientRect().bottom")
            page.set_viewport_size({"width": 1440, "height": min(1400, int(high) + 28)})
            page.screenshot(path=Path(ALL) / f"{name}.png")
            page.set_viewport_size({"width": 1440, "height": 1180})


# the call of the drawn past that met the most models
ROTATED = """
    SELECT r.id FROM rotation_request r JOIN rotation_attempt a ON a.request_id = r.id
    WHERE r.attempts > 1 AND r.outcome = 'answered' AND r.pool = 'auto' GROUP BY r.id, r.at
    ORDER BY count(DISTINCT a.model) DESC, count(*) DESC, r.at DESC LIMIT 1"""


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
