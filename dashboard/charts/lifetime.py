"""A survival curve: the share still alive by age, as steps, with its interval as a band."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.safestring import SafeString

from dashboard.charts.svg import element, number, pct
from rotation.core.survival import Curve

HEIGHT, TOP, LABELS = 190, 10, 18  # px
WIDTH = 1000  # of the drawing's own units; lines are stretched to their place, texts are not in them
TICKS = (7, 14, 30, 60, 90, 180, 365, 730)  # days


def lifetime(curve: Curve, *, summary: str) -> SafeString:
    """From birth to the greatest age watched, in days."""
    end = max(curve.until, 1.0)
    room = HEIGHT - TOP - LABELS

    def y(share: float) -> float:
        return TOP + room * (1 - share)

    grid = [element("line", class_="grid", x2="100%", y1=y(share), y2=y(share)) for share in (0.0, 0.5, 1.0)]
    grid += [element("text", f"{share:.0%}", x="100%", y=y(share) + 12, text_anchor="end") for share in (0.5, 1.0)]
    marks = [element("text", text, x=pct(x), y=HEIGHT - 4, text_anchor="middle") for x, text in ticks(end)]
    return element(
        "svg",
        element("title", summary),
        *grid,
        element("svg", *_drawn(curve, end), viewBox=f"0 0 {WIDTH} 100", preserveAspectRatio="none",
                width="100%", y=TOP, height=room),
        *marks,
        class_="lifetime",
        height=HEIGHT,
        role="img",
    )  # fmt: skip


def ticks(end: float) -> list[tuple[float, str]]:
    """(percent, words) of round ages that keep clear of each other and of the end."""
    found: list[tuple[float, str]] = []
    for days in TICKS:
        x = 100 * days / end
        if x < 96 and (x - found[-1][0] >= 9 if found else x >= 7):
            found.append((x, f"{days} d"))
    return found


def _drawn(curve: Curve, end: float) -> list[SafeString]:
    ages = [0.0, *(step.age for step in curve.steps), end]
    high = _steps(ages, [1.0, *(step.high for step in curve.steps)], end)
    low = _steps(ages, [1.0, *(step.low for step in curve.steps)], end)
    line = _steps(ages, [1.0, *(step.survival for step in curve.steps)], end)
    band = " ".join([*high, *reversed(low)])
    return [
        element("polygon", class_="interval", points=band),
        element("polyline", class_="alive", points=" ".join(line), vector_effect="non-scaling-stroke"),
    ]


def _steps(ages: Sequence[float], shares: Sequence[float], end: float) -> list[str]:
    """Corner points: each share holds from its age to the next."""
    return [
        f"{number(WIDTH * age / end)},{number(100 * (1 - share))}"
        for n, share in enumerate(shares)
        for age in (ages[n], ages[n + 1])
    ]
