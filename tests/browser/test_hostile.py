"""Whatever providers, clients and people write is shown as text: nothing of it runs, no page falls apart over it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, sign_in
from tests.browser.installation import USERNAME
from tests.browser.living import Living
from tests.browser.pages import every

ATTACK = "<img src=x onerror=hurt=1><script>hurt=1</script>"
RTL = "\u202egnp.exe"
SAID = f"{ATTACK} {RTL} \u0000 \ud800 {{{{ 7|add:7 }}}} " + "x" * 10_000
MODEL = "llama-3.3-70b-versatile"
SOON = 20_000  # ms; a ceiling for what takes a second on a quiet machine
HIGH = 9_000  # pixels of a page at a phone's width: what is endless is cut


@pytest.fixture(scope="module")
def known(living: Living) -> Iterator[dict[str, str]]:
    living.person(USERNAME)
    yield living.furnish("hostile")
    living.furnish("remove")
    living.provider.faults()


@pytest.fixture
def page(visit: Open) -> Page:
    found = visit("/login/", width=380)
    sign_in(found)
    return found


def test_no_page_runs_what_is_written_in_the_database_or_falls_apart(page: Page, living: Living, known: dict[str, str]):
    living.sql("INSERT INTO rotation_switch (name, value) VALUES ('status_page', 'true') ON CONFLICT DO NOTHING")
    wrong: list[str] = []
    for name, path in every(known):
        answer = page.goto(path)
        if answer is None or answer.status != 200:
            wrong.append(f"{name}: {answer and answer.status}")
        if page.evaluate("'hurt' in window"):
            wrong.append(f"{name}: it ran")
        across, high = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        if across > 380 or high > HIGH:
            wrong.append(f"{name}: {across} x {high}")
    assert wrong == []
    expect(page.goto(known["client"]) and page.locator("h1")).to_contain_text("<script>hurt=1</script>")


@pytest.fixture
def box(page: Page, living: Living) -> Iterator[str]:
    """A provider and a model of one's own, which say what the test wants."""
    page.goto("/providers/add/")
    page.get_by_label("Name", exact=True).fill("Rude box")
    page.get_by_label("Base URL").fill(living.other)
    page.get_by_label("Key", exact=True).fill("sk-rude-box-0123456789abcdef")
    page.get_by_role("button", name="Save").click()
    path = re.sub("^.*(?=/providers/)", "", page.url)
    page.goto(f"{path}models/add/")
    page.get_by_label("Model id").fill(MODEL)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("row", name=re.compile(MODEL))).to_be_visible()
    yield f"rude-box/{MODEL}"
    living.provider.faults()
    page.goto(f"{path}remove/")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Rude box is removed.")).to_be_visible()


def test_what_a_provider_says_is_text_wherever_it_is_shown(page: Page, living: Living, box: str):
    """Through the gateway, with what no database can hold: NUL and half a character."""
    page.goto("/playground/")
    page.get_by_label("Ask", exact=True).fill(box)
    asked(page, f"Say exactly: “{ATTACK}{RTL}{'x' * 100}”")
    expect(page.locator("[data-part=text]")).to_contain_text(ATTACK, timeout=SOON)
    living.provider.faults({"kind": "groq", "fault": "server_error", "status": 500, "message": SAID})
    asked(page, "Say hello")
    expect(page.locator("[data-part=error]")).not_to_be_empty(timeout=SOON)
    page.get_by_role("link", name=re.compile("whole request|Look for it")).click(timeout=SOON)
    expect(page.get_by_role("region", name="Attempts")).to_contain_text("<img src=x")
    unharmed(page)
    page.goto("/requests/?q=rude")
    unharmed(page)


def asked(page: Page, message: str) -> None:
    page.get_by_label("Message").fill(message)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("[data-part=facts]").last).to_contain_text(" s")
    unharmed(page)


def unharmed(page: Page) -> None:
    assert not page.evaluate("'hurt' in window")
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
