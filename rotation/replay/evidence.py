"""What was measured of each deployment, laid out so that an attempt can be drawn from it: near in time first.

An attempt at a moment draws one measured attempt of its deployment: of the same quarter of an hour when that holds
enough of them (an outage stays where it was), else of the same hour of the day, else of all. Where next to nothing
was measured a prior stands in, in proportion; which, is said in words and counted as not covered.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from statistics import NormalDist, median

from rotation.core.failures import FailureKind
from rotation.replay.traffic import Seen
from rotation.replay.workload import Fit, fit

SLOT = 900.0  # seconds: what is called near
HOUR = 3600.0
DAY = 86_400.0
SLOT_ENOUGH = 20  # measured attempts, for a cell to be drawn from
HOUR_ENOUGH = 30
ENOUGH = 30  # of all, below which a prior has a part
MOST = 20_000  # measured attempts kept of one deployment
FIRST_SHARE = 0.3  # of a whole answer's time, until its first content, where no stream was measured
PRIOR_OK, PRIOR_FAILED = 4, 1  # what nothing is known of is given 4 answers in 5 tries
SPREAD = 0.5  # of a prior's times: the standard deviation of their logarithms
PRIOR_ROWS = 200
MIDDLING = (800, 200)  # tokens of a prompt and of an answer that a configured latency is taken to speak of


class Level(IntEnum):
    """How near the evidence was that an attempt was drawn from."""

    OWN = 0  # this very call was sent to this very deployment
    NEAR = 1  # the same quarter of an hour
    HOUR = 2  # the same hour of the day
    ALL = 3  # any time
    PRIOR = 4  # nothing was measured


@dataclass(slots=True)
class Known:
    """The evidence on one deployment. `total` and `first` are rows' own luck over the fits; None where it failed."""

    rows: Sequence[Seen]
    whole: Fit
    begun: Fit
    total: Sequence[float]
    first: Sequence[float]
    near: Mapping[int, Sequence[int]] = field(default_factory=dict)
    hourly: Mapping[int, Sequence[int]] = field(default_factory=dict)
    measured: int = 0
    prior: str = ""  # in words; nothing where there was enough
    slots: Sequence[int] = ()

    @property
    def prior_share(self) -> float:
        """Of its draws, those that come from the prior."""
        return max(0.0, 1.0 - self.measured / ENOUGH) if self.prior else 0.0


def known(rows: Iterable[Seen]) -> Known:
    """The layout of one deployment's measured attempts."""
    kept = list(rows)
    if len(kept) > MOST:
        kept = random.Random(len(kept)).sample(kept, MOST)  # noqa: S311 - repeatable is the point
    kept.sort(key=lambda r: r.at)
    answered = [r for r in kept if r.kind is None]
    streams = [r for r in answered if r.first is not None]
    whole = fit([(r.total, r.prompt, r.answer) for r in answered])
    begun = fit([(r.first or 0.0, r.prompt, 0) for r in streams])
    if not streams:
        begun = Fit(whole.base * FIRST_SHARE, whole.per_prompt * FIRST_SHARE)
    found = Known(
        kept, whole, begun,
        [whole.luck(r.total, r.prompt, r.answer) if r.kind is None else r.total for r in kept],
        [begun.luck(r.first, r.prompt, 0) if r.first is not None else 0.0 for r in kept],
        measured=len(kept), slots=[int(r.at // SLOT) for r in kept],
    )  # fmt: skip
    near, hourly = defaultdict(list), defaultdict(list)
    for index, row in enumerate(kept):
        near[found.slots[index]].append(index)
        hourly[int(row.at % DAY // HOUR)].append(index)
    found.near = {slot: cell for slot, cell in near.items() if len(cell) >= SLOT_ENOUGH}
    found.hourly = {hour: cell for hour, cell in hourly.items() if len(cell) >= HOUR_ENOUGH}
    return found


def gathered(
    seen: Iterable[Seen], deployments: Mapping[int, float | None], names: Mapping[int, str]
) -> dict[int, Known]:
    """By deployment. `deployments` gives each one's configured latency in seconds, None where there is none.

    Where fewer than `ENOUGH` attempts were measured a prior comes with it: the configured latency, answered 4 times in
    5; without one what was measured of all the others together; where nothing at all was, one second.
    """
    by: dict[int, list[Seen]] = {one: [] for one in deployments}
    for row in seen:
        if row.deployment in by:
            by[row.deployment].append(row)
    found = {one: known(rows) for one, rows in by.items()}
    everybody = [row for rows in by.values() for row in rows]
    for one, layout in found.items():
        if layout.measured < ENOUGH:
            others = [row for row in everybody if row.deployment != one]
            layout.prior, rows = _prior(names[one], layout.measured, deployments[one], others)
            _with_prior(layout, rows)
    return found


def _prior(name: str, measured: int, seed: float | None, others: Sequence[Seen]) -> tuple[str, Sequence[Seen]]:
    few = f"only {measured} attempts were measured" if measured else "nothing was measured"
    if seed is not None:
        told = f"its configured latency of {seed:g} s, answered {PRIOR_OK} times in {PRIOR_OK + PRIOR_FAILED}"
        return f"{few} of {name}: {told}", _spread(seed)
    if others:
        middle = median([r.total for r in others if r.kind is None] or [1.0])
        told = f"what was measured of the others ({len(others):,} attempts, half of the answers within {middle:.2f} s)"
        chosen = random.Random(len(others)).sample(others, min(PRIOR_ROWS, len(others)))  # noqa: S311 - repeatable is the point
        return f"{few} of {name}: taken to be like {told}", chosen
    return f"{few} of {name}, nor of any other: taken to answer in 1 s, 4 times in 5", _spread(1.0)


def _spread(seconds: float) -> list[Seen]:
    """Log-normal times around `seconds` in even quantiles, every fifth try failed as quickly as an answer."""
    shape = NormalDist(0.0, SPREAD)
    times = [seconds * 2.718281828 ** shape.inv_cdf((n + 0.5) / PRIOR_ROWS) for n in range(PRIOR_ROWS)]
    every = (PRIOR_OK + PRIOR_FAILED) // PRIOR_FAILED
    prompt, answer = MIDDLING
    return [
        Seen(0.0, 0, FailureKind.OVERLOADED if n % every == every // 2 else None, t * FIRST_SHARE, t, prompt, answer)
        for n, t in enumerate(times)
    ]


def _with_prior(layout: Known, rows: Sequence[Seen]) -> None:
    """The prior's rows behind the measured ones."""
    borrowed = known(rows)
    if not any(row.kind is None for row in layout.rows):
        layout.whole, layout.begun = borrowed.whole, borrowed.begun
    layout.rows = [*layout.rows, *borrowed.rows]
    layout.total = [*layout.total, *borrowed.total]
    layout.first = [*layout.first, *borrowed.first]
    layout.slots = [*layout.slots, *borrowed.slots]
