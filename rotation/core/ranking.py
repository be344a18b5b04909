"""In which order a pool's deployments should be asked, judged by what was measured, with a reason for every move.

Why the order by `expected_ms` is the right one: let a try of target i take t_i when it answers (share p_i) and f_i
when it does not, c_i = p_i t_i + (1 - p_i) f_i. Asking a before b is quicker on the average than b before a exactly
when c_a / p_a < c_b / p_b, whoever comes after them; and c / p = t + f (1 - p) / p. (W. E. Smith 1956, "Various
optimizers for single-stage production": the rule of the least ratio, with the chance of an end in place of a weight.)
What an answer costs, and what it is short of in quality, is charged as time at the rates of the pool's policy.

Nothing here reads or writes a pool. Same evidence, same proposal; proposing again from the result moves nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rotation.core.confidence import PRIOR_SHARE, PRIOR_TRIES
from rotation.core.evidence import Evidence

MARGIN = 0.05
MIN_SAMPLES = 50
BEST_QUALITY = 5.0
#: Before anything is known a target is given 4 answers in 5 tries, and its prior latency weighs 5 answers.
PRIOR_OK = PRIOR_TRIES * PRIOR_SHARE
PRIOR_ANSWERS = 5.0

Pair = tuple[int, int]  # (above, below)


@dataclass(frozen=True, slots=True)
class Move:
    """One deployment's new place; places count from 0."""

    deployment: int
    before: int
    after: int
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """The order to use. No moves: the present one stands. `swaps` are the pairs (above, below) that change places."""

    order: tuple[int, ...]
    moves: tuple[Move, ...] = ()
    swaps: tuple[Pair, ...] = ()


def answer_ms(evidence: Evidence) -> float | None:
    """How long an answer takes on the average, drawn towards the prior while answers are few; None if unknown."""
    measured = evidence.mean_ms if evidence.mean_ms is not None else evidence.p50_ms
    prior, answers = evidence.prior_ms, _answered(evidence)
    if measured is None or answers <= 0:
        return prior
    if prior is None:
        return measured
    return (answers * measured + PRIOR_ANSWERS * prior) / (answers + PRIOR_ANSWERS)


def success_share(evidence: Evidence) -> float:
    """The chance that a try is answered, shrunk towards 4 in 5; never 0."""
    return (_answered(evidence) + PRIOR_OK) / (_tries(evidence) + PRIOR_TRIES)


def _tries(evidence: Evidence) -> float:
    return evidence.tries if evidence.weight is None else evidence.weight


def _answered(evidence: Evidence) -> float:
    return evidence.ok if evidence.share is None else evidence.share * _tries(evidence)


def expected_ms(evidence: Evidence) -> float | None:
    """Expected ms to a good answer, what failed tries lose included: t + f (1 - p) / p. None when nothing is known.

    A failure of unknown length is taken to cost as much as an answer, and an answer of unknown length a failure.
    """
    answer = answer_ms(evidence)
    if answer is None:
        answer = evidence.fail_ms
    if answer is None:
        return None
    share = success_share(evidence)
    lost = evidence.fail_ms if evidence.fail_ms is not None else answer
    return answer + lost * (1 - share) / share


def burdens(evidence: Mapping[int, Evidence], *, cost_weight: float, quality_weight: float) -> dict[int, float]:
    """What each is charged in ms besides its time: `cost_weight` seconds for a thousandth of a USD per call,
    `quality_weight` seconds for each point (of five) its verification is short of the best.

    A price nobody knows is taken for the dearest known, a quality for the middle of the known.
    """
    prices = [one.usd for one in evidence.values() if one.usd is not None]
    scores = [one.quality for one in evidence.values() if one.quality is not None]
    dearest, middle = max(prices, default=0.0), median(scores) if scores else BEST_QUALITY
    found = {}
    for name, one in evidence.items():
        usd = dearest if one.usd is None else one.usd
        quality = middle if one.quality is None else one.quality
        found[name] = 1000 * (cost_weight * usd * 1000 + quality_weight * (BEST_QUALITY - quality))
    return found


def totals(evidence: Mapping[int, Evidence], charged: Mapping[int, float] | None = None) -> dict[int, float]:
    """What the order goes by, in ms: the expected time with what is charged; without whom nothing is known of."""
    extra = charged or {}
    return {one: ms + extra.get(one, 0.0) for one, found in evidence.items() if (ms := expected_ms(found)) is not None}


