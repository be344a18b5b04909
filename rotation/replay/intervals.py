"""How sure a replay's figures are: paired block bootstrap over time and over the evidence.

Calls near in time go well or badly together, and so do attempts drawn from the same rows. So blocks of time (15 min,
shorter for short windows) are weighed anew as a whole, and so are (deployment, quarter of an hour) of the evidence a
call rests on that is not of its own time; weights are standard exponential (the Bayesian bootstrap, Rubin 1981).
Present and candidate get the same weights: the differences are paired.

Two intervals of 95 %: of the difference on this traffic (`difference`), and of what the next such window would bring
(`next_window`), which adds the chance of another window to the uncertainty of the estimate. No bootstrap sees what has
not happened yet: shares are given at least the width of Wilson's interval over the measured attempts they rest on.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rotation.core.stats import wilson
from rotation.replay.engine import Outcome
from rotation.replay.evidence import SLOT, Level
from rotation.replay.fate import NOBODY
from rotation.replay.figures import FIGURES, Tracks, figures, tracks
from rotation.replay.traffic import Asked

ROUNDS = 200
BLOCKS = 24  # at least so many, where the window allows
SHORTEST = 1.0  # seconds
LEVEL = 0.95
SHARES = ("success", "first_try")

Interval = tuple[float, float]
Figure = Mapping[str, float | None]
Source = tuple[int, int]  # deployment, quarter of an hour


@dataclass(frozen=True, slots=True)
class Compared:
    """Figures by name. `difference` is candidate minus present; an interval is None where there is no figure."""

    present: Figure
    candidate: Figure
    present_interval: Mapping[str, Interval | None]
    candidate_interval: Mapping[str, Interval | None]
    difference: Mapping[str, Interval | None]
    next_window: Mapping[str, Interval | None]
    block: float
    blocks: int


class Weighing:
    """The blocks and sources that calls of one replay rest on, and their groups."""

    def __init__(self, traffic: Sequence[Asked], outcomes: Sequence[Outcome], block: float) -> None:
        start = traffic[0].at
        self.blocks: list[int] = []
        self.sources: list[frozenset[Source]] = []
        groups: dict[tuple[int, frozenset[Source]], int] = {}
        group = []
        for asked, outcome in zip(traffic, outcomes, strict=True):
            rests = frozenset((s.deployment, s.rests_on) for s in outcome.sent if s.rests_on != NOBODY)
            place = int((asked.at - start) // block), rests
            if place not in groups:
                groups[place] = len(groups)
                self.blocks.append(place[0])
                self.sources.append(rests)
            group.append(groups[place])
        self.tracks: Tracks = tracks(outcomes, group, len(groups))
        sent = [s for outcome in outcomes for s in outcome.sent]
        drawn = {(s.deployment, s.row) for s in sent if s.row != NOBODY}
        self.proofs = len(drawn) + sum(s.level is Level.OWN for s in sent)

    def weights(self, block: Sequence[float], source: Mapping[Source, float] | None) -> list[float]:
        """Of each group: its block's, times those of its sources."""
        if source is None:
            return [block[b] for b in self.blocks]
        return [
            block[b] * math.prod(map(source.__getitem__, rests)) if rests else block[b]
            for b, rests in zip(self.blocks, self.sources, strict=True)
        ]

    def widened(self, name: str, told: Figure, interval: Interval, z: float) -> Interval:
        """At least as wide as the number of proofs allows a share to be known; nothing below 0."""
        low, high = interval
        if name in SHARES:
            least, most = wilson((told[name] or 0.0) * self.proofs, self.proofs, z)
            return max(min(low, least), 0.0), min(max(high, most), 1.0)
        if name == "attempts":  # whatever is not answered at once takes another one
            share = told["first_try"] or 0.0
            least, _ = wilson(share * self.proofs, self.proofs, z)
            high = max(high, (told[name] or 0.0) + share - least)
        return max(low, 0.0), high

    def told(self) -> dict[str, float | None]:
        return figures(self.tracks, [1.0] * len(self.blocks))


def block_of(traffic: Sequence[Asked]) -> float:
    """Seconds of a block: a quarter of an hour, less where that would leave fewer than `BLOCKS`."""
    span = traffic[-1].at - traffic[0].at
    return max(min(SLOT, span / BLOCKS), SHORTEST)


def compared(
    traffic: Sequence[Asked], present: Sequence[Outcome], candidate: Sequence[Outcome], *, seed: int,
    rounds: int = ROUNDS,
) -> Compared:  # fmt: skip
    """Present and candidate on the same traffic, which holds at least one call."""
    block = block_of(traffic)
    one, other = Weighing(traffic, present, block), Weighing(traffic, candidate, block)
    blocks = max(one.blocks[-1], other.blocks[-1]) + 1
    sources = sorted({s for weighing in (one, other) for rests in weighing.sources for s in rests})
    chance = random.Random(seed)  # noqa: S311 - repeatable is the point
    drawn: list[tuple[Figure, Figure, Figure]] = []
    for _ in range(rounds):
        times, again = ([chance.expovariate(1.0) for _ in range(blocks)] for _ in range(2))
        source = {s: chance.expovariate(1.0) for s in sources}
        drawn.append((
            figures(one.tracks, one.weights(times, source)),
            figures(other.tracks, other.weights(times, source)),
            figures(other.tracks, other.weights(again, None)),
        ))  # fmt: skip
    now, then = one.told(), other.told()
    estimates = [[d[0] for d in drawn], [d[1] for d in drawn]]
    return Compared(
        present=now,
        candidate=then,
        present_interval={n: _interval(one, n, now, estimates[0]) for n in FIGURES},
        candidate_interval={n: _interval(other, n, then, estimates[1]) for n in FIGURES},
        difference={n: _difference(n, now, then, estimates) for n in FIGURES},
        next_window={n: _next(other, n, then, drawn) for n in FIGURES},
        block=block,
        blocks=blocks,
    )


def _interval(weighing: Weighing, name: str, told: Figure, drawn: Sequence[Figure]) -> Interval | None:
    value = told[name]
    found = sorted(v for d in drawn if (v := d[name]) is not None)
    if value is None or not found:
        return None
    low, high = _middle(found)
    return weighing.widened(name, told, (min(low, value), max(high, value)), 1.96)


def _difference(name: str, now: Figure, then: Figure, drawn: Sequence[Sequence[Figure]]) -> Interval | None:
    was, is_now = now[name], then[name]
    pairs = ((a[name], b[name]) for a, b in zip(*drawn, strict=True))
    found = sorted(b - a for a, b in pairs if a is not None and b is not None)
    if was is None or is_now is None or not found:
        return None
    low, high = _middle(found)
    return min(low, is_now - was), max(high, is_now - was)


def _next(
    weighing: Weighing, name: str, told: Figure, drawn: Sequence[tuple[Figure, Figure, Figure]]
) -> Interval | None:
    """Around the figure: the error of its estimate and the chance of another window, which are independent."""
    value = told[name]
    pairs = [(a, b) for d in drawn if (a := d[1][name]) is not None and (b := d[2][name]) is not None]
    if value is None or not pairs:
        return None
    low, high = _middle(sorted(a + b - value for a, b in pairs))
    return weighing.widened(name, told, (min(low, value), max(high, value)), 1.96 * math.sqrt(2))


def _middle(found: Sequence[float]) -> Interval:
    """The middle `LEVEL` of sorted values."""
    tail = (1 - LEVEL) / 2 * (len(found) - 1)
    return found[math.floor(tail)], found[math.ceil(len(found) - 1 - tail)]
