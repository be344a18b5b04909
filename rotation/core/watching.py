"""Whether a new order turned out better or worse than the one before it, by what was measured since.

Both orders are costed with the same measurements of the same time, so that a world that got slower for everybody
changes nothing. An order costs what its path to an answer takes: one after the other is tried until one answers, and
when nobody does it begins anew. With s_i the chance to get as far as place i, sum(s_i c_i) / (1 - product(1 - p_i)).
The uncertainty of the difference is propagated from those of every p, t and f (the delta method, first order).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rotation.core.confidence import PRIOR_TRIES, Typical, normal
from rotation.core.evidence import Measured

WATCH = 6 * 3600.0  # seconds a change is watched
#: Tries of whoever changed places at the top, before anything is concluded.
ENOUGH = 20
MARGIN = 0.05
SURE = 0.95
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
    spread = _variance(before, after, chances)
    worse = normal((new - old) / math.sqrt(spread)) if spread > 0 else float(new > old)
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


def _variance(before: Sequence[int], after: Sequence[int], chances: Mapping[int, Chances]) -> float:
    """Of the difference of the two paths."""
    base = path_ms(after, chances) - path_ms(before, chances)
    found = 0.0
    for one, known in chances.items():
        for name in ("share", "answer", "failure"):
            value, variance = getattr(known, name), getattr(known, f"{name}_variance")
            step = value * STEP
            if not variance or not step:
                continue
            moved = {**chances, one: replace(known, **{name: value - step})}
            bent = (base - (path_ms(after, moved) - path_ms(before, moved))) / step
            found += bent * bent * variance
    return found
