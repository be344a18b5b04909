"""The hands of somebody who uses the pages: with a mouse, or with a keyboard alone. Both count what they do.

What they do is what a person would call a step: a click, a field filled in, a tick set.
"""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

FAR = 400  # presses of Tab after which something counts as out of reach


class Mouse:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.steps = 0

    def press(self, what: Locator) -> None:
        """A button, a link, a menu."""
        self.steps += 1
        what.click()

    def fill(self, what: Locator, text: str) -> None:
        self.steps += 1
        what.fill(text)

    def tick(self, what: Locator) -> None:
        self.steps += 1
        what.check()


class Keyboard(Mouse):
    """Tab, Shift+Tab, Enter, Space and letters. Every stop on the way must show that it has the focus."""

    def press(self, what: Locator) -> None:
        self.steps += 1
        self.reach(what)
        self.page.keyboard.press("Enter")

    def fill(self, what: Locator, text: str) -> None:
        self.steps += 1
        self.reach(what)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def tick(self, what: Locator) -> None:
        self.steps += 1
        self.reach(what)
        self.page.keyboard.press("Space")
        expect(what).to_be_checked()

    def reach(self, what: Locator) -> None:
        """Tab until it has the focus."""
        what.wait_for()
        for _ in range(FAR):
            if what.evaluate("one => document.activeElement === one"):
                return
            self.page.keyboard.press("Tab")
            assert self.page.evaluate(VISIBLE), self.page.evaluate("document.activeElement.outerHTML.slice(0, 300)")
        raise AssertionError(f"Tab does not lead to {what}")

    def stops(self) -> list[str]:
        """Every stop of Tab from the top of the page to its end, by what a person would call it."""
        self.page.evaluate("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
        found: list[str] = []
        for _ in range(FAR):
            self.page.keyboard.press("Tab")
            name = str(self.page.evaluate(NAMED))
            if not name or (found and name == found[0]):
                return found
            found.append(name)
        raise AssertionError(f"Tab never comes to an end: {found[-20:]}")


def where(page: Page) -> str:
    """The path of its address."""
    found = re.match(r"https?://[^/]+(/[^?#]*)", page.url)
    return found[1] if found else ""


# an outline or a ring of shadow, and a size; the page itself has none, and the button in a date field the browser draws
VISIBLE = """() => {
    const one = document.activeElement;
    if (!one || one === document.body || !one.matches(":focus")) return true;
    const style = getComputedStyle(one), box = one.getBoundingClientRect();
    const ring = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
    return ring && box.width > 0 && box.height > 0;
}"""
NAMED = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return "";
    const path = [];
    for (let at = one; at !== document.body && at; at = at.parentElement)
        path.unshift([...at.parentElement.children].indexOf(at));
    const label = one.getAttribute("aria-label") || one.labels?.[0]?.textContent || one.textContent || one.name || "";
    return `${one.tagName.toLowerCase()} ${label.trim().replace(/\\s+/g, " ").slice(0, 60)} @${path.join(".")}`;
}"""
