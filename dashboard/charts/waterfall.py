"""A call's attempts on one line of time: what waited, connected, streamed, failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.safestring import SafeString

from dashboard import figures
from dashboard.charts.svg import element, pct

SLIM, TALL = 9, 14  # px


class Phase(StrEnum):
    """What a stretch of time was spent on; also its CSS class."""

    WAITING = "waiting"
    CONNECTING = "connecting"
    FIRST = "first"
    STREAMING = "streaming"
    FAILED = "failed"


WORDS = {
    Phase.WAITING: "waiting for a free target",
    Phase.CONNECTING: "connecting",
    Phase.FIRST: "waiting for the first token",
    Phase.STREAMING: "streaming",
    Phase.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Milliseconds from the call's beginning."""

    phase: Phase
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Leg:
    """One attempt's times in milliseconds; `connect` and `first` count from its own start."""

    ok: bool
    start: float
    total: float
    connect: float | None = None
    first: float | None = None

    @property
    def end(self) -> float:
        return self.start + self.total


def summary_stretches(legs: Sequence[Leg], total: float) -> list[Stretch]:
    """The call in one line: failed and answering attempts, and the waits before and between them."""
    out: list[Stretch] = []
    clock = 0.0
    for leg in legs:
        if leg.start - clock > max(1.0, total / 200):
            out.append(Stretch(Phase.WAITING, clock, leg.start))
        out.append(Stretch(Phase.STREAMING if leg.ok else Phase.FAILED, leg.start, leg.end))
        clock = max(clock, leg.end)
    return out


def leg_stretches(leg: Leg) -> list[Stretch]:
    """One attempt in full: connecting, waiting for the first token, streaming; or up to its failure."""
    connect = min(leg.connect or 0.0, leg.total)
    out = [Stretch(Phase.CONNECTING, leg.start, leg.start + connect)] if connect else []
    if not leg.ok:
        return [*out, Stretch(Phase.FAILED, leg.start + connect, leg.end)]
    first = min(max(leg.first if leg.first is not None else leg.total, connect), leg.total)
    out.append(Stretch(Phase.FIRST, leg.start + connect, leg.start + first))
    if first < leg.total:
        out.append(Stretch(Phase.STREAMING, leg.start + first, leg.end))
    return out


def waterfall(stretches: Sequence[Stretch], *, scale: float, summary: str, tall: bool = False) -> SafeString:
    """A line of `scale` milliseconds with its stretches; very short ones stay visible."""
    height = TALL if tall else SLIM
    scale = max(scale, 1.0)
    rects = [
        element(
            "rect",
            element("title", f"{WORDS[s.phase]}: {figures.seconds(s.end - s.start)}"),
            class_=s.phase.value,
            fill="url(#hatch)" if s.phase is Phase.WAITING else None,
            x=pct(100 * s.start / scale),
            width=pct(max(0.4, 100 * (s.end - s.start) / scale)),
            height=height,
            rx=2,
        )
        for s in stretches
    ]
    track = element("rect", class_="track", width="100%", height=height, rx=2)
    return element(
        "svg",
        element("title", summary),
        *([] if tall else [track]),
        *rects,
        class_="waterfall",
        height=height,
        role="img",
    )
