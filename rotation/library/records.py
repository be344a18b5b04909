"""What a rotation manager counts, and the same for people to read. Nothing is decided here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rotation.core.stats import Recent

COLUMNS = ("model", "requests", "successes", "failures", "rate limited", "success rate", "average", "p95",
           "rotations to", "breaker")  # fmt: skip


def duration(seconds: float | None) -> float | None:
    """`seconds` when they are a time a call can have taken, else None: not measured."""
    return seconds if seconds is not None and math.isfinite(seconds) and seconds >= 0 else None


@dataclass(slots=True)
class Record:
    """One model's outcomes. Times are seconds; `last_used` is when the last outcome came in, on the manager's clock."""

    successes: int = 0
    failures: int = 0
    rate_limited: int = 0
    rotations_to: int = 0
    last_used: float | None = None
    timed: int = 0
    total: float = 0.0
    recent: Recent = field(default_factory=Recent)

    def answered(self, now: float, elapsed: float | None) -> None:
        self.successes += 1
        self.last_used = now
        if elapsed is not None:
            self.timed += 1
            self.total += elapsed
            self.recent.add(elapsed)

    def failed(self, now: float) -> None:
        self.failures += 1
        self.last_used = now

    def refused(self, now: float) -> None:
        self.rate_limited += 1
        self.last_used = now

    def to_dict(self) -> dict[str, Any]:
        """For `get_metrics`; None means that nothing was measured."""
        requests = self.successes + self.failures + self.rate_limited
        return {
            "requests": requests,
            "successes": self.successes,
            "failures": self.failures,
            "rate_limited": self.rate_limited,
            "success_rate": self.successes / requests if requests else None,
            "average_time": self.total / self.timed if self.timed else None,
            "p50_time": self.recent.p50,
            "p95_time": self.recent.p95,
            "last_used": self.last_used,
            "rotations_to": self.rotations_to,
        }


def table(metrics: Mapping[str, Any]) -> str:
    """`get_metrics()` as lines of text."""
    rows = [COLUMNS, *(_row(model, numbers) for model, numbers in metrics["models"].items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ["  ".join(_cells(row, widths)).rstrip() for row in rows]
    system = metrics["system"]
    last = system["last_rotation"]
    lines.append(
        f"current model {system['current_model']}, breaker {system['breaker']}, {system['rotations']} rotations, "
        f"{system['consecutive_failures']} failures in a row"
    )
    if last:
        lines.append(f"last rotation: {last['before']} -> {last['after']} ({last['why']})")
    return "\n".join(lines) + "\n"


def _row(model: str, numbers: Mapping[str, Any]) -> tuple[str, ...]:
    counts = [str(numbers[name]) for name in ("requests", "successes", "failures", "rate_limited")]
    rate = numbers["success_rate"]
    times = [_seconds(numbers["average_time"]), _seconds(numbers["p95_time"])]
    share = "-" if rate is None else f"{rate:.1%}"
    return (model, *counts, share, *times, str(numbers["rotations_to"]), str(numbers["breaker"]))


def _cells(row: tuple[str, ...], widths: list[int]) -> list[str]:
    """Numbers to the right, words to the left."""
    ends = (0, len(row) - 1)
    return [c.ljust(w) if i in ends else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
