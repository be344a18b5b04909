"""The values an explanation is made of. They hold what is known and say None for what is not; words stand beside them.

Times are milliseconds or moments in UTC; counts are attempts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


def plain(value: Any) -> Any:
    """A value as JSON has it: objects, lists, texts, numbers."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


@dataclass(frozen=True, slots=True)
class Left:
    """What was left of one limit: `limit` units of `axis` in every `window_s` seconds."""

    axis: str
    window_s: float
    limit: float
    left: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A deployment's last 24 hours. What the caller gave up or got wrong is not counted in `attempts`."""

    attempts: int
    answered: int
    p50_ms: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate as the call saw it. `place` counts those that stood in line; `words` is the reason with numbers."""

    place: int | None
    deployment: int | None
    target: str
    state: str
    why: str
    words: str
    until: datetime | None = None
    score: float | None = None
    quota: tuple[Left, ...] = ()
    measured: Measured | None = None


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt; `start_ms` counts from the start of the call, the others from the start of the attempt."""

    n: int
    deployment: int
    model: str
    outcome: str
    status: int | None
    message: str
    start_ms: float
    connect_ms: float | None
    first_ms: float | None
    total_ms: float


@dataclass(frozen=True, slots=True)
class Policy:
    """By what a call was chosen: the pool's version and strategy. `order`: everybody considered, None if not kept.

    `models` are further names the client gave, `pin` and `exclude` its wishes, `why` what its name was taken for.
    """

    pool: str
    version: int | None
    strategy: str
    order: tuple[int, ...] | None = None
    keyless: tuple[int, ...] = ()
    models: tuple[str, ...] = ()
    pin: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Why this model: the row that answered, None when none did, and the reasons in sentences."""

    row: Row | None
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One deployment as the present policy sees it. `measured` is of the last 24 hours; `expected_ms` is their median,
    else what the starter data knows of the model.
    """

    place: int | None
    deployment: int
    target: str
    state: str
    why: str
    until: datetime | None = None
    score: float | None = None
    quota: tuple[Left, ...] = ()
    measured: Measured | None = None
    expected_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Present:
    """What the present policy would choose for the same needs. `first` is who would be asked, after `wait_s` seconds.

    `changed` says how `first` stands against then, `refused` why such a call would be turned away, `assumed` what was
    not stored and had to be guessed.
    """

    at: datetime
    policy: Policy
    first: Choice | None
    wait_s: float
    expected_ms: float | None
    choices: tuple[Choice, ...]
    words: str
    changed: str = ""
    refused: str = ""
    assumed: str = ""

    @property
    def wait_ms(self) -> float:
        return self.wait_s * 1000


@dataclass(frozen=True, slots=True)
class Explanation:
    """One call, explained. `needs` is empty when they were not stored."""

    id: UUID
    at: datetime
    asked: str
    outcome: str
    needs: dict[str, int | float | bool | str | None]
    policy: Policy
    rows: tuple[Row, ...]
    tries: tuple[Try, ...]
    chosen: Chosen
    present: Present

    def as_json(self) -> dict[str, Any]:
        return dict(plain(self))


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why not this model. `found` is a state of the trace, or one of spare, keyless, elsewhere, later, unsure, unknown.

    `then` speaks of the call, `now` of the present policy.
    """

    id: UUID
    model: str
    deployment: int | None
    found: str
    then: str
    now: str
    row: Row | None = None
    choice: Choice | None = None

    def as_json(self) -> dict[str, Any]:
        return dict(plain(self))
