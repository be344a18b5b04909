"""What was asked and what came of every attempt, as plain values: the traffic that is replayed and what it rests on.

Seconds and epoch seconds throughout; tokens as counted by the provider, or estimated where it did not say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from rotation.core.failures import FailureKind
from rotation.core.targets import Needs

#: An attempt's kinds that say something about a call or its client, not about the deployment: never drawn for another.
REQUESTS_OWN = frozenset(
    {
        FailureKind.BAD_REQUEST,
        FailureKind.CONTENT_POLICY,
        FailureKind.TOO_LONG,
        FailureKind.TOO_LARGE_FOR_BUDGET,
        FailureKind.LACKS_FEATURE,
        FailureKind.CANCELLED,
        FailureKind.OUT_OF_TIME,
    }
)
#: Kinds that follow from limits: where the limits are known they emerge from the quotas, and are not drawn as well.
LIMITS_OWN = frozenset({FailureKind.RATE_LIMITED, FailureKind.QUOTA_DAY})
#: What a person or a key check ends: it belongs to that moment, not to the deployment's nature.
KEYS_OWN = frozenset({FailureKind.BAD_CREDENTIAL, FailureKind.OUT_OF_CREDIT, FailureKind.NOT_PERMITTED})


class Asked(NamedTuple):
    """One call. `at` epoch seconds; `answer` tokens of its answer, whoever gives it; `output` the most it asks for."""

    at: float
    needs: Needs
    answer: int
    output: int | None = None

    @property
    def stream(self) -> bool:
        return self.needs.stream


class Seen(NamedTuple):
    """One attempt as it was measured. `call` is the traffic's index of the call it belonged to, -1 for none of it.

    `kind` None means answered. `first` and `total` are seconds from the attempt's start to its first content (streams)
    and to its end.
    """

    at: float
    deployment: int
    kind: FailureKind | None
    first: float | None
    total: float
    prompt: int = 0
    answer: int = 0
    call: int = -1
    status: int | None = None
    retry_after: float | None = None


class Spent(NamedTuple):
    """What a call that is not replayed (another pool's, a job's, one its client gave up) took from quotas: one request
    and its tokens, from each of the scopes it stood in."""

    at: float
    scopes: tuple[str, ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """A window of traffic with all that was measured in it. `left_out` counts calls by why they are not in it."""

    calls: tuple[Asked, ...]
    seen: tuple[Seen, ...]
    source: str = ""
    rule: str = ""
    left_out: dict[str, int] = field(default_factory=dict)
    window: float = 0.0  # seconds it stands for
    share: float = 1.0  # of the window's calls that are in it
    others: tuple[Spent, ...] = ()  # by time
    really: tuple[tuple[bool, float], ...] = ()  # of each call: whether it was answered, and after how many seconds
