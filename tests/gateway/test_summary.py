"""One line a minute says what was answered."""

from __future__ import annotations

from typing import Any

from rotation.gateway.summary import Summary


def call(outcome: str, attempts: int = 1, ms: float = 1000.0) -> dict[str, Any]:
    return {"t": "call", "outcome": outcome, "attempts": [{}] * attempts, "total_ms": ms}


def test_a_minute_is_told_in_one_line_and_then_forgotten() -> None:
    summary = Summary()
    for record in (call("answered"), call("answered", 2, 3000.0), call("failed"), {"t": "cooldown"}):
        summary.take(record)
    assert summary.line() == "3 calls: 2 answered (1 at the first try, median 3.00 s), 1 failed"
    assert summary.line() == ""


def test_a_minute_without_answers_has_no_median() -> None:
    summary = Summary()
    summary.take(call("cancelled"))
    assert summary.line() == "1 call: 0 answered (0 at the first try), 1 cancelled"
