"""Who is asked first for once though it stands lower: so that a model which got quicker is noticed.

A stated share of a pool's calls, no more, and no more than the same share of their time: the calls are counted, not
drawn, and after one that takes five times as long as the first the next comes four times later. Half of the turns go to
whoever most needs to be known, the others to whom nobody has asked for longest:
- what a reordering under watch put down, for the watch lives of comparing;
- a contender: whoever lower is expected to be quicker than the first;
- the one asked longest ago, the slower the less often.
Nobody whose measurement is fresh is asked again. A canary is put first by chance, with the share its place says. Pure:
who is ready, the clock and chance are arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

#: Seconds for which a measurement is fresh: nobody is explored more often than this, however many calls there are.
FRESH = 60.0
#: The same for whom a decision waits on.
FRESH_NEEDED = 10.0
#: Seconds a client must be willing to wait for its call to be one of these.
PATIENT = 60.0
NEVER = float("-inf")


class Cause(StrEnum):
    """Why somebody was asked first out of turn; what is kept with the call."""

    CANARY = "canary"
    WATCHED = "watched"
    CONTENDER = "contender"
    STALE = "stale"


WORDS = {
    Cause.CANARY: "asked first as a canary: it is new here and gets this share of the calls",
    Cause.WATCHED: "asked first as an exploration: the last reordering put it down and is being watched",
    Cause.CONTENDER: "asked first as an exploration: it may have become quicker than the first in line",
    Cause.STALE: "asked first as an exploration: nobody had asked it for longest",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """Who goes first for once, and why; `extra` is how much longer than the first's its answer is expected to take,
    in times of the first's."""

    deployment: int
    cause: Cause
    extra: float = 0.0

    @property
    def words(self) -> str:
        return WORDS[self.cause]


@dataclass(frozen=True, slots=True)
class Lower:
    """One that stands below the first: when it was asked last (engine seconds), and the seconds it is expected to
    take, None while nothing was heard of it."""

    deployment: int
    asked: float = NEVER
    seconds: float | None = None
    watched: bool = False


class Share:
    """Counts calls until an exploration is due: one in 1 / share on the average, never two in a row by luck.

    The first is due after half to one and a half times that, as are all the others: no rhythm of a client's own is
    always hit or always missed.
    """

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left: float | None = None

    def due(self, share: float, rand: Callable[[], float]) -> bool:
        """Whether this call is one, for a share of all calls; `rand` in [0, 1) says how long until the next."""
        if self._left is None:
            self._left = 0.5 + rand()
        self._left -= share
        if self._left > 0:
            return False
        self._left += 0.5 + rand()
        return True

    def spend(self, extra: float) -> None:
        """Wait longer for the next, after one that cost `extra` times what the first would have."""
        if self._left is not None:
            self._left += max(extra - 1.0, 0.0)


def turns(lower: Iterable[Lower], first_seconds: float | None, *, now: float, chance: float) -> Iterator[Turn]:
    """Who might be explored, the best first; nobody when all measurements are fresh. `chance` in [0, 1)."""
    longer = {one: _longer(one, first_seconds) for one in lower}
    ranked = sorted(longer, key=lambda one: ((one.asked - now) / longer[one], longer[one]))
    stale = [Turn(one.deployment, Cause.STALE, longer[one] - 1) for one in ranked if now - one.asked >= FRESH]
    waited_for = [one for one in ranked if now - one.asked >= FRESH_NEEDED]
    watched = [Turn(one.deployment, Cause.WATCHED, longer[one] - 1) for one in waited_for if one.watched]
    needed = [*watched, *_contenders(waited_for, first_seconds)]
    seen: set[int] = set()
    for turn in [*needed, *stale] if chance < 0.5 else [*stale, *needed]:
        if turn.deployment not in seen:
            seen.add(turn.deployment)
            yield turn


def _longer(one: Lower, first_seconds: float | None) -> float:
    """How many times as long as the first it is expected to take, at least 1."""
    if one.seconds is None or not first_seconds:
        return 1.0
    return max(one.seconds / first_seconds, 1.0)


def _contenders(waited_for: Iterable[Lower], first_seconds: float | None) -> list[Turn]:
    if first_seconds is None:
        return []
    quicker = [
        (one.seconds, one.deployment)
        for one in waited_for
        if one.seconds is not None and one.seconds < first_seconds
    ]  # fmt: skip
    return [Turn(deployment, Cause.CONTENDER) for _, deployment in sorted(quicker)]


def canary(shares: Sequence[tuple[int, float]], chance: float) -> Turn | None:
    """Which of the canaries (deployment, share) goes first: each with its share; None at all other calls."""
    edge = 0.0
    for deployment, share in shares:
        edge += share
        if chance < edge:
            return Turn(deployment, Cause.CANARY)
    return None
