"""Answering before a client's deadline: whom to try first, how long to wait for each, and when not to begin at all.

Pure planning over what was heard of each deployment lately. It has a say only where the client named a deadline.
Seconds throughout; `left` is what is left of the call's time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from rotation.core.expectation import Heard

#: A target fits when this much more than its median is left.
MARGIN = 1.25
#: What a target is given at least before another one gets its turn: this much of its own slowest answers.
PATIENCE = 1.5
#: Samples below which nothing that was heard moves anybody.
FEW = 3.0
#: Samples of every candidate before a deadline is called out of reach.
EVIDENCE = 10.0

T = TypeVar("T")


def fits(heard: Heard | None, left: float) -> bool:
    """Whether an answer may be expected in time; whoever is not known gets the benefit of the doubt."""
    return heard is None or heard.samples < FEW or heard.p50 * MARGIN <= left


def first_in_time(free: Sequence[T], heard: Callable[[T], Heard | None], left: float) -> T | None:
    """The first, in the order given, that fits what is left; when none does, the one most likely to be in time."""
    fit = next((one for one in free if fits(heard(one), left)), None)
    if fit is not None or not free:
        return fit
    return min(free, key=lambda one: known.p50 if (known := heard(one)) else 0.0)


def share(own: float, left: float, heard: Heard | None, *, another: bool) -> float:
    """Seconds for one attempt: its `own` limit, never more than is left, and while there is `another` who may still
    be in time, no more than half of what is left, or one and a half times what this one takes at its slowest.
    """
    if not another:
        return min(own, left)
    slowest = heard.p95 * PATIENCE if heard is not None and heard.samples >= FEW else 0.0
    return min(own, left, max(slowest, left / 2))


def had_its_time(given: float, heard: Heard | None) -> bool:
    """Whether a target that was silent for so long has only itself to blame, and not the client's deadline."""
    return heard is not None and heard.samples >= FEW and given >= heard.p95 * PATIENCE


def out_of_reach(candidates: Iterable[Heard | None], left: float, *, caution: float = 1.0) -> Heard | None:
    """The quickest of the candidates, when not even its quickest answers (p5 times `caution`) fit what is left.

    None while there is hope: while any of them is not known well, or is quick enough.
    """
    known = list(candidates)
    if not known or any(one is None or one.samples < EVIDENCE for one in known):
        return None
    quickest = min((one for one in known if one is not None), key=lambda one: one.p5)
    return quickest if left < quickest.p5 * caution else None
