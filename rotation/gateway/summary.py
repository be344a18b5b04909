"""One INFO line a minute about what was answered, for whoever reads logs instead of pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any


class Summary:
    """Counts the journal's call records until the next line is due."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._times: list[float] = []

    def take(self, record: Mapping[str, Any]) -> None:
        """A journal record; anything but a call is ignored."""
        if record["t"] != "call":
            return
        self._counts[record["outcome"]] += 1
        if record["outcome"] == "answered":
            self._counts["first try"] += len(record["attempts"]) == 1
            self._times.append(record["total_ms"])

    def line(self) -> str:
        """What happened since the last line, and start anew; "" when nothing did."""
        counts, times = self._counts, sorted(self._times)
        self._counts, self._times = Counter(), []
        calls = counts.total() - counts["first try"]
        if not calls:
            return ""
        rest = [f"{counts[name]} {name}" for name in ("failed", "interrupted", "refused", "cancelled") if counts[name]]
        median = f", median {times[len(times) // 2] / 1000:.2f} s" if times else ""
        answered = f"{counts['answered']} answered ({counts['first try']} at the first try{median})"
        return f"{calls} call{'s' if calls > 1 else ''}: {', '.join([answered, *rest])}"
