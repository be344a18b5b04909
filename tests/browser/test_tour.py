"""The whole tour of somebody who has read nothing: from the set-up link to signing out, before a living installation.

Once with the mouse, everything; once with the keyboard alone, what matters most.
"""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.browser.hands import Keyboard, Mouse, where
from tests.browser.installation import PASSWORD, USERNAME
from tests.browser.living import Living
from tests.embedded.waiting import until

SOON = 20_000  # ms; a ceiling for what takes a second or two on a quiet machine
MODEL, OTHER_MODEL = "qwen3:4b", "llama-3.1-8b-instant"
#: Steps from the set-up link to the first answer: with simulated providers, and with a server of one's own.
LOOKING_AROUND, OF_ONES_OWN = 6, 17
SDK = """
import sys
from openai import APIStatusError, OpenAI

client = OpenAI(base_url=sys.argv[1] + "/v1", api_key=sys.argv[2], max_retries=0)
try:
    said = client.chat.completions.with_raw_response.create(
        model="auto", messages=[{"role": "user", "content": "Say hello"}]
    )
    print(said.headers["x-request-id"], said.headers["x-rotation-provider"], said.headers["x-rotation-attempts"])
    print(said.parse().choices[0].message.content)
except APIStatusError as refused:
    print(refused.status_code, refused.message)
"""


@pytest.fixture(autouse=True)
def _no_faults(living: Living) -> None:
    living.provider.faults()


def test_the_whole_tour_with_the_mouse(visit: Open, living: Living):
    hands = Mouse(visit(living.setup_path(), expected="422"))
    make_the_account(hands)
    look_around(hands)
    assert hands.steps <= LOOKING_AROUND
    before = hands.steps
    add_a_server(hands, living, "Own box")
    add_a_model(hands, MODEL)
    ask_in_the_playground(hands, "own-box")
    assert hands.steps - before + 4 <= OF_ONES_OWN  # and four for the account
    key = make_a_client_key(hands, "Tour by mouse")
    assert call_with_the_sdk(living, key)[1:] == ["own-box", "1"]
    add_a_second_server(hands, living)
    request_id = rotate(living, key)
    read_why(hands, living, request_id)
    end_the_cooldown(hands, living, key)
    disable_the_key(hands, living, key)
    revoke_the_client(hands, living, key, "Tour by mouse")
    apply_and_undo(hands, living)
    hands.press(hands.page.get_by_role("button", name="Sign out"))
    expect(hands.page.get_by_role("heading", name="Sign in")).to_be_visible()
    hands.page.goto("/requests/")
    assert where(hands.page) == "/login/"


def test_the_way_to_the_first_answer_without_the_mouse(visit: Open, living: Living):
    hands = Keyboard(visit(living.setup_path()))
    make_the_account(hands)
    look_around(hands)
    key = make_a_client_key(hands, "Tour by keyboard")
    assert living.answered_by(key)[1] == "1"
    dialogs_keep_the_focus_and_give_it_back(hands)
    move_down_and_undo(hands)
    revoke_the_client(hands, living, key, "Tour by keyboard")
    hands.press(hands.page.get_by_role("button", name="Sign out"))
    expect(hands.page.get_by_role("heading", name="Sign in")).to_be_visible()


def link(page: Page, name: str) -> Locator:
    """Of the links that every page has."""
    return page.get_by_role("navigation", name="Pages", exact=True).get_by_role("link", name=name, exact=True)


def make_the_account(hands: Mouse) -> None:
    page = hands.page
    hands.fill(page.get_by_label("Username"), USERNAME)
    hands.fill(page.get_by_label("Password", exact=True), PASSWORD)
    hands.fill(page.get_by_label("Password again"), PASSWORD)
    hands.press(page.get_by_role("button", name="Create the account"))
    expect(page.get_by_role("heading", name="Start")).to_be_visible()


def look_around(hands: Mouse) -> None:
    """From the guided start to the first answer, of whoever answers."""
    page = hands.page
    hands.press(page.get_by_role("link", name=re.compile("Look around with simulated|Send the first call")))
    expect(page.get_by_label("Message")).to_have_value("Say hello")
    hands.press(page.get_by_role("button", name="Ask", exact=True))
    answered(page)


def answered(page: Page) -> None:
    """An answer came, and beside it why."""
    expect(page.locator("[data-part=text]")).to_have_text(re.compile(r"\w+"), timeout=SOON)
    expect(page.locator("[data-part=facts]")).to_contain_text("attempt")
    expect(page.get_by_role("heading", name="Why this model")).to_be_visible(timeout=SOON)


