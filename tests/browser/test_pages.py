"""What a person does in a browser: set up, look around, watch live, without scripts, on a phone, by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.installation import PASSWORD, USERNAME, Installation

SOON = 15_000  # ms; a ceiling for what takes two seconds on a quiet machine


def test_from_the_set_up_link_to_the_guided_start_and_what_is_wrong_is_said(
    open_page: Open, installation: Installation
):
    installation.people()
    said = installation.manage("setup_link")
    found = re.search(r"/setup/\S+", said)
    assert found is not None
    page = open_page(found[0], expected="422")
    page.get_by_label("Username").fill(USERNAME)
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_label("Password again").fill("short")
    with page.expect_response(lambda answer: answer.status == 422):
        page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_label("Username")).to_have_value(USERNAME)
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", name="Start")).to_be_visible()
    expect(page.get_by_text("simulated providers answer until the first key is stored")).to_be_visible()


def test_the_range_is_in_the_address_and_changes_the_charts(signed_in: Open):
    page = signed_in("/")
    expect(page.get_by_role("link", name="24 h")).to_have_attribute("aria-current", "true")
    day = page.locator("svg.bars > g").count()
    page.get_by_role("link", name="30 d").click()
    page.wait_for_url("**/?range=30d")
    assert page.locator("svg.bars > g").count() < day
    expect(page.get_by_text("in 30 d").first).to_be_visible()


def test_a_new_request_appears_by_itself_and_the_page_is_not_loaded_again(signed_in: Open, installation: Installation):
    page = signed_in("/")
    page.evaluate("window.here = true")
    expect(page.get_by_text("live ·")).to_be_visible()
    installation.ask("seen-live", failed=1)
    expect(page.get_by_role("cell", name="seen-live").first).to_be_visible(timeout=SOON)
    expect(page.get_by_role("row", name="seen-live")).to_contain_text("429 → 2nd try")
    assert page.evaluate("window.here")


def test_an_unchanged_page_is_told_so_and_keeps_what_has_the_focus(signed_in: Open, installation: Installation):
    page = signed_in("/")
    page.get_by_role("link", name="7 d").focus()
    with page.expect_response(lambda answer: "/live/overview/" in answer.url and answer.status == 204, timeout=SOON):
        pass
    installation.ask("with-focus")
    expect(page.get_by_role("cell", name="with-focus").first).to_be_visible(timeout=SOON)
    expect(page.get_by_role("link", name="7 d")).to_be_focused()


def test_a_hidden_tab_asks_nothing(signed_in: Open):
    page = signed_in("/")
    page.evaluate("Object.defineProperty(document, 'visibilityState', {get: () => 'hidden'})")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(4_500)  # two ticks
    assert asked == []


def test_a_cooldown_counts_down_and_ends_as_ready(signed_in: Open, installation: Installation):
    installation.sql(
        "INSERT INTO rotation_cooldown (scope, until, kind, reason, set_at) "
        "SELECT 'key:' || min(k.id), now() + interval '6 s', 'rate_limited', 'slow down', now() FROM rotation_key k "
        "ON CONFLICT (scope) DO UPDATE SET until = excluded.until"
    )
    page = signed_in("/")
    pill = page.locator(".keys .pill").first
    expect(pill).to_have_text(re.compile(r"^cooling \d s$"))
    first = pill.inner_text()
    expect(pill).not_to_have_text(first)
    expect(pill).to_have_text("ready", timeout=SOON)


def test_the_theme_changes_without_a_reload_and_stays(signed_in: Open):
    page = signed_in("/")
    page.evaluate("window.here = true")
    light = background(page)
    page.get_by_role("button", name="Theme: auto").click()  # offers light
    page.get_by_role("button", name="Theme: light").click()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert page.evaluate("window.here")
    assert background(page) != light
    page.reload()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert background(page) != light


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_times_are_the_reader_s_from_the_second_page_on(signed_in: Open):
    page = signed_in("/")
    expect(page.get_by_text("Times in Europe/London")).to_be_visible()


def test_when_the_session_ends_the_page_goes_to_the_login(signed_in: Open, installation: Installation):
    page = signed_in("/?range=7d")
    installation.sql("DELETE FROM django_session")
    page.wait_for_url(re.compile(r"/login/\?next=/%3Frange%3D7d$"), timeout=SOON)


def test_a_page_that_lost_its_server_says_so_and_comes_back(signed_in: Open):
    page = signed_in("/", expected="Failed to load resource|htmx:")
    expect(page.get_by_text("live ·")).to_be_visible()
    page.route("**/live/**", lambda route: route.abort())
    expect(page.get_by_text("not connected ·")).to_be_visible(timeout=SOON)
    page.unroute("**/live/**")
    expect(page.get_by_text("live ·")).to_be_visible(timeout=SOON)


def test_without_scripts_everything_reads_and_every_form_works(open_page: Open, installation: Installation):
    installation.people(USERNAME)
    uuid = installation.ask("without-scripts", failed=1)
    page = open_page("/login/", js=False)
    page.get_by_label("Username").fill(USERNAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert page.locator("svg.rung").count() >= 12
    page.get_by_role("button", name="Theme: auto").click()
    page.get_by_role("button", name="Theme: light").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_role("link", name="7 d").click()
    page.get_by_role("link", name="Requests", exact=True).click()
    page.get_by_role("row", name="without-scripts").get_by_role("link").click()
    assert uuid in page.url
    expect(page.get_by_text("60 requests per minute").first).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/requests/", "/table/ladder/", "/request"])
def test_a_phone_is_never_scrolled_sideways(signed_in: Open, installation: Installation, path: str):
    if path == "/request":
        path = f"/requests/{installation.ask(failed=2)}/"
    page = signed_in(path, width=380)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380


def test_the_keyboard_reaches_everything_and_may_skip_the_links(signed_in: Open):
    page = signed_in("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="1 h")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?range=7d")


def test_the_admin_works_under_the_same_policy(signed_in: Open):
    page = signed_in("/admin/")
    expect(page.get_by_role("link", name="Providers", exact=True).first).to_be_visible()
    page.goto("/admin/rotation/key/add/")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_visible()
