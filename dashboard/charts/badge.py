"""A badge for a README or a wiki: what it is about, and how it stands."""

from __future__ import annotations

from django.utils.safestring import SafeString

from dashboard.charts.svg import element

HEIGHT = 20
LETTER = 6.6  # px a letter takes on the average, in the font a reader most likely has
FILL = {"up": "#147a4c", "degraded": "#8f5b00", "down": "#c02a3b"}  # white text on each reaches 4.5 : 1
SUBJECT = "#454c56"
LONGEST = 60


def badge(subject: str, state: str) -> SafeString:
    """An SVG document that needs no stylesheet: it is shown where ours is not."""
    subject = subject[:LONGEST]
    left, right = (round(len(text) * LETTER) + 12 for text in (subject, state))
    text: dict[str, str | float] = {
        "y": 14,
        "fill": "#fff",
        "text_anchor": "middle",
        "font_size": 11,
        "font_family": "Verdana,sans-serif",
    }
    return element(
        "svg",
        element("title", f"{subject}: {state}"),
        element("rect", width=left + right, height=HEIGHT, rx=4, fill=SUBJECT),
        element("path", d=f"M{left} 0h{right - 4}a4 4 0 0 1 4 4v12a4 4 0 0 1 -4 4h-{right - 4}z", fill=FILL[state]),
        element("text", subject, x=left / 2, **text),
        element("text", state, x=left + right / 2, **text),
        xmlns="http://www.w3.org/2000/svg",
        width=left + right,
        height=HEIGHT,
        role="img",
        aria_label=f"{subject}: {state}",
    )