def add_a_server(hands: Mouse, living: Living, name: str) -> None:
    """With a wrong address, then a wrong key, then both right; each is named before anything is saved."""
    page = hands.page
    page.goto("/start/")
    hands.press(page.get_by_role("link", name="A server of your own"))
    hands.fill(page.get_by_label("Name", exact=True), name)
    hands.fill(page.get_by_label("Key", exact=True), "sk-own-box-0123456789abcdef-0001")
    page.get_by_label("Base URL").fill(living.preferred.replace("/v1", "/nothing"))
    assert "nothing at this path" in connection(page)
    page.get_by_label("Base URL").fill("http://127.0.0.1:9/v1")
    assert "Nobody accepts the connection" in connection(page)
    hands.fill(page.get_by_label("Base URL"), living.preferred)
    living.provider.faults({"kind": "generic", "fault": "key_revoked", "operation": "models"})
    assert "refuses the key" in connection(page)
    living.provider.faults()
    hands.steps += 1
    said = connection(page)
    assert "It answers." in said
    assert MODEL in said
    hands.press(page.get_by_role("button", name="Save"))
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert "sk-own-box-0123456789abcdef-0001" not in page.content()


def connection(page: Page) -> str:
    """What Test connection says."""
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_role("button", name="Test connection")).to_be_enabled()
    return page.locator("#tested").text_content() or ""


def add_a_model(hands: Mouse, model: str) -> None:
    page = hands.page
    hands.press(page.get_by_role("link", name="Add a model").first)
    hands.fill(page.get_by_label("Model id"), model)
    hands.tick(page.get_by_label("auto", exact=True))
    hands.press(page.get_by_role("button", name="Add", exact=True))
    expect(page.get_by_role("row", name=re.compile(re.escape(model)))).to_contain_text("auto")


def ask_in_the_playground(hands: Mouse, provider: str) -> None:
    page = hands.page
    hands.press(link(page, "Playground"))
    hands.fill(page.get_by_label("Message"), "Say hello")
    hands.press(page.get_by_role("button", name="Ask", exact=True))
    answered(page)
    expect(page.locator("[data-part=facts]")).to_contain_text(f"{MODEL} at {provider}")
    expect(page.locator("[data-part=facts]")).to_contain_text("first token")


def make_a_client_key(hands: Mouse, name: str) -> str:
    """It is shown this once."""
    page = hands.page
    hands.press(link(page, "Clients"))
    hands.press(page.get_by_role("link", name="Add a client key"))
    dialog = page.get_by_role("dialog")
    hands.fill(dialog.get_by_label("Name", exact=True), name)
    hands.press(dialog.get_by_role("button", name="Make the key"))
    key = dialog.locator("#shown-once").inner_text()
    assert key.startswith("rk_")
    hands.press(dialog.get_by_role("link", name="Done"))
    expect(page.get_by_role("row", name=re.compile(name))).to_be_visible()
    assert key not in page.content()
    return key


def call_with_the_sdk(living: Living, key: str) -> list[str]:
    """OpenAI's own, in a process of its own: (request id, provider, attempts), or a refusal in its words."""
    command = [sys.executable, "-c", SDK, living.url, key]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    first = done.stdout.splitlines()[0].split()
    return first if len(first[0]) > len("401") else [done.stdout.strip()]


def add_a_second_server(hands: Mouse, living: Living) -> None:
    page = hands.page
    page.goto("/providers/add/")
    hands.fill(page.get_by_label("Name", exact=True), "Other box")
    hands.fill(page.get_by_label("Base URL"), living.other)
    hands.fill(page.get_by_label("Key", exact=True), "sk-other-box-0123456789abcdef-0002")
    hands.press(page.get_by_role("button", name="Save"))
    expect(page.get_by_role("heading", name="Other box")).to_be_visible()
    hands.press(page.get_by_role("button", name="Validate"))
    expect(page.get_by_role("status")).to_contain_text("takes this key")
    add_a_model(hands, OTHER_MODEL)


def rotate(living: Living, key: str) -> str:
    """The first server refuses once; the same call is answered by the second."""
    living.provider.faults({"kind": "generic", "fault": "rate_limit", "hint": "retry_after", "seconds": 600})
    request_id, provider, attempts = call_with_the_sdk(living, key)
    assert (provider, attempts) == ("other-box", "2")
    living.provider.faults()
    assert living.written(request_id)["outcome"] == "answered"
    return request_id


def read_why(hands: Mouse, living: Living, request_id: str) -> None:
    page = hands.page
    hands.press(link(page, "Requests"))
    hands.press(page.locator(f'a[href="/requests/{request_id}/"]').first)
    tries = page.get_by_role("region", name="Attempts")
    expect(tries.get_by_role("row", name=re.compile(MODEL))).to_contain_text("429")
    why = page.get_by_role("region", name="Why this model, and why not the others")
    expect(why.get_by_role("row", name=re.compile(OTHER_MODEL))).to_contain_text("answered")
    expect(why.get_by_role("row", name=re.compile(MODEL))).to_contain_text("rate-limited")
    hands.fill(page.get_by_role("combobox", name="Why not"), f"own-box/{MODEL}")
    hands.press(page.get_by_role("button", name="Ask", exact=True))
    expect(page.locator(".answer")).to_contain_text(f"own-box/{MODEL}")


