"""A request explained in a browser: today's policy unfolds, "why not" is answered in place, and without scripts too."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.installation import Installation

FIRST = "sim-openrouter/meta-llama/llama-3.3-8b-instruct:free"
HOSTILE = '"><img src=x onerror=alert(1)>{{ 7|add:7 }}'


@pytest.fixture
def uuid(installation: Installation) -> str:
    installation.sql("DELETE FROM rotation_breakerstate")
    installation.sql("DELETE FROM rotation_cooldown")
    return installation.ask("auto", failed=1)


def ask(page: Page, model: str) -> None:
    page.get_by_role("combobox", name="Why not").fill(model)
    page.get_by_role("button", name="Ask", exact=True).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_why_not_is_answered_in_place(signed_in: Open, uuid: str, pictures: Path, scheme: str):
    page = signed_in(f"/requests/{uuid}/", scheme=scheme)
    page.evaluate("window.here = true")
    expect(page.get_by_role("heading", name="With today’s policy")).to_be_visible()
    page.get_by_text("Its order, and why").click()
    expect(page.locator(".choices li").first).to_be_visible()
    ask(page, HOSTILE)
    expect(page.locator(".answer")).to_contain_text("No model here is called")
    assert page.locator(".answer img").count() == 0
    ask(page, page.locator("#why-not-models option").last.get_attribute("value") or "")
    expect(page.locator(".answer")).to_contain_text("It was not in the pool auto then")
    expect(page.locator(".answer")).to_contain_text("in line")
    assert page.evaluate("window.here")
    assert page.url.endswith(f"/requests/{uuid}/")
    found = Axe().run(page).response["violations"]
    assert [v["id"] for v in found] == []
    page.screenshot(path=pictures / f"why-{scheme}-1440.png", full_page=True)
    page.set_viewport_size({"width": 380, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=pictures / f"why-{scheme}-380.png", full_page=True)


def test_without_scripts_the_form_leads_to_a_page_with_the_answer(signed_in: Open, uuid: str):
    page = signed_in(f"/requests/{uuid}/", js=False)
    ask(page, FIRST)
    page.wait_for_url("**/why-not/?model=*")
    expect(page.locator(".answer")).to_contain_text(FIRST)
    expect(page.get_by_role("heading", name="Attempts")).to_be_visible()


def test_the_documentation_of_the_api_breaks_no_rule_of_the_policy(signed_in: Open):
    page = signed_in("/api/docs")
    expect(page.get_by_text("/api/v1/requests/{request_id}/why", exact=True)).to_be_visible(timeout=15_000)
