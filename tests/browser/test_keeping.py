"""What an operator keeps: providers, keys, clients, pools. By keyboard, by hand, in dialogs, and without scripts."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.installation import Installation

SECRET = "sk-or-v1-" + "0123456789abcdef" * 4


def without_real_keys(installation: Installation) -> None:
    """As after the first start: nothing real is known, the simulated providers answer."""
    installation.sql("DELETE FROM rotation_key WHERE source = 'admin'")
    installation.sql("DELETE FROM rotation_account WHERE NOT EXISTS (SELECT 1 FROM rotation_key k WHERE k.account_id = "
                     "rotation_account.id)")  # fmt: skip
    installation.sql("UPDATE rotation_provider SET enabled = true WHERE simulated")


def members(page: Page) -> list[str]:
    return page.locator(".drag-list strong").all_inner_texts()


def test_a_client_key_is_made_shown_once_and_revoked_by_keyboard_alone(signed_in: Open, installation: Installation):
    installation.sql("DELETE FROM rotation_clientkey WHERE label = 'by keyboard'")
    page = signed_in("/clients/", expected="422")
    page.get_by_role("link", name="Add a client key").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    name = dialog.get_by_label("Name")
    expect(name).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("This field is required.")).to_be_visible()
    expect(name).to_be_focused()  # where it is wrong
    page.keyboard.type("by keyboard")
    page.keyboard.press("Enter")
    shown = page.locator("#shown-once")
    expect(shown).to_have_text(re.compile(r"^rk_\w{8}_\w{43}$"))
    plain = shown.inner_text()
    page.get_by_role("link", name="Done").focus()
    page.keyboard.press("Enter")
    row = page.get_by_role("row", name="by keyboard")
    expect(row.get_by_text("in use")).to_be_visible()
    assert plain not in page.content()
    row.get_by_role("link", name="Revoke").focus()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Revoke").press("Enter")
    expect(page.get_by_text("refused within seconds")).to_be_visible()
    expect(page.get_by_role("row", name="by keyboard").get_by_text("revoked")).to_be_visible()


def test_escape_closes_a_dialog_and_nothing_of_it_is_left(signed_in: Open):
    page = signed_in("/clients/")
    page.get_by_role("link", name="Add a client key").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#dialog")).to_be_empty()


def test_a_filter_renews_the_table_keeps_the_address_and_back_goes_back(signed_in: Open, installation: Installation):
    installation.manage("client_key", "create", "filtered-one")
    page = signed_in("/clients/")
    page.evaluate("window.here = true")
    everybody = page.locator("tbody tr").count()
    page.get_by_placeholder("Name or key").fill("filtered-one")
    page.wait_for_url("**/clients/?q=filtered-one")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_placeholder("Name or key")).to_be_focused()
    assert page.evaluate("window.here")
    page.get_by_role("link", name=re.compile("Search: filtered-one")).click()
    expect(page.locator("tbody tr")).to_have_count(everybody)


def test_a_pool_is_put_in_order_by_keyboard_and_by_hand(signed_in: Open, installation: Installation):
    without_real_keys(installation)
    (pk,) = installation.sql("SELECT id FROM rotation_pool WHERE name = 'auto'")[0]
    page = signed_in(f"/pools/{pk}/")
    before = members(page)
    button = page.locator(".drag-list > li").nth(3).get_by_role("button", name=re.compile(" up$"))
    button.focus()
    page.keyboard.press("Enter")
    moved = [*before[:2], before[3], before[2], *before[4:]]
    expect(page.locator(".drag-list strong").nth(2)).to_have_text(before[3])
    assert members(page) == moved
    expect(page.locator(".drag-list > li").nth(2).get_by_role("button", name=re.compile(" up$"))).to_be_focused()
    grips = page.locator(".drag-list .grip")
    start, end = grips.nth(0).bounding_box(), grips.nth(3).bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 4, start["y"] + 6)
    page.mouse.down()
    page.mouse.move(end["x"] + 4, end["y"] + 4, steps=8)
    page.mouse.move(end["x"] + 4, end["y"] + 14, steps=3)
    page.mouse.up()
    expect(page.get_by_text("version 3")).to_be_visible()
    assert members(page)[3] == moved[0]
    assert sorted(members(page)) == sorted(before)


def test_a_menu_closes_by_escape_and_gives_the_focus_back(signed_in: Open, installation: Installation):
    without_real_keys(installation)
    page = signed_in("/providers/")
    summary = page.locator("main details.menu > summary").first
    summary.press("Enter")
    expect(page.locator("main details.menu").first.get_by_text("Replace")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.locator("main details.menu").first.get_by_text("Replace")).to_be_hidden()
    expect(summary).to_be_focused()


def test_without_scripts_a_provider_a_key_a_model_and_a_place_are_kept(signed_in: Open, installation: Installation):
    without_real_keys(installation)
    page = signed_in("/providers/", js=False)
    page.get_by_role("link", name="Add a provider").click()
    page.get_by_label("Name", exact=True).fill("Scriptless")
    page.get_by_label("Base URL").fill("http://127.0.0.1:9/v1")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("Nobody accepts the connection")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Scriptless")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Scriptless")).to_be_visible()
    page.get_by_role("link", name="Add key", exact=True).click()
    page.get_by_label("Key", exact=True).fill(SECRET)
    page.get_by_role("button", name="Store").click()
    expect(page.get_by_text("The key is stored.")).to_be_visible()
    assert SECRET not in page.content()
    page.get_by_role("link", name="Add a model").click()
    page.get_by_label("Model id").fill("qwen3:8b")
    page.get_by_label("auto", exact=True).check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("row", name=re.compile("qwen3:8b.*auto"))).to_be_visible()
    page.locator("main details.menu > summary", has_text="More for …").first.click()
    page.get_by_role("button", name="Switch off").first.click()
    expect(page.get_by_text("no call uses it")).to_be_visible()
    page.locator("summary", has_text=re.compile("^More$")).click()
    page.get_by_role("link", name="Remove", exact=True).first.click()
    expect(page.get_by_text("1 place in pools")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Scriptless is removed.")).to_be_visible()
    expect(page.get_by_text("simulated", exact=True).first).to_be_visible()  # without a real key they answer again


def test_a_phone_folds_the_pages_away_and_unfolds_them_without_scripts(signed_in: Open):
    page = signed_in("/pools/", width=380, js=False)
    expect(page.get_by_role("link", name="Clients", exact=True)).to_be_hidden()
    page.locator("summary", has_text="Pools").click()
    page.get_by_role("link", name="Clients", exact=True).click()
    expect(page.get_by_role("heading", name="Clients")).to_be_visible()
