"""The admin's scripts under the content policy, in a real browser: what a page test cannot see."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from rotation.models import ClientKey, Pool
from tests.models import rows

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium: apt-get install chromium"),
]


def wrong(message: Any) -> bool:
    return message.type == "error" and "favicon" not in message.location["url"]


@pytest.fixture
def page(browser: Any, live_server: Any, settings: Any, monkeypatch: Any) -> Iterator[Page]:
    """A tab of somebody who is logged in; it fails the test when anything was refused or went wrong in it."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright's loop runs in this thread
    said: list[str] = []
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = chromium.new_context(base_url=live_server.url)
        cookie = browser.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        tab = context.new_page()
        tab.on("console", lambda message: said.append(message.text) if wrong(message) else None)
        tab.on("pageerror", lambda error: said.append(str(error)))
        yield tab
        chromium.close()
    assert said == []


def test_a_place_is_added_by_typing_the_models_name(page):
    rows.deployment(model_id="meta-llama/llama-3.3-8b-instruct:free")
    pool = rows.pool()
    page.goto(f"/admin/rotation/pool/{pool.pk}/change/")
    page.click(".select2-selection")
    page.fill(".select2-search__field", "3.3-8b")
    page.click(".select2-results__option--highlighted")
    page.click("[name=_save]")
    page.wait_for_selector(".success")
    assert Pool.objects.get().placements.count() == 1


def test_a_client_key_is_made_with_a_date_from_the_calendar(page):
    page.goto("/admin/rotation/clientkey/add/")
    page.fill("#id_label", "laptop")
    page.click(".datetimeshortcuts a:has-text('Today') >> nth=0")
    page.fill("#id_expires_at_0", "2099-12-31")
    page.click(".datetimeshortcuts a:has-text('Now')")
    page.click("[name=_save]")
    assert page.input_value("#new-key").startswith("rk_")
    assert ClientKey.objects.get().label == "laptop"


def test_every_kind_of_form_loads_its_scripts(page):
    key = rows.key()
    for path in (
        "rotation/provider/add",
        f"rotation/key/{key.pk}/change",
        "rotation/key",
        "rotation/deployment",
        "auth/user/add",
        "django_celery_beat/periodictask/add",
        "django_celery_beat/periodictask",
    ):
        page.goto(f"/admin/{path}/", wait_until="load")
