"""Times at equal work: what an answer would have taken had it read and written as much as the others.

Raw times compare what models were asked, not models: whoever got the long prompts looks slow. The time of an answer is
taken as a base, so much per token written and so much per token read; each answer's time is scaled by what that line
says of the common work and of its own (indirect standardisation, a ratio of observed to expected).

The lines are Theil's: the slope is the median of the slopes between answers of small and of large size (the incomplete
method, H. Theil 1950, "A rank-invariant method of linear and polynomial regression analysis"), which a quarter of wild
values does not move, in O(n log n).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

#: Answers whose own shape weighs as much as that of the others in the pool.
PRIOR_ANSWERS = 20.0
#: Answers below which a shape says nothing.
FEW = 8
#: No time is scaled by more than this: a line says little far from where it was seen.
SCALE = 20.0


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt as it was stored: `at` epoch seconds, times ms, tokens as the provider counted them."""

    at: float
    ms: float
    answered: bool
    tokens_in: int = 0
    tokens_out: int = 0
    first_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """How much is read and written, in tokens."""

    tokens_in: float = 0.0
    tokens_out: float = 0.0


@dataclass(frozen=True, slots=True)
class Shape:
    """Which share of an answer's time at the common work goes into writing and into reading; the rest is fixed."""

    writing: float = 0.0
    reading: float = 0.0


FLAT = Shape()


def common_work(tries: Mapping[int, Sequence[Try]]) -> Work:
    """The middle answer of all deployments together, of those whose tokens were told; nothing when there is none."""
    answers = [one for many in tries.values() for one in many if one.answered]
    if not answers:
        return Work()
    read, wrote = ([n for a in answers if (n := getattr(a, which)) > 0] for which in ("tokens_in", "tokens_out"))
    return Work(float(median(read or [0])), float(median(wrote or [0])))


def shapes(tries: Mapping[int, Sequence[Try]], work: Work) -> dict[int, Shape]:
    """Of each deployment, drawn towards the mean of all while its answers are few: n / (n + PRIOR_ANSWERS) its own."""
    answers = {one: [t for t in many if t.answered] for one, many in tries.items()}
    own = {one: shape for one, many in answers.items() if (shape := _shape(many, work)) is not None}
    if not own:
        return dict.fromkeys(answers, FLAT)
    middle = Shape(
        sum(s.writing for s in own.values()) / len(own),
        sum(s.reading for s in own.values()) / len(own),
    )
    return {one: _drawn(own.get(one), middle, len(many)) for one, many in answers.items()}


def at_common_work(one: Try, shape: Shape, work: Work) -> float:
    """Its ms, had it read and written the common work; tokens nobody told (0) are taken for the common ones."""
    longer = 1.0
    if work.tokens_out > 0 and one.tokens_out > 0:
        longer += shape.writing * (one.tokens_out / work.tokens_out - 1)
    if work.tokens_in > 0 and one.tokens_in > 0:
        longer += shape.reading * (one.tokens_in / work.tokens_in - 1)
    return one.ms / min(max(longer, 1 / SCALE), SCALE)


def _drawn(own: Shape | None, middle: Shape, answers: int) -> Shape:
    if own is None:
        return middle
    trust = answers / (answers + PRIOR_ANSWERS)
    return Shape(
        trust * own.writing + (1 - trust) * middle.writing,
        trust * own.reading + (1 - trust) * middle.reading,
    )


def _shape(answers: Sequence[Try], work: Work) -> Shape | None:
    """Writing first; reading from what writing leaves. None when too few, or all of one size."""
    answers = [a for a in answers if a.tokens_out > 0 and a.tokens_in > 0]
    if len(answers) < FEW:
        return None
    written = [(float(a.tokens_out), a.ms) for a in answers]
    per_out = slope(written)
    per_in = slope([(float(a.tokens_in), a.ms - per_out * a.tokens_out) for a in answers])
    base = max(median(a.ms - per_out * a.tokens_out - per_in * a.tokens_in for a in answers), 0.0)
    whole = base + per_out * work.tokens_out + per_in * work.tokens_in
    if whole <= 0 or not (per_out or per_in):
        return FLAT if whole > 0 else None
    return Shape(per_out * work.tokens_out / whole, per_in * work.tokens_in / whole)


def slope(points: Iterable[tuple[float, float]]) -> float:
    """Theil's, by the incomplete method: each point of the smaller half with its fellow of the larger. Never below 0:
    more work takes no less time."""
    ordered = sorted(points)
    half = (len(ordered) + 1) // 2
    pairs = zip(ordered[: len(ordered) - half], ordered[half:], strict=True)
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in pairs if x2 > x1]
    return max(median(slopes), 0.0) if slopes else 0.0
