"""How sure a number is: distributions, variances of what comes in hours, and many comparisons at once. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence


def clustered(errors: Sequence[float]) -> float:
    """The variance of a number to which each hour adds an error of its own."""
    return len(errors) / (len(errors) - 1) * sum(error * error for error in errors)


def effective(weights: Sequence[float]) -> float:
    """How many equal weights these are worth (L. Kish 1965, *Survey Sampling*): sum squared by the sum of squares."""
    squares = sum(weight * weight for weight in weights)
    return sum(weights) ** 2 / squares if squares > 0 else 0.0


def design_effect(hours: Sequence[tuple[int, int]]) -> float:
    """By how much the variance of a share is larger for coming in hours (answered, tries) than it is for single tries,
    at least 1 (L. Kish 1965): a sample is worth that many times fewer tries. 1 for less than three hours."""
    tries, answered = sum(n for _, n in hours), sum(ok for ok, _ in hours)
    share = answered / tries if tries else 0.0
    if len(hours) < 3 or not 0 < share < 1:
        return 1.0
    return max(clustered([(ok - share * n) / tries for ok, n in hours]) / (share * (1 - share) / tries), 1.0)


def less_sure(sure: float, gain: float, variance: float, freedom: float) -> float:
    """The chance nearer to a half: as it was, or that of a gain of this variance, told by `freedom` + 1 hours."""
    if variance <= 0 or freedom <= 0:
        return sure
    other = student(gain / math.sqrt(variance), freedom)
    return min(sure, other) if gain > 0 else max(sure, other)


def student(t: float, freedom: float) -> float:
    """Student's distribution function, by D. L. Wallace 1959 (Ann. Math. Statist. 30:1124-30): to some thousandths."""
    z = math.sqrt(freedom * math.log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return normal(math.copysign(z, t))


def normal(z: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def holm(chances: Mapping[tuple[int, int], float]) -> dict[tuple[int, int], float]:
    """Each comparison's chance of being wrong, adjusted for there being so many of them; never above 1."""
    adjusted: dict[tuple[int, int], float] = {}
    highest = 0.0
    for place, pair in enumerate(sorted(chances, key=lambda one: (chances[one], one))):
        highest = max(highest, min(chances[pair] * (len(chances) - place), 1.0))
        adjusted[pair] = highest
    return adjusted