def movable(
    order: Sequence[int], evidence: Mapping[int, Evidence], fixed: Collection[int], *, min_samples: int = MIN_SAMPLES
) -> list[int]:
    """Those of the order that may change places: not fixed, tried often enough, and something is known of them."""
    return [
        one for one in order
        if one not in fixed and one in evidence and evidence[one].tries >= min_samples
        and expected_ms(evidence[one]) is not None
    ]  # fmt: skip


def wanted(moving: Sequence[int], expected: Mapping[int, float], *, margin: float = MARGIN) -> set[Pair]:
    """The pairs (above, below) of which the one below is at least `margin` quicker."""
    return {
        (a, b) for place, a in enumerate(moving) for b in moving[place + 1 :]
        if expected[b] < expected[a] and expected[b] <= expected[a] * (1 - margin)
    }  # fmt: skip


def propose(
    order: Sequence[int],
    evidence: Mapping[int, Evidence],
    fixed: Collection[int],
    *,
    allowed: Collection[Pair] | None = None,
    charged: Mapping[int, float] | None = None,
    margin: float = MARGIN,
    min_samples: int = MIN_SAMPLES,
) -> Proposal:
    """`order` (deployment ids, each once) with quicker ones moved up.

    One passes another above it only when it is expected at least `margin` quicker, both were tried `min_samples` times
    and the pair is `allowed` (None: all are); those between are passed along when they are no quicker. Fixed ones keep
    their places, and so do those with too few samples.
    """
    expected = totals(evidence, charged)
    moving = movable(order, evidence, fixed, min_samples=min_samples)
    pairs = wanted(moving, expected, margin=margin)
    settled = _settle(moving, expected, pairs if allowed is None else pairs & set(allowed))
    following, loose = iter(settled), set(moving)
    after = tuple(next(following) if one in loose else one for one in order)
    places = {one: place for place, one in enumerate(order)}
    moves = tuple(
        Move(one, places[one], place, why(one, order, after, expected, evidence))
        for place, one in enumerate(after)
        if places[one] != place
    )
    return Proposal(after, moves, inversions(moving, settled))


def inversions(before: Sequence[int], after: Sequence[int]) -> tuple[Pair, ...]:
    """The pairs (above, below) of `before` that stand the other way round in `after`."""
    places = {one: place for place, one in enumerate(after)}
    stay = [one for one in before if one in places]
    return tuple((a, b) for n, a in enumerate(stay) for b in stay[n + 1 :] if places[b] < places[a])


def put_down(before: object, after: object) -> list[int]:
    """The deployments of two stored orders that others passed, in their order; what cannot be read is passed over."""
    was, now = (
        [place["deployment"] for place in order if isinstance(place, dict) and isinstance(place.get("deployment"), int)]
        if isinstance(order, list) else []
        for order in (before, after)
    )  # fmt: skip
    return list(dict.fromkeys(above for above, _ in inversions(was, now)))


def _settle(moving: Sequence[int], expected: Mapping[int, float], pairs: set[Pair]) -> list[int]:
    """From the quickest on, each goes above the topmost one it may pass, if none between is quicker than it is."""
    settled = list(moving)
    for one in sorted(moving, key=lambda name: expected[name]):
        place = settled.index(one)
        target = place
        for higher in range(place - 1, -1, -1):
            if expected[settled[higher]] < expected[one]:
                break
            if (settled[higher], one) in pairs:
                target = higher
        settled.insert(target, settled.pop(place))
    return settled


def answered_words(found: Evidence) -> str:
    """`920 of 1,000 tries answered (60 met a rate limit)`."""
    limited = f" ({found.rate_limited:,} met a rate limit)" if found.rate_limited else ""
    return f"{found.ok:,} of {found.tries:,} tries answered{limited}"


def why(
    one: int,
    before: Sequence[int],
    after: Sequence[int],
    expected: Mapping[int, float],
    evidence: Mapping[int, Evidence],
) -> str:
    """The numbers of the move: against the slowest it passed, or the quickest that passed it."""
    found = evidence[one]
    itself = f"{answered_words(found)}, {expected[one] / 1000:.2f} s expected to an answer"
    was, now = (expected.keys() & set(order[: order.index(one)]) for order in (before, after))
    if passed := was - now:
        rival = max(passed, key=lambda other: (expected[other], other))
        gain = 1 - expected[one] / expected[rival]
        return f"{itself}: {gain:.0%} less than the {expected[rival] / 1000:.2f} s of deployment {rival}"
    passing = now - was or now or was
    rival = min(passing, key=lambda other: (expected[other], other))
    return f"{itself}; passed by deployment {rival}, expected after {expected[rival] / 1000:.2f} s"
