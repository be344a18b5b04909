"""Whether a new order turned out better or worse than the one before it, by what was measured since.

Both orders are costed with the same measurements of the same time, so that a world that got slower for everybody
changes nothing. An order costs what its path to an answer takes: one after the other is tried until one answers, and
when nobody does it begins anew. With s_i the chance to get as far as place i, sum(s_i c_i) / (1 - product(1 - p_i)).
The uncertainty of the difference is propagated from those of every p, t and f (the delta method, first order): as
tries scatter within hours, and as hours differ, what happened to everybody in an hour cancelling out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rotation.core.certainty import clustered, less_sure, normal
from rotation.core.confidence import ENOUGH_HOURS, HOURLY, PRIOR_TRIES, Typical
from rotation.core.evidence import Measured

WATCH = 6 * 3600.0  # seconds a change is watched
#: Tries of whoever changed places at the top, before anything is concluded.
ENOUGH = 20
MARGIN = 0.05
#: At one look. Six looks together roll back some 5 of 100 changes between equals whose hours differ by a tenth.
SURE = 0.97
NUMBERS = ("share", "answer", "failure")
STEP = 1e-4  # of a number, to see what a change of it changes


class Verdict(StrEnum):
    """What is known of a change so far."""

    WATCHING = "watching"  # too little, or neither clearly better nor clearly worse
    BETTER = "better"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class Chances:
    """One deployment: the share that is answered, ms of an answer and of a failure, and the variance of each."""

    share: float
    answer: float
    failure: float
    share_variance: float = 0.0
    answer_variance: float = 0.0
    failure_variance: float = 0.0

    @classmethod
    def of(cls, measured: Measured, *, burden: float = 0.0) -> Chances:
        """From tries since the change; `burden` ms are charged on every answer."""
        typical = Typical.of(measured)
        hours = measured.hours.values()
        tries = sum(h.tries for h in hours) + PRIOR_TRIES
        share = typical.share
        answers, losses = typical.answers, typical.losses
        return cls(
            share,
            answers.mean + burden,
            losses.mean,
            share * (1 - share) / tries,
            answers.variance / max(answers.n, 1),
            losses.variance / max(losses.n, 1),
        )


@dataclass(frozen=True, slots=True)
class Watched:
    """Expected ms to an answer in the order before and after, how sure the new one is the worse, and by how many tries
    of those that changed places at the top."""

    before_ms: float
    after_ms: float
    worse: float
    tries: int
    verdict: Verdict

    @property
    def words(self) -> str:
        """`0.91 s expected in the new order, 1.40 s in the old, over the same time (from 240 tries)`."""
        return (
            f"{self.after_ms / 1000:.2f} s expected in the new order, {self.before_ms / 1000:.2f} s in the old, "
            f"over the same time (from {self.tries:,} tries)"
        )


def path_ms(order: Sequence[int], chances: Mapping[int, Chances]) -> float:
    """Expected ms to an answer when the order is gone through, again and again."""
    spent, reached = 0.0, 1.0
    for one in order:
        known = chances[one]
        spent += reached * (known.share * known.answer + (1 - known.share) * known.failure)
        reached *= 1 - known.share
    return spent / (1 - reached) if reached < 1 else math.inf


def watched(
    before: Sequence[int],
    after: Sequence[int],
    measured: Mapping[int, Measured],
    *,
    burdens: Mapping[int, float] | None = None,
) -> Watched:
    """`measured` is what was measured since the change, of every deployment in both orders."""
    charged = burdens or {}
    chances = {one: Chances.of(measured[one], burden=charged.get(one, 0.0)) for one in after}
    old, new = path_ms(before, chances), path_ms(after, chances)
    worse = _worse(new - old, _slopes(before, after, chances), chances, measured, charged)
    tries = _fewest(before, after, measured)
    verdict = Verdict.WATCHING
    if tries >= ENOUGH and worse >= SURE and new > old * (1 + MARGIN):
        verdict = Verdict.WORSE
    elif tries >= ENOUGH and worse <= 1 - SURE:
        verdict = Verdict.BETTER
    return Watched(old, new, worse, tries, verdict)


def _fewest(before: Sequence[int], after: Sequence[int], measured: Mapping[int, Measured]) -> int:
    """The tries of the less tried of the two that stand at the topmost place that changed."""
    changed = next(((a, b) for a, b in zip(before, after, strict=True) if a != b), None)
    if changed is None:
        return 0
    return min(sum(hour.tries for hour in measured[one].hours.values()) for one in changed)


Slopes = Mapping[int, Mapping[str, float]]


def _slopes(before: Sequence[int], after: Sequence[int], chances: Mapping[int, Chances]) -> Slopes:
    """By how much the difference of the two paths changes with every share, answer and failure."""
    base = path_ms(after, chances) - path_ms(before, chances)
    found: dict[int, dict[str, float]] = {}
    for one, known in chances.items():
        found[one] = dict.fromkeys(NUMBERS, 0.0)
        for name in NUMBERS:
            value = getattr(known, name)
            if step := value * STEP:
                moved = {**chances, one: replace(known, **{name: value - step})}
                found[one][name] = (base - (path_ms(after, moved) - path_ms(before, moved))) / step
    return found


def _worse(
    more: float, slopes: Slopes, chances: Mapping[int, Chances], measured: Mapping[int, Measured],
    charged: Mapping[int, float],
) -> float:  # fmt: skip
    """How sure it is that the new path takes longer: by tries within hours, and by how the hours differ."""
    spread = sum(
        slope * slope * getattr(chances[one], f"{name}_variance")
        for one, of in slopes.items() for name, slope in of.items()
    )  # fmt: skip
    hours = sorted({hour for found in measured.values() for hour, one in found.hours.items() if one.tries})
    if len(hours) < ENOUGH_HOURS:
        floor = sum(
            (of["answer"] * (chances[one].answer - charged.get(one, 0.0)) * HOURLY) ** 2 for one, of in slopes.items()
        )
        spread += floor / max(len(hours), 1)
    sure = normal(more / math.sqrt(spread)) if spread > 0 else float(more > 0)
    if len(hours) < ENOUGH_HOURS:
        return sure
    errors = [
        sum(_error(measured[one], chances[one], hour, slopes[one], charged.get(one, 0.0)) for one in slopes)
        for hour in hours
    ]
    return less_sure(sure, more, clustered(errors), len(hours) - 1)


def _error(measured: Measured, known: Chances, hour: int, slopes: Mapping[str, float], burden: float) -> float:
    """What an hour of one deployment adds to the error of the difference, by what it differs from all its hours."""
    found = measured.hours.get(hour)
    if found is None or not found.tries:
        return 0.0
    tries = sum(one.tries for one in measured.hours.values())
    ok, lost = sum(one.ok for one in measured.hours.values()), sum(one.lost for one in measured.hours.values())
    error = slopes["share"] * (found.ok - found.tries * known.share) / tries
    if found.answers.n:
        error += slopes["answer"] * found.ok / ok * (found.answers.mean + burden - known.answer)
    if found.losses.n:
        error += slopes["failure"] * found.lost / lost * (found.losses.mean - known.failure)
    return error
