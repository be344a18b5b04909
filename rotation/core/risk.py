"""How likely one life is to end soon, by what was seen of others."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum

from rotation.core.survival import Curve, Rate, interval

FEWEST = 5  # others watched at an age, below which they say nothing about a life of that age


class Basis(StrEnum):
    """What a risk rests on."""

    ANNOUNCED = "announced"  # its end is known
    AGE = "age"  # what happened to others of its age
    RATE = "rate"  # what happens at any age: too few were watched at its own, or it is not known
    NONE = "none"  # nobody was watched yet


@dataclass(frozen=True, slots=True)
class Risk:
    """The chance of ending within a horizon, 0..1, with its 95 % interval."""

    chance: float
    low: float
    high: float
    basis: Basis


def risk(seen: Curve, overall: Rate | None, *, age: float | None, horizon: float, ends_in: float | None = None) -> Risk:
    """Of one life that has reached `age` (None: not known). An announced end within the horizon is certain."""
    if ends_in is not None and ends_in <= horizon:
        return Risk(1.0, 1.0, 1.0, Basis.ANNOUNCED)
    if age is not None and age + horizon <= seen.until and seen.at_risk(age + horizon) >= 1:
        conditional = _from_age(seen, age, horizon)
        if conditional is not None:
            return conditional
    if overall is None:
        return Risk(0.0, 0.0, 1.0, Basis.NONE)
    middle, low, high = (-math.expm1(-one * horizon) for one in (overall.middle, overall.low, overall.high))
    return Risk(middle, low, high, Basis.RATE)


def _from_age(seen: Curve, age: float, horizon: float) -> Risk | None:
    """1 - S(age + horizon) / S(age): the curve of those who reached `age`; None when they were too few.

    With no death among n of them the interval is Clopper and Pearson's for none of n.
    """
    first = bisect_right(seen.steps, age, key=lambda step: step.age)
    last = bisect_right(seen.steps, age + horizon, key=lambda step: step.age)
    there = bisect_right(seen.entries, age) - bisect_right(seen.exits, age)
    if there < FEWEST:
        return None
    alive, greenwood = 1.0, 0.0
    for step in seen.steps[first:last]:
        alive *= 1 - step.deaths / step.at_risk
        left = step.at_risk - step.deaths
        greenwood += step.deaths / (step.at_risk * left) if left else math.inf
    if first == last:
        return Risk(0.0, 0.0, 1 - 0.025 ** (1 / there), Basis.AGE)
    low, high = interval(alive, greenwood, 1.0)
    return Risk(1 - alive, 1 - high, 1 - low, Basis.AGE)
