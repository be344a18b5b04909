"""How long things live that are watched only for a while: Kaplan and Meier's curve, and what it says of one life.

A life may be watched from its birth or from a later age on (delayed entry, "left truncation"), and up to its end or
only until now ("right censoring"). Ages are numbers of one unit, days wherever this is used. See J. P. Klein and
M. L. Moeschberger, *Survival Analysis*, 2nd ed., 4.2 (curve, Greenwood), 4.3 (log-log interval), 4.6 (delayed entry).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

Z = 1.96  # two-sided 95 %


@dataclass(frozen=True, slots=True)
class Life:
    """One life as it was watched: from the age `entered` (0: its birth was seen) to the age `left`.

    `died`: it ended then; else it was still alive when last seen.
    """

    entered: float
    left: float
    died: bool


@dataclass(frozen=True, slots=True)
class Step:
    """The share alive after the deaths at one age, with its 95 % interval; `greenwood` is the sum up to here."""

    age: float
    at_risk: int
    deaths: int
    survival: float
    low: float
    high: float
    greenwood: float


@dataclass(frozen=True, slots=True)
class Median:
    """The age half of them reach; None where the curve (or its interval) never comes down that far."""

    age: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """Steps by rising age; between two of them the share alive stays what it was. `lives` were watched in all."""

    steps: tuple[Step, ...] = ()
    lives: int = 0
    entries: tuple[float, ...] = field(default=(), repr=False)  # sorted
    exits: tuple[float, ...] = field(default=(), repr=False)  # sorted

    @property
    def deaths(self) -> int:
        return sum(step.deaths for step in self.steps)

    @property
    def until(self) -> float:
        """The greatest age anybody was watched at; what comes after is not known."""
        return self.exits[-1] if self.exits else 0.0

    def at_risk(self, age: float) -> int:
        """Lives under watch just before this age: entered before it, not gone before it."""
        return bisect_left(self.entries, age) - bisect_left(self.exits, age)

    def survival(self, age: float) -> float:
        """The share that reaches more than this age."""
        n = bisect_right(self.steps, age, key=lambda step: step.age)
        return self.steps[n - 1].survival if n else 1.0

    def median(self) -> Median:
        def first(name: str) -> float | None:
            return next((step.age for step in self.steps if getattr(step, name) <= 0.5), None)

        return Median(first("survival"), first("low"), first("high"))


def curve(lives: Iterable[Life]) -> Curve:
    """Kaplan and Meier's estimate. Lives that were watched for no time at all are left out.

    Raises ValueError for a life that ends before it is first seen, or whose ages are not finite.
    """
    watched = [life for life in lives if _proper(life)]
    entries = tuple(sorted(life.entered for life in watched))
    exits = tuple(sorted(life.left for life in watched))
    deaths = Counter(life.left for life in watched if life.died)
    steps: list[Step] = []
    survival, greenwood, high = 1.0, 0.0, 1.0
    for age, died in sorted(deaths.items()):
        at_risk = bisect_left(entries, age) - bisect_left(exits, age)
        survival *= 1 - died / at_risk
        greenwood += died / (at_risk * (at_risk - died)) if at_risk > died else math.inf
        low, high = interval(survival, greenwood, high)
        steps.append(Step(age, at_risk, died, survival, low, high, greenwood))
    return Curve(tuple(steps), len(watched), entries, exits)


def _proper(life: Life) -> bool:
    if not (math.isfinite(life.entered) and math.isfinite(life.left)) or not 0 <= life.entered <= life.left:
        raise ValueError(f"a life is watched from an age of 0 or more up to a later one, not {life}")
    return life.left > life.entered


def interval(survival: float, greenwood: float, before: float) -> tuple[float, float]:
    """The log-log interval, which stays within 0..1. Where nobody is left it is 0 up to the upper end before."""
    if survival <= 0 or math.isinf(greenwood):
        return 0.0, before
    spread = math.exp(Z * math.sqrt(greenwood) / -math.log(survival))
    return survival**spread, survival ** (1 / spread)


@dataclass(frozen=True, slots=True)
class Rate:
    """Deaths per unit of time watched, whatever the age, with its 95 % interval; None before anybody was watched.

    The interval of the count is Byar's (N. E. Breslow, N. E. Day, *Statistical Methods in Cancer Research* II, 2.3).
    """

    deaths: int
    exposure: float

    @property
    def low(self) -> float:
        return self._byar(self.deaths, -Z) / self.exposure

    @property
    def high(self) -> float:
        return self._byar(self.deaths + 1, Z) / self.exposure

    @property
    def middle(self) -> float:
        return self.deaths / self.exposure

    @staticmethod
    def _byar(count: int, z: float) -> float:
        return count * (1 - 1 / (9 * count) + z / (3 * math.sqrt(count))) ** 3 if count else 0.0


def rate(lives: Iterable[Life]) -> Rate | None:
    """For lives whose age nobody knows: of those only how long they were watched counts, and whether they ended."""
    many = [life for life in lives if life.left > life.entered]
    exposure = sum(life.left - life.entered for life in many)
    return Rate(sum(life.died for life in many), exposure) if exposure > 0 else None
