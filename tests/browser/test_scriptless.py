"""With scripts switched off every form still works; providers, keys and models are in `test_keeping.py`."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Open, sign_in
from tests.browser.installation import USERNAME, Installation
from tests.browser.living import Living


def test_a_pool_is_made_changed_filled_and_put_in_order(signed_in: Open):
    page = signed_in("/pools/", js=False, expected="422")
    page.get_by_role("link", name="Add a pool").click()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("This field is required.").first).to_be_visible()
    page.get_by_label("Name", exact=True).fill("scriptless")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="scriptless")).to_be_visible()
    for place in (1, 2):
        page.get_by_role("link", name="Add a model").first.click()
        page.get_by_label("Model").select_option(index=place)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(".drag-list > li")).to_have_count(place)
    before = page.locator(".drag-list strong").all_inner_texts()
    page.get_by_role("button", name=re.compile(" up$")).last.click()
    expect(page.locator(".drag-list strong")).to_have_text([*reversed(before)])
    page.get_by_role("link", name="Remove", exact=True).click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("scriptless is removed")).to_be_visible()


def test_a_client_key_is_made_changed_and_revoked(signed_in: Open):
    page = signed_in("/clients/", js=False, expected="422")
    page.get_by_role("link", name="Add a client key").click()
    page.get_by_label("Name", exact=True).fill("No scripts")
    page.get_by_label("USD a day").fill("-1")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("No scripts")
    page.get_by_label("USD a day").fill("2")
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator("#shown-once")).to_have_text(re.compile(r"^rk_"))
    page.get_by_role("link", name="Done").click()
    page.get_by_role("link", name="No scripts", exact=True).click()
    page.get_by_role("link", name="Revoke").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("revoked").first).to_be_visible()


def test_settings_are_saved_and_what_is_wrong_is_said(signed_in: Open):
    page = signed_in("/settings/", js=False, expected="422")
    days = page.get_by_label("Days prompts are kept")
    kept = days.input_value()
    days.fill("-3")
    page.get_by_role("button", name="Save").click()
    expect(days).to_have_value("-3")
    expect(days).to_have_attribute("aria-invalid", "true")
    days.fill("5")
    page.get_by_role("button", name="Save").click()
    expect(days).to_have_value("5")
    days.fill(kept)
    page.get_by_role("button", name="Save").click()
    expect(days).to_have_value(kept)


def test_requests_are_filtered_and_one_is_found_by_its_id(signed_in: Open, installation: Installation):
    uuid = installation.ask("auto", failed=1)
    page = signed_in("/requests/", js=False)
    page.get_by_label("Pool").select_option("code")
    page.locator("form.filters button, .filters button").first.click()
    assert "pool=code" in page.url
    expect(page.locator("tbody tr").first).to_contain_text("code")
    page.get_by_label("Id of a request").fill(uuid)
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name="Attempts")).to_be_visible()


def test_the_playground_answers_and_says_why(visit: Open, living: Living):
    living.person(USERNAME)
    page = visit("/login/", js=False)
    sign_in(page)
    page.goto("/playground/?a=auto&message=Say+hello")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("[data-part=text]").first).to_have_text(re.compile(r"\w"))
    expect(page.locator("[data-part=facts]").first).to_contain_text("attempt")
    page.get_by_role("link", name="Why this model").click()
    expect(page).to_have_url(re.compile("/requests/"))
