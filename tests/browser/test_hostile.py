"""Whatever providers, clients and people write is shown as text: nothing of it runs, no page falls apart over it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, sign_in
from tests.browser.installation import USERNAME
from tests.browser.living import Living
from tests.browser.pages import every

ATTACK = "<img src=x onerror=hurt=1><script>hurt=1</script>"
RTL = "\u202egnp.exe"
SAID = f"{ATTACK} {RTL} \u0000 \ud800 {{{{ 7|add:7 }}}} " + "x" * 10_000
MODEL = "rude-1"
SOON = 20_000  # ms; a ceiling for what takes a second on a quiet machine
HIGH = 9_000  # pixels of a page at a phone's width: what is endless is cut


@pytest.fixture(scope="module")
def known(living: Living) -> Iterator[dict[str, str]]:
    living.person(USERNAME)
    yield living.furnish("hostile")
    living.furnish("remove")


@pytest.fixture
def page(visit: Open) -> Page:
    found = visit("/login/", width=380, expected="50[0-9]")
    sign_in(found)
    return found


def test_no_page_runs_what_is_written_in_the_database_or_falls_apart(page: Page, living: Living, known: dict[str, str]):
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
    page.goto(known["client"])
    expect(page.locator("h1")).to_contain_text("<script>hurt=1</script>")


class Rude(BaseHTTPRequestHandler):
    """An OpenAI-compatible server that says `SAID`: as its answer, or as its error."""

    def do_GET(self) -> None:
        self.say(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["content-length"]))
        if b"be rude" in asked:
            self.say(500, {"error": {"message": SAID, "type": SAID, "code": SAID}})
        else:
            event = {"id": "1", "object": "chat.completion.chunk", "model": MODEL, "choices": [
                {"index": 0, "delta": {"role": "assistant", "content": SAID}, "finish_reason": "stop"}]}  # fmt: skip
            self.send(200, "text/event-stream", f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n")

    def say(self, status: int, body: object) -> None:
        self.send(status, "application/json", json.dumps(body))

    def send(self, status: int, kind: str, text: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Nothing to stderr."""


@pytest.fixture
def rude() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Rude)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def box(page: Page, rude: str) -> Iterator[str]:
    """That server as a provider of one's own."""
    page.goto("/providers/add/")
    page.get_by_label("Name", exact=True).fill("Rude box")
    page.get_by_label("Base URL").fill(rude)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Rude box")).to_be_visible()
    path = re.sub("^.*(?=/providers/)", "", page.url)
    page.goto(f"{path}models/add/")
    page.get_by_label("Model id").fill(MODEL)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("row", name=re.compile(MODEL))).to_be_visible()
    yield f"rude-box/{MODEL}"
    page.goto(f"{path}remove/")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Rude box is removed.")).to_be_visible()


def test_what_a_provider_says_is_text_wherever_it_is_shown(page: Page, box: str):
    """Through the gateway, with what no database can hold: NUL and half a character."""
    page.goto("/playground/")
    page.get_by_label("Ask", exact=True).fill(box)
    asked(page, "Say hello")
    expect(page.locator("[data-part=text]")).to_contain_text(ATTACK, timeout=SOON)
    unharmed(page)
    asked(page, "Now be rude")
    expect(page.locator("[data-part=error]")).to_contain_text("No target could answer", timeout=SOON)
    page.get_by_role("link", name=re.compile("whole request|Look for it")).click(timeout=SOON)
    expect(page.get_by_role("region", name="Attempts")).to_contain_text("<img src=x")
    unharmed(page)
    for path in ("/requests/", "/", "/providers/", "/models/"):
        page.goto(path)
        unharmed(page)


def asked(page: Page, message: str) -> None:
    page.get_by_label("Message").fill(message)
    page.get_by_role("button", name="Ask", exact=True).click()


def unharmed(page: Page) -> None:
    assert not page.evaluate("'hurt' in window")
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
