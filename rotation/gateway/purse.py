"""What one client key has spent of its budgets, and what its calls under way are expected to cost. Days are UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Spent:
    """USD of one client key. `day` counts UTC days since 1970, `month` is 12 times the year and the month from 0."""

    day: int
    today: float
    month: int
    this_month: float


def day_of(now: float) -> int:
    return int(now // DAY)


def month_of(day: int) -> int:
    at = datetime.fromtimestamp(day * DAY, UTC)
    return 12 * at.year + at.month - 1


def month_begins(month: int) -> datetime:
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Purse:
    """What one client key has spent, and `held`: what its calls under way are expected to cost."""

    day: int
    month: int
    today: float = 0.0
    this_month: float = 0.0
    held: float = 0.0
    open: int = 0

    def turn(self, day: int) -> None:
        """It is `day` now: what was spent on another one is over."""
        if day > self.day:
            self.day, self.today = day, 0.0
            if (month := month_of(day)) > self.month:
                self.month, self.this_month = month, 0.0

    def believe(self, spent: Spent) -> None:
        """Somebody else's count, of which more is believed."""
        self.turn(spent.day)
        if spent.day == self.day:
            self.today = max(self.today, spent.today)
        if spent.month == self.month:
            self.this_month = max(self.this_month, spent.this_month)


@dataclass(slots=True)
class Hold:
    """What one call under way is expected to cost, until it is settled: once, twice is harmless."""

    purse: Purse
    day: int
    month: int
    expected: float = 0.0
    done: bool = field(default=False)

    def expect(self, usd: float) -> None:
        """The next attempt costs about so much; what failed before it cost nothing to speak of."""
        if usd > self.expected and not self.done:
            self.purse.held += usd - self.expected
            self.expected = usd

    def settle(self, usd: float | None) -> None:
        """The call ended at that cost; None when nobody knows, as in the ledger."""
        if self.done:
            return
        self.done = True
        purse = self.purse
        purse.open -= 1
        purse.held = max(purse.held - self.expected, 0.0) if purse.open else 0.0
        if self.day == purse.day:
            purse.today += usd or 0.0
        if self.month == purse.month:
            purse.this_month += usd or 0.0
