"""Debian's Chromium, driven by Playwright, before an installation of its own.

Every test watches: an error in the console, a broken content security policy or a request to anybody else fails it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from tests.browser.installation import PASSWORD, USERNAME, Installation, installed
from tests.browser.living import Living
from tests.browser.living import living as alive

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
PICTURES = Path(__file__).parent / "screenshots"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = pytest.mark.skip(reason=f"{CHROMIUM} is missing: apt-get install chromium, or set CHROMIUM")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                item.add_marker(missing)


@pytest.fixture(scope="package")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with installed(tmp_path_factory.mktemp("browser"), f"browser_{worker}") as made:
        yield made


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # containers have neither the namespaces for the sandbox nor room in /dev/shm
        # nor a graphics card, and drawing with a simulated one costs twice as much as drawing without
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield chromium
        chromium.close()


Open = Callable[..., Page]


@contextmanager
def opening(browser: Browser, origin: str) -> Iterator[Open]:
    """`open_page("/path", width=380, scheme="dark", js=False)`: a page in a fresh browser that complains of nothing.

    `expected` is a pattern of complaints that belong to the test: the console takes a 422 for an error.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def start(
        path: str = "/", *, width: int = 1440, scheme: str = "light", js: bool = True, expected: str = ""
    ) -> Page:
        size = ViewportSize(width=width, height=1180 if width > 600 else 900)
        context = browser.new_context(
            base_url=origin,
            viewport=size,
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=js,
            timezone_id="Europe/London",
        )
        contexts.append(context)
        page = context.new_page()
        watch(
            page,
            origin,
            lambda text: None if expected and re.search(expected, text) else complaints.append(text),
        )
        page.goto(path)
        return page

    yield start
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def open_page(browser: Browser, installation: Installation) -> Iterator[Open]:
    with opening(browser, installation.url) as start:
        yield start


@pytest.fixture(scope="package")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with alive(tmp_path_factory.mktemp("living"), f"living_{worker}") as made:
        yield made


@pytest.fixture
def visit(browser: Browser, living: Living) -> Iterator[Open]:
    """`open_page` for the installation that is alive."""
    with opening(browser, living.url) as start:
        yield start


def watch(page: Page, origin: str, complain: Callable[[str], None]) -> None:
    page.on("pageerror", lambda error: complain(f"script: {error}"))
    page.on("request", lambda request: None if ours(request.url, origin) else complain(f"asked {request.url}"))
    page.on(
        "console",
        lambda said: complain(f"{said.type}: {said.text}") if said.type in {"error", "warning"} else None,
    )


def ours(url: str, origin: str) -> bool:
    return url.startswith((f"{origin}/", "data:", "blob:", "about:"))


@pytest.fixture
def signed_in(open_page: Open, installation: Installation) -> Open:
    """The same for Alice, who has signed in."""
    installation.person(USERNAME)

    def start(path: str = "/", **how: object) -> Page:
        page = open_page("/login/", **how)
        sign_in(page)
        page.goto(path)
        return page

    return start


def sign_in(page: Page) -> None:
    page.get_by_label("Username").fill(USERNAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/(\?.*)?$"))


@pytest.fixture(scope="package")
def pictures() -> Path:
    """Where pictures go; ROTATION_PICTURES=docs also renews the one the README shows."""
    PICTURES.mkdir(exist_ok=True)
    return PICTURES
