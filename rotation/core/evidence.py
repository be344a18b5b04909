"""What was measured of a deployment, hour by hour, and what it comes to: old hours count for less.

An hour counts half as much every HALF_LIFE hours: a model that got slow this morning is slow, whatever it was
yesterday. Times are ms at equal work (`work.py`), the hours whole ones of the epoch. Nothing is stored here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

HOURS = 24
HALF_LIFE = 6.0  # hours


@dataclass(frozen=True, slots=True)
class Spread:
    """Times of a sample: how many, their mean and variance (about the mean, biased), in ms and ms squared."""

    n: int = 0
    mean: float = 0.0
    variance: float = 0.0

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Those of some times."""
        if not values:
            return NONE
        mean = math.fsum(values) / len(values)
        return cls(len(values), mean, math.fsum((v - mean) ** 2 for v in values) / len(values))


NONE = Spread()


def together(parts: Iterable[tuple[float, Spread]]) -> Spread:
    """Spreads as one, each by its weight; `n` is how many values there are, unweighted."""
    known = [(weight, part) for weight, part in parts if part.n and weight > 0]
    whole = sum(weight for weight, _ in known)
    if not known or whole <= 0:
        return NONE
    mean = sum(weight * part.mean for weight, part in known) / whole
    variance = sum(weight * (part.variance + (part.mean - mean) ** 2) for weight, part in known) / whole
    return Spread(sum(part.n for _, part in known), mean, variance)


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of one deployment: tries that were answered and that were not, and the times of a sample of each."""

    ok: int = 0
    lost: int = 0
    answers: Spread = NONE
    losses: Spread = NONE

    @property
    def tries(self) -> int:
        return self.ok + self.lost


@dataclass(frozen=True, slots=True)
class Measured:
    """A deployment's hours (by number: epoch seconds // 3600), and what is known of it besides.

    `limited` of its lost tries were rate limits; `prior_ms` was believed before anything was measured, `prior_from`
    says whence; `usd` is the price of the common work, `quality` the score of its verification (0 to 5).
    """

    deployment: int
    hours: Mapping[int, Hour] = field(default_factory=dict)
    limited: int = 0
    p50_ms: float | None = None
    prior_ms: float | None = None
    prior_from: str = ""
    usd: float | None = None
    quality: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What it comes to; counts are attempts of the whole window, times ms, None means not measured.

    `mean_ms` and `p50_ms` are the total time of answered attempts, `fail_ms` the mean time lost on one that was not
    (rate limits among them). `share` of the tries were answered, `weight` is how many tries that is worth, old ones
    less than new; None: as the counts say.
    """

    deployment: int
    ok: int = 0
    failed: int = 0
    rate_limited: int = 0
    p50_ms: float | None = None
    mean_ms: float | None = None
    fail_ms: float | None = None
    prior_ms: float | None = None
    share: float | None = None
    weight: float | None = None
    prior_from: str = ""
    usd: float | None = None
    quality: float | None = None

    @property
    def tries(self) -> int:
        return self.ok + self.failed + self.rate_limited


def decay(hour: int, now: int) -> float:
    """What an hour counts, seen from another: 1 for the same, half of it every HALF_LIFE hours."""
    return float(0.5 ** (max(now - hour, 0) / HALF_LIFE))


def weighed(measured: Measured, now: int) -> Evidence:
    """The hours as one. `now` is the number of the present hour."""
    counted = [(decay(hour, now), one) for hour, one in measured.hours.items()]
    tries = sum(weight * one.tries for weight, one in counted)
    answers = together((weight * one.ok, one.answers) for weight, one in counted)
    losses = together((weight * one.lost, one.losses) for weight, one in counted)
    ok, lost = sum(one.ok for _, one in counted), sum(one.lost for _, one in counted)
    limited = min(measured.limited, lost)
    return Evidence(
        measured.deployment,
        ok,
        lost - limited,
        limited,
        p50_ms=measured.p50_ms,
        mean_ms=answers.mean if answers.n else None,
        fail_ms=losses.mean if losses.n else None,
        prior_ms=measured.prior_ms,
        share=sum(weight * one.ok for weight, one in counted) / tries if tries else None,
        weight=tries or None,
        prior_from=measured.prior_from,
        usd=measured.usd,
        quality=measured.quality,
    )


@dataclass(frozen=True, slots=True)
class Believed:
    """What may be believed of a deployment before it is measured, in ms: at its verification, as configured."""

    family: str = ""
    verified_ms: float | None = None
    configured_ms: float | None = None


def priors(known: Mapping[int, Believed]) -> dict[int, tuple[float | None, str]]:
    """Of each the first that is known: its verification, what is configured, the middle of its family, of the pool."""
    own = {one: _own(believed) for one, believed in known.items()}
    times = {one: ms for one, (ms, _) in own.items() if ms is not None}
    found: dict[int, tuple[float | None, str]] = {}
    for one, believed in known.items():
        family = [ms for other, ms in times.items() if believed.family and known[other].family == believed.family]
        if one in times:
            found[one] = own[one]
        elif family:
            found[one] = median(family), f"the middle of the family {believed.family}"
        else:
            found[one] = (median(times.values()), "the middle of the pool") if times else (None, "")
    return found


def _own(believed: Believed) -> tuple[float | None, str]:
    if believed.verified_ms is not None:
        return believed.verified_ms, "its verification"
    return believed.configured_ms, "what is configured"
