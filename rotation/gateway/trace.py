"""One line of a call's trace: what became of a candidate, and why. No behaviour of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rotation.core.selection import Candidate, State
from rotation.gateway.grounds import until_record

if TYPE_CHECKING:
    from rotation.gateway.entry import Note


def trace_row(candidate: Candidate, note: Note | None, won: bool) -> dict[str, Any]:
    """`note` is its last attempt, if there was one; `won`: it answered."""
    target, standing = note.target if note else candidate.target, candidate.standing
    row: dict[str, Any] = {"target": target.name, "deployment": target.deployment.id, "key": target.key.id}
    if note is not None and note.quota:
        row["quota"] = list(note.quota)
    if won:
        return {**row, "state": "answered"}
    if note is not None:
        words = note.failure.row.words if note.failure else note.outcome
        message = note.failure.message if note.failure else ""
        return {**row, "state": "tried", "why": f"{words}: {message}" if message else words}
    if standing.state is State.READY:
        return {**row, "state": State.READY, "why": "would have been next"}
    return {**row, "state": standing.state, "why": standing.why, **until_record(standing)}


def untold(note: Note) -> Note:
    """The attempt without what the provider said, which is for the operator only."""
    return replace(note, failure=replace(note.failure, message="")) if note.failure else note
