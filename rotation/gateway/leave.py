"""The words between health and those who ask it: the work to be done, leave to try it, or why not. No behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rotation.core.permits import Permit as BreakerPermit
from rotation.core.policy import BALANCED, Policy
from rotation.core.selection import Standing, State
from rotation.core.targets import Target
from rotation.gateway.limits import Reserved

KEPT_FOR_CLIENTS = 0.5  # of every quota: what the jobs' own calls leave


@dataclass(frozen=True, slots=True)
class Refused:
    """Not admitted before `until` (engine time; infinity: not for this call).

    `soft`: only because of our own judgement, so it may be asked for once more as a last resort.
    """

    until: float
    why: str
    soft: bool = False
    state: State = State.RESTING
    limited: bool = False

    @property
    def standing(self) -> Standing:
        return Standing(self.state, self.until, self.why, self.soft, self.limited)


@dataclass(slots=True)
class Permit:
    """Leave for one attempt at `target`; tell health once what came of it. `quiet`: it is a job's (`quiet.py`)."""

    target: Target
    started: float
    policy: Policy
    breakers: list[tuple[str, BreakerPermit]]
    reserved: Reserved = field(default_factory=list)
    request: str = ""
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """What health needs to know of a call to admit it: under which policy, for which pool, how large, among whom.

    `tokens` are the prompt's, `output` is the most that was asked for (None: nobody said).
    """

    policy: Policy = BALANCED
    pool: str = ""
    tokens: int = 0
    request: str = ""
    audio_seconds: float = 0.0
    output: int | None = 0
    peers: Sequence[Target] = ()
    quiet: bool = False

    @property
    def keep(self) -> float:
        """The share of every quota this call must leave."""
        return KEPT_FOR_CLIENTS if self.quiet else 0.0
