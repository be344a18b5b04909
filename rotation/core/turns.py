"""The words of the rotation: what to do now. No behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rotation.core.failures import Failure
from rotation.core.targets import Target


@dataclass(frozen=True, slots=True)
class Try:
    """Send to this target now. `again`: this call has tried it before. `last_resort`: it was set aside by ourselves.

    `another`: somebody else could still answer before the client's deadline if this one is not waited for too long.
    """

    target: Target
    again: bool = False
    last_resort: bool = False
    another: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be tried for this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No answer from here. `final` decides what the client is told; `retry_at` is the earliest feasible moment.

    `back` is that moment of each target by its id, infinity where nobody knows.
    """

    failures: tuple[tuple[Target, Failure], ...]
    final: Failure | None
    retry_at: float | None
    back: Mapping[tuple[int, int], float] = field(default_factory=dict, compare=False)
