"""The laboratory's pages: one replay's result as figures and charts' input, whatever stands in the stored JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rotation.models import Replay, ReplayState
from rotation.replay.words import between, covered, summary, told

MOODS = {"better": "ok", "worse": "bad"}
WORDS = {"better": "better", "worse": "worse", "open": "could be either", "same": "the same"}
PARTS = {
    "order": "another order",
    "strategy": "another strategy",
    "preset": "another preset",
    "policy": "other knobs",
    "add": "with others",
    "leave_out": "without some",
}
STATES = {ReplayState.DONE: "ok", ReplayState.FAILED: "bad", ReplayState.RUNNING: "warn", ReplayState.WAITING: "warn"}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, written."""

    figure: Mapping[str, Any]

    @property
    def label(self) -> str:
        return str(self.figure["label"])

    def _told(self, name: str, *, signed: bool = False) -> str:
        return told(self.figure[name], self.figure["unit"], signed=signed)

    @property
    def present(self) -> str:
        return self._told("present")

    @property
    def candidate(self) -> str:
        return self._told("candidate")

    @property
    def difference(self) -> str:
        return self._told("difference", signed=True)

    @property
    def interval(self) -> str:
        return between(self.figure["interval"], self.figure["unit"], signed=True)

    @property
    def next_window(self) -> str:
        return between(self.figure["next_window"], self.figure["unit"])

    @property
    def verdict(self) -> str:
        return WORDS.get(self.figure["verdict"], "")

    @property
    def mood(self) -> str:
        return MOODS.get(self.figure["verdict"], "")


def rows(row: Replay) -> list[Row]:
    """The figures; none before it is done."""
    figures = row.result.get("figures") if isinstance(row.result, dict) else None
    return [Row(figure) for figure in figures or ()]


def words(row: Replay) -> dict[str, Any]:
    """Its summary, coverage and differences in words."""
    if row.state != ReplayState.DONE or not rows(row):
        return {}
    return {"summary": summary(row.result), "covered": list(covered(row.result))}


def wanted(row: Replay) -> str:
    """What was tried, in one line, done or not."""
    done = row.result.get("differences") if isinstance(row.result, dict) else None
    if done:
        return "; ".join(map(str, done))
    asked = row.candidate if isinstance(row.candidate, dict) else {}
    return ", ".join(words for part, words in PARTS.items() if asked.get(part)) or "the present policy"


def verdict(row: Replay) -> str:
    """Of the mean time to an answer, the figure people ask for first."""
    found = next((each for each in rows(row) if each.figure["name"] == "mean"), None)
    return f"{found.difference} to an answer, {found.verdict}" if found and found.verdict else ""


def cells(found: Sequence[Row]) -> list[list[Any]]:
    """The figures as numbers, for a file."""
    return [
        [row.figure["name"], row.label, row.figure["unit"], row.figure["present"], row.figure["candidate"],
         row.figure["difference"], *(row.figure["interval"] or (None, None)),
         *(row.figure["next_window"] or (None, None)), row.figure["verdict"]]
        for row in found
    ]  # fmt: skip


COLUMNS = ("figure", "label", "unit", "present", "candidate", "difference", "difference_low", "difference_high",
           "next_window_low", "next_window_high", "verdict")  # fmt: skip
