"""What a replay comes to, call by call added up: shares, times, cost, what of the quotas was spent, and coverage."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from rotation.replay.engine import Outcome
from rotation.replay.evidence import Level

#: Every figure: its name, its unit, and whether more of it is better.
FIGURES: Mapping[str, tuple[str, str, bool]] = {
    "success": ("Answered", "share", True),
    "first_try": ("Answered at the first try", "share", True),
    "mean": ("Mean time to the answer", "s", False),
    "p50": ("p50 of the time to the answer", "s", False),
    "p95": ("p95 of the time to the answer", "s", False),
    "p99": ("p99 of the time to the answer", "s", False),
    "first_p50": ("p50 to the first content", "s", False),
    "first_p95": ("p95 to the first content", "s", False),
    "first_p99": ("p99 to the first content", "s", False),
    "attempts": ("Attempts per call", "", False),
    "cost": ("Cost per 1,000 calls", "USD", False),
}
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Tracks:
    """One replay's outcomes as columns, sorted once, so that they can be weighed again and again.

    `group` is each call's group of calls that are right or wrong together; `times` and `firsts` are
    (seconds, group) of the answered calls and of those with a first content, by seconds.
    """

    group: Sequence[int]
    sums: Sequence[tuple[float, float, float, float, float, float]]  # by group: see `_sums`
    times: Sequence[float]
    times_group: Sequence[int]
    firsts: Sequence[float]
    firsts_group: Sequence[int]
    unpriced: int = 0


def tracks(outcomes: Sequence[Outcome], group: Sequence[int], groups: int) -> Tracks:
    """`group` gives each outcome's group, 0..groups-1."""
    answered = sorted((o.total, g) for o, g in zip(outcomes, group, strict=True) if o.answered)
    begun = sorted((o.first, g) for o, g in zip(outcomes, group, strict=True) if o.first is not None)
    sums = [[0.0] * 6 for _ in range(groups)]
    unpriced = 0
    for outcome, where in zip(outcomes, group, strict=True):
        row = sums[where]
        row[0] += 1
        row[1] += outcome.answered
        row[2] += outcome.answered and len(outcome.sent) == 1
        row[3] += outcome.total if outcome.answered else 0.0
        row[4] += len(outcome.sent)
        for sent in outcome.sent:
            row[5] += sent.cost or 0.0
            unpriced += sent.cost is None
    return Tracks(
        group, [(r[0], r[1], r[2], r[3], r[4], r[5]) for r in sums],
        [t for t, _ in answered], [g for _, g in answered], [t for t, _ in begun], [g for _, g in begun], unpriced,
    )  # fmt: skip


def figures(found: Tracks, weights: Sequence[float]) -> dict[str, float | None]:
    """Every figure with each group weighed; None where there is nothing to tell it from."""
    calls = answered = first_try = seconds = attempts = cost = 0.0
    for weight, row in zip(weights, found.sums, strict=True):
        calls += weight * row[0]
        answered += weight * row[1]
        first_try += weight * row[2]
        seconds += weight * row[3]
        attempts += weight * row[4]
        cost += weight * row[5]
    if calls <= 0:
        return dict.fromkeys(FIGURES)
    told: dict[str, float | None] = {
        "success": answered / calls,
        "first_try": first_try / calls,
        "mean": seconds / answered if answered > 0 else None,
        "attempts": attempts / calls,
        "cost": 1000 * cost / calls if not found.unpriced else None,
    }
    for prefix, values, where in (
        ("", found.times, found.times_group),
        ("first_", found.firsts, found.firsts_group),
    ):
        told |= {prefix + name: value for name, value in _quantiles(values, where, weights).items()}
    return {name: told[name] for name in FIGURES}


def _quantiles(values: Sequence[float], where: Sequence[int], weights: Sequence[float]) -> dict[str, float | None]:
    """The smallest value with at least q of the weight at or below it."""
    if not values:
        return dict.fromkeys(QUANTILES)
    heaped = list(accumulate(map(weights.__getitem__, where)))
    return {name: values[min(bisect_left(heaped, q * heaped[-1]), len(values) - 1)] for name, q in QUANTILES.items()}


@dataclass(slots=True)
class Spent:
    """What one replay used of the accounts, and what its decisions rested on."""

    requests: Counter[int] = field(default_factory=Counter)  # by account
    tokens: Counter[int] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)  # by deployment
    attempts: Counter[int] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    levels: Counter[Level] = field(default_factory=Counter)
    unproven: Counter[int] = field(default_factory=Counter)  # attempts drawn from a prior, by deployment

    @property
    def coverage(self) -> float | None:
        """The share of the decisions (attempts) for which something had been measured; None for none made."""
        total = sum(self.levels.values())
        return 1 - self.levels[Level.PRIOR] / total if total else None


def spent(outcomes: Iterable[Outcome]) -> Spent:
    """Added up over the attempts."""
    found = Spent()
    for outcome in outcomes:
        for sent in outcome.sent:
            found.requests[sent.account] += 1
            found.tokens[sent.account] += sent.tokens
            found.attempts[sent.deployment] += 1
            found.levels[sent.level] += 1
            if sent.level is Level.PRIOR:
                found.unproven[sent.deployment] += 1
            if sent.kind is None:
                found.answers[sent.deployment] += 1
            else:
                found.kinds[sent.kind] += 1
    return found
