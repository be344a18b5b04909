"""One function that writes an SVG or HTML element, escaping everything it is given.

The only place of the pages that marks text as safe.
"""

from __future__ import annotations

from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe


def number(value: float) -> str:
    """At most two decimals, no trailing zeros: `12.5`, `3`."""
    text = f"{value:z.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def pct(value: float) -> str:
    """A percentage as an attribute value: `12.5%`."""
    return number(value) + "%"


def element(name: str, /, *inside: str, **attributes: str | float | None) -> SafeString:
    """`<name attributes>inside</name>`.

    A trailing underscore is dropped and others become dashes (`class_`, `aria_label`); None leaves the attribute out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if not inside:
        return mark_safe(f"<{name}{written}></{name}>")  # noqa: S308 - every part was escaped above
    content = "".join(conditional_escape(part) for part in inside)
    return mark_safe(f"<{name}{written}>{content}</{name}>")  # noqa: S308 - every part was escaped above


def joined(parts: list[SafeString]) -> SafeString:
    return mark_safe("".join(parts))  # noqa: S308 - SafeStrings joined by nothing
