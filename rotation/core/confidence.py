"""How sure it is that one deployment answers sooner than another, judged by the hours in which both were tried.

The expected time to an answer is a ratio: all time spent in tries, lost ones too, by the number of answers. Compared
are the two ratios over the same hours, each hour with the same weight for both, so that what happened to everybody in
an hour cancels out. The variance is that of the linearised ratio (W. G. Cochran 1977, *Sampling Techniques*, 6.3):
between hours as they differ in pairs (by Student's t: some hours tell a variance badly), and within hours as tries
scatter; the less sure of the two counts. Many comparisons at once
are held by Holm's step-down (S. Holm 1979, Scand. J. Statist. 6:65-70): the chance that any of them is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from rotation.core.certainty import clustered, effective, holm, less_sure, normal
from rotation.core.evidence import Hour, Measured, Spread, decay, together

#: How sure a swap must be to be made without a person, and to be shown to one.
SURE = 0.99
LIKELY = 0.90
#: Shared hours from which their differences say something about how much hours differ.
ENOUGH_HOURS = 3
#: How much a model's hours are taken to differ from each other, as a share of its time, before those can be seen.
HOURLY = 0.3
#: What stands for a deployment of which nothing is known: so many tries of which four in five are answered.
PRIOR_SHARE = 0.8
PRIOR_TRIES = 5.0
PRIOR_WEIGHT = 1.0


@dataclass(frozen=True, slots=True)
class Compared:
    """Two deployments over the hours both were tried in: expected ms of each, and how sure the second is the sooner."""

    above_ms: float
    below_ms: float
    confidence: float
    hours: int
    above_tries: int
    below_tries: int


@dataclass(frozen=True, slots=True)
class Typical:
    """A deployment's tries over all hours: what stands in where an hour's own are too few."""

    answers: Spread
    losses: Spread
    share: float

    @classmethod
    def of(cls, measured: Measured) -> Typical:
        """Nothing measured: what was believed, scattered as much as it is long."""
        hours = measured.hours.values()
        ok, tries = sum(h.ok for h in hours), sum(h.tries for h in hours)
        losses = together((h.lost, h.losses) for h in hours)
        answers = together((h.ok, h.answers) for h in hours)
        believed = measured.prior_ms or losses.mean or 1000.0
        answers = _scattered(answers, believed)
        return cls(
            answers,
            _scattered(losses, answers.mean),
            (ok + PRIOR_TRIES * PRIOR_SHARE) / (tries + PRIOR_TRIES),
        )


def _scattered(spread: Spread, otherwise: float) -> Spread:
    """A single time scatters by its own length, as times of answers roughly do."""
    if spread.n >= 2:
        return spread
    mean = spread.mean if spread.n else otherwise
    return Spread(max(spread.n, 1), mean, mean * mean)


def compare(
    above: Measured,
    below: Measured,
    now: int,
    *,
    burden: float = 0.0,
    typical: Mapping[int, Typical] | None = None,
) -> Compared:
    """`burden`: ms that the one above is to be charged more than the one below, for its price and quality."""
    typical = typical or {one.deployment: Typical.of(one) for one in (above, below)}
    shared = sorted(h for h, one in above.hours.items() if one.tries and h in below.hours and below.hours[h].tries)
    ours, theirs = [above.hours[h] for h in shared], [below.hours[h] for h in shared]
    weights = [
        decay(h, now) * a.tries * b.tries / (a.tries + b.tries) for h, a, b in zip(shared, ours, theirs, strict=True)
    ]
    up, down = (_Side.of(hours, weights, typical[one.deployment]) for hours, one in ((ours, above), (theirs, below)))
    gain = up.expected + burden - down.expected
    spread = up.within + down.within
    if len(shared) < ENOUGH_HOURS:
        spread += (up.expected**2 + down.expected**2) * HOURLY**2 / max(effective(weights), 1.0)
    sure = normal(gain / math.sqrt(spread)) if shared and spread > 0 else 0.0
    if len(shared) >= ENOUGH_HOURS:
        between = [a - b for a, b in zip(up.residuals, down.residuals, strict=True)]
        sure = less_sure(sure, gain, clustered(between), effective(weights) - 1)
    return Compared(
        up.expected, down.expected, sure, len(shared), sum(h.tries for h in ours), sum(h.tries for h in theirs)
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """One deployment over the shared hours: the ratio in ms, each hour's share of its error, the variance within."""

    expected: float
    residuals: Sequence[float]
    within: float

    @classmethod
    def of(cls, hours: Sequence[Hour], weights: Sequence[float], typical: Typical) -> _Side:
        tries = [(h.ok / h.tries, *_times(h, typical), h) for h in hours]
        answers, losses = together((h.ok, h.answers) for h in hours), together((h.lost, h.losses) for h in hours)
        t = answers.mean if answers.n else typical.answers.mean
        f = losses.mean if losses.n else typical.losses.mean
        share = typical.share
        spent = PRIOR_WEIGHT * (share * t + (1 - share) * f)
        answered = PRIOR_WEIGHT * share
        for weight, (p, answer, loss, _) in zip(weights, tries, strict=True):
            spent += weight * (p * answer + (1 - p) * loss)
            answered += weight * p
        expected = spent / answered
        residuals, within = [], 0.0
        for weight, (p, answer, loss, hour) in zip(weights, tries, strict=True):
            residuals.append(weight * (p * (answer - expected) + (1 - p) * loss) / answered)
            within += (weight / answered) ** 2 * _variance(hour, typical, expected)
        return cls(expected, residuals, within)


def _times(hour: Hour, typical: Typical) -> tuple[float, float]:
    answer = hour.answers.mean if hour.answers.n else typical.answers.mean
    return answer, hour.losses.mean if hour.losses.n else typical.losses.mean


def _variance(hour: Hour, typical: Typical, expected: float) -> float:
    """Of an hour's mean residual, with the deployment's own scatter: an hour of few tries has none of its own."""
    p, answers, losses = typical.share, typical.answers, typical.losses
    either = p * (1 - p) * (answers.mean - expected - losses.mean) ** 2 / hour.tries
    sample, lost = max(hour.answers.n, 1), max(hour.losses.n, 1)
    if not hour.ok:
        return either + (1 - p) ** 2 * losses.variance / lost
    return either + p * p * answers.variance / sample + (1 - p) ** 2 * losses.variance / lost


def swaps(
    order: Sequence[int],
    measured: Mapping[int, Measured],
    now: int,
    *,
    asked: Collection[tuple[int, int]],
    burdens: Mapping[int, float],
) -> dict[tuple[int, int], Compared]:
    """How the pairs (above, below) that are asked for compare, their confidence after Holm.

    `order` are those that may move: every pair of them counts as a comparison, for each was looked at. `burdens` is
    what each is charged in ms besides its time.
    """
    typical = {one: Typical.of(measured[one]) for one in order}
    found = {
        (a, b): compare(
            measured[a], measured[b], now, burden=burdens.get(a, 0.0) - burdens.get(b, 0.0), typical=typical
        )
        for a, b in asked
    }
    looked_at = {(a, b): 1.0 for place, a in enumerate(order) for b in order[place + 1 :]}
    wrong = holm(looked_at | {pair: 1 - one.confidence for pair, one in found.items()})
    return {pair: replace(one, confidence=1 - wrong[pair]) for pair, one in found.items()}
