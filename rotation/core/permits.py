"""The words between a breaker and those who ask it: states, permits, refusals, transitions. No behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    FORCED_OPEN = "forced_open"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state with its reason. `until` is when the rest ends, `opens` how many openings in a row count."""

    before: BreakerState
    after: BreakerState
    until: float | None
    opens: int
    reason: str


@dataclass(slots=True, eq=False)
class Permit:
    """Leave to make one call; report its outcome once (twice is harmless).

    `transition` is the step to half-open that leasing this probe may have been. The rest belongs to the breaker.
    """

    probe: bool
    epoch: object
    rand: float
    transition: Transition | None = None
    spent: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """No leave before `until`; infinite means not before an operator says so.

    A `soft` one (slow start) only asks to prefer others: with nobody else left, ask again as a last resort.
    """

    until: float
    reason: str
    soft: bool = False