def end_the_cooldown(hands: Mouse, living: Living, key: str) -> None:
    """What is left alone stands on the provider's page; a person may end it."""
    page = hands.page
    hands.press(link(page, "Providers & keys"))
    hands.press(page.get_by_role("link", name="Own box").first)
    left_alone = page.get_by_role("region", name="Left alone now")
    expect(left_alone).to_contain_text("cooling")
    hands.press(left_alone.get_by_role("button", name="End now"))
    expect(left_alone).to_contain_text("everything of it may be asked")
    until(lambda: living.answered_by(key) == ("own-box", "1"), "a call to the first server")


def disable_the_key(hands: Mouse, living: Living, key: str) -> None:
    """Nothing is sent with it any more."""
    page = hands.page
    hands.press(page.locator("details.menu summary").filter(has_text="More for"))
    hands.press(page.get_by_role("button", name="Switch off", exact=True).last)
    expect(page.get_by_text("switched off: no call uses it")).to_be_visible()
    until(lambda: living.answered_by(key) == ("other-box", "1"), "a call that passes the first server by")


def revoke_the_client(hands: Mouse, living: Living, key: str, name: str) -> None:
    page = hands.page
    hands.press(link(page, "Clients"))
    hands.press(page.get_by_role("link", name=name, exact=True))
    hands.press(page.get_by_role("link", name="Revoke"))
    hands.press(page.get_by_role("dialog").get_by_role("button", name="Revoke"))
    expect(page.get_by_text("revoked").first).to_be_visible()
    until(lambda: living.answered_by(key) == ("", ""), "a refusal")
    assert call_with_the_sdk(living, key)[0].startswith("401")


def apply_and_undo(hands: Mouse, living: Living) -> None:
    """One moves up by hand; a proposal would move it down again: it is applied, and taken back."""
    page = hands.page
    hands.press(link(page, "Rotation"))
    page.wait_for_url("**/rotation/")
    order = page.locator("ol.drag-list strong")
    up = page.locator("li[data-deployment]").filter(has_text=OTHER_MODEL).get_by_role("button", name="up")
    hands.press(up)
    expect(order.nth(-2)).to_have_text(OTHER_MODEL)
    first = order.all_inner_texts()
    living.sql(PROPOSED, [MODEL, OTHER_MODEL])
    page.reload()
    hands.press(page.get_by_role("button", name="Apply"))
    expect(page.get_by_text("The order is applied")).to_be_visible()
    expect(order).to_have_text([*first[:-2], first[-1], first[-2]])
    hands.press(page.get_by_role("button", name="Undo").first)
    expect(page.get_by_text("The order is as it was before")).to_be_visible()
    expect(order).to_have_text(first)


# the two of one's own change places
PROPOSED = """
    WITH placed AS (
        SELECT a.pool_id, a.deployment_id AS id, p.name || '/' || d.model_id AS name, a.position, a.why,
               sum(a.position) OVER () - a.position AS to_position
        FROM rotation_placement a JOIN rotation_pool o ON o.id = a.pool_id AND o.name = 'auto'
        JOIN rotation_deployment d ON d.id = a.deployment_id JOIN rotation_provider p ON p.id = d.provider_id
        WHERE d.model_id = ANY(%s) AND p.name IN ('own-box', 'other-box'))
    INSERT INTO rotation_reordering (pool_id, at, before, after, evidence, reason, state, confidence, decided_by,
                                     watched, applied_by, undone_by)
    SELECT pool_id, now(),
           jsonb_agg(jsonb_build_object('deployment', id, 'name', name, 'position', position, 'why', why)
                     ORDER BY position),
           jsonb_agg(jsonb_build_object('deployment', id, 'name', name, 'position', to_position, 'why',
                                        '2026-11-20 12:00 UTC: 0.31 s; overtakes the other (0.47 s)')
                     ORDER BY to_position),
           '{}', 'quicker', 'proposed', 0.97, '', '{}', '', ''
    FROM placed GROUP BY pool_id"""


def move_down_and_undo(hands: Keyboard) -> None:
    """What was moved keeps the focus, so that it may be moved on."""
    page = hands.page
    hands.press(link(page, "Rotation"))
    page.wait_for_url("**/rotation/")
    order = page.locator("ol.drag-list strong")
    before = order.all_inner_texts()
    down = page.get_by_role("button", name=re.compile("^Move .* down$")).first
    hands.press(down)
    expect(order.nth(1)).to_have_text(before[0])
    expect(page.locator("li[data-deployment]").nth(1).get_by_role("button", name=re.compile("down$"))).to_be_focused()
    hands.press(page.get_by_role("button", name="Undo").first)
    expect(page.get_by_text("The order is as it was before")).to_be_visible()
    expect(order).to_have_text(before)


def dialogs_keep_the_focus_and_give_it_back(hands: Keyboard) -> None:
    page = hands.page
    opener: Locator = page.get_by_role("link", name="Add a client key")
    hands.press(opener)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    for _ in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
