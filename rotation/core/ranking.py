"""In which order a pool's deployments should be asked, judged by what was measured, with a reason for every move.

Why the order by `expected_ms` is the right one: let a try of target i take t_i when it answers (share p_i) and f_i
when it does not, c_i = p_i t_i + (1 - p_i) f_i. Asking a before b is quicker on the average than b before a exactly
when c_a / p_a < c_b / p_b, whoever comes after them; and c / p = t + f (1 - p) / p.

Nothing here reads or writes a pool. Same evidence, same proposal; proposing again from the result moves nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

# Before anything is known a target is given 4 answers in 5 tries, and its prior latency weighs 5 answers.
PRIOR_OK = 4.0
PRIOR_FAILED = 1.0
PRIOR_ANSWERS = 5.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured of one deployment in the window; counts are attempts, times ms, None means not measured.

    `mean_ms` and `p50_ms` are the total time of answered attempts, `fail_ms` the mean time lost on one that was not
    (rate limits among them), `prior_ms` what was believed before (starter data).
    """

    deployment: int
    ok: int = 0
    failed: int = 0
    rate_limited: int = 0
    p50_ms: float | None = None
    mean_ms: float | None = None
    fail_ms: float | None = None
    prior_ms: float | None = None

    @property
    def tries(self) -> int:
        return self.ok + self.failed + self.rate_limited


@dataclass(frozen=True, slots=True)
class Move:
    """One deployment's new place; places count from 0."""

    deployment: int
    before: int
    after: int
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """The order to use. No moves: the present one stands."""

    order: tuple[int, ...]
    moves: tuple[Move, ...]


def answer_ms(evidence: Evidence) -> float | None:
    """How long an answer takes on the average, drawn towards the prior while answers are few; None if unknown."""
    measured = evidence.mean_ms if evidence.mean_ms is not None else evidence.p50_ms
    prior, answers = evidence.prior_ms, evidence.ok
    if measured is None or answers <= 0:
        return prior
    if prior is None:
        return measured
    return (answers * measured + PRIOR_ANSWERS * prior) / (answers + PRIOR_ANSWERS)


def success_share(evidence: Evidence) -> float:
    """The chance that a try is answered, shrunk towards 4 in 5; never 0."""
    return (evidence.ok + PRIOR_OK) / (evidence.tries + PRIOR_OK + PRIOR_FAILED)


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


def propose(
    order: Sequence[int],
    evidence: Mapping[int, Evidence],
    pinned: Collection[int],
    *,
    margin: float = 0.10,
    min_samples: int = 50,
) -> Proposal:
    """`order` (deployment ids, each once) with quicker ones moved up.

    One deployment passes the next above it only when it is expected at least `margin` quicker and both were tried
    `min_samples` times. Pinned ones keep their places, and so do those with too few samples.
    """
    tried = [one for one in order if one not in pinned and one in evidence and evidence[one].tries >= min_samples]
    expected = {one: ms for one in tried if (ms := expected_ms(evidence[one])) is not None}
    moving = _settle([one for one in order if one in expected], expected, margin)
    following = iter(moving)
    after = tuple(next(following) if one in expected else one for one in order)
    places = {one: place for place, one in enumerate(order)}
    moves = tuple(
        Move(one, places[one], place, _why(one, order, after, expected, evidence))
        for place, one in enumerate(after)
        if places[one] != place
    )
    return Proposal(after, moves)


def _settle(moving: list[int], expected: Mapping[int, float], margin: float) -> list[int]:
    """Neighbours swapped until none is worth it. Every swap undoes one inversion of the times, so it ends."""
    swapped = True
    while swapped:
        swapped = False
        for place in range(len(moving) - 1):
            above, below = moving[place], moving[place + 1]
            if expected[below] < expected[above] and expected[below] <= expected[above] * (1 - margin):
                moving[place], moving[place + 1] = below, above
                swapped = True
    return moving


def _why(
    one: int,
    before: Sequence[int],
    after: Sequence[int],
    expected: Mapping[int, float],
    evidence: Mapping[int, Evidence],
) -> str:
    """The numbers of the move: against the slowest it passed, or the quickest that passed it."""
    found = evidence[one]
    itself = f"{found.ok} of {found.tries} tries answered, {expected[one] / 1000:.2f} s expected to an answer"
    was, now = (expected.keys() & set(order[: order.index(one)]) for order in (before, after))
    if len(now) < len(was):
        rival = max(was - now, key=lambda other: (expected[other], other))
        gain = 1 - expected[one] / expected[rival]
        return f"{itself}: {gain:.0%} less than the {expected[rival] / 1000:.2f} s of deployment {rival}"
    rival = min(now - was, key=lambda other: (expected[other], other))
    return f"{itself}; passed by deployment {rival}, expected after {expected[rival] / 1000:.2f} s"
