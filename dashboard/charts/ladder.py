"""The latency ladder: every deployment's median, spread, weight and success over the tiers.

One small drawing per row, so that the rows can be a table which a screen reader reads like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from django.utils.safestring import SafeString

from dashboard import figures
from dashboard.charts.axis import LogAxis
from dashboard.charts.svg import element, joined, pct

ROW, HEAD, FOOT = 23, 18, 18  # px
SMALLEST, LARGEST = 3.5, 7.0  # px, a dot's radius


class Health:
    """Names of the three colours of a success share; the text beside it says the number."""

    OK, WARN, BAD = "ok", "warn", "bad"


def health_of(ok: int, attempts: int) -> str:
    """`ok` from 98 %, `warn` from 90 %, else `bad`; nothing measured is `none`."""
    if not attempts:
        return "none"
    share = ok / attempts
    return Health.OK if share >= 0.98 else Health.WARN if share >= 0.90 else Health.BAD


@dataclass(frozen=True, slots=True)
class Rung:
    """What is drawn of one deployment; times in milliseconds. `seed` is what was known before any measurement."""

    name: str
    attempts: int
    ok: int
    p5: float | None
    p50: float | None
    p95: float | None
    seed: float | None = None

    @property
    def health(self) -> str:
        return health_of(self.ok, self.attempts)

    @property
    def spoken(self) -> str:
        if self.p50 is None:
            return f"not measured in this range; known before: {figures.seconds(self.seed)}" if self.seed else "no data"
        spread = f"{figures.seconds(self.p5)} to {figures.seconds(self.p95)}"
        return f"median {figures.seconds(self.p50)}, 90 % within {spread}, {figures.count(self.attempts)} attempts"


def bands(axis: LogAxis) -> SafeString:
    """The tiers behind a row, as a symbol that every row uses."""
    stripes = [
        element("rect", class_=f"band {band.name}", x=pct(left), width=pct(width), height="100%")
        for band, left, width in axis.bands()
    ]
    lines = [element("line", class_="grid", x1=pct(x), x2=pct(x), y2="100%") for x, _ in axis.ticks()]
    symbol = element("symbol", *stripes, *lines, id="tiers", width="100%", height="100%")
    return element("svg", symbol, class_="defs", aria_hidden="true")


def head(axis: LogAxis) -> SafeString:
    """The tiers' names above their bands."""
    names = [
        element(
            "text",
            element("tspan", band.label, class_="strong"),
            element("tspan", f" {band.range}"),
            class_=f"tier {band.name}",
            x=pct(left + width / 2),
            y=12,
            text_anchor="middle",
        )
        for band, left, width in axis.bands()
        if width > 9
    ]
    return element("svg", *names, class_="axis", height=HEAD, aria_hidden="true")


def foot(axis: LogAxis) -> SafeString:
    """The axis' ticks."""
    labels = [
        element("text", label, x=pct(x), y=13, text_anchor="middle", class_="odd" if n % 2 else None)
        for n, (x, label) in enumerate(axis.ticks())
    ]
    return element("svg", *labels, class_="axis", height=FOOT, aria_hidden="true")


def radius(attempts: int, most: int) -> float:
    """A dot's radius: its area grows with the attempts."""
    return SMALLEST + (LARGEST - SMALLEST) * sqrt(attempts / most) if most else SMALLEST


def row(rung: Rung, axis: LogAxis, *, most: int) -> SafeString:
    """Whisker from p5 to p95 and the median's dot; a hollow dot where only the starter data knows a latency."""
    parts = [element("use", href="#tiers", width="100%", height="100%")]
    middle = ROW / 2
    if rung.p50 is not None:
        low, high = rung.p5 if rung.p5 is not None else rung.p50, rung.p95 if rung.p95 is not None else rung.p50
        parts.append(
            element("line", class_="whisker", x1=pct(axis.at(low)), x2=pct(axis.at(high)), y1=middle, y2=middle)
        )
        dot = radius(rung.attempts, most)
        parts.append(element("circle", class_="dot", cx=pct(axis.at(rung.p50)), cy=middle, r=dot))
    elif rung.seed is not None:
        parts.append(element("circle", class_="dot seed", cx=pct(axis.at(rung.seed)), cy=middle, r=SMALLEST))
    return element(
        "svg",
        element("title", f"{rung.name}: {rung.spoken}"),
        joined(parts),
        class_=f"rung {rung.health}",
        height=ROW,
        role="img",
    )
