"""The Rotation page: one pool's order with reasons, what is proposed, what was changed, what it still regrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.queries.order import JOB, next_run, places
from rotation.models import JobRun, Pool, RegretReport, Reordering, ReorderingState
from rotation.models.pools import LAST, Mode
from rotation.reorder.calm import must_wait
from rotation.reorder.finding import percent, policy_of

OPEN = (ReorderingState.PROPOSED, ReorderingState.HELD)
TRIES = ("ok", "failed", "rate_limited")
SHOWN = 6  # changes on the page; the others have a list of their own
#: How a state is coloured; each is also said in words.
MOODS: Mapping[str, str] = {
    ReorderingState.PROPOSED: "warn",
    ReorderingState.HELD: "warn",
    ReorderingState.APPLIED: "ok",
    ReorderingState.KEPT: "ok",
    ReorderingState.ROLLED_BACK: "bad",
}
MODES = {
    Mode.AUTOMATIC: "Better orders are applied by themselves when they are sure enough, and watched.",
    Mode.PROPOSE: "Better orders are proposed; a person applies them.",
    Mode.OFF: "Nothing is reordered by itself here.",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One deployment in a change: its place after it and before it (from 1; None where it was not in it)."""

    name: str
    after: int | None
    before: int | None
    why: str

    @property
    def moved(self) -> int:
        """Places up (positive) or down."""
        return (self.before or 0) - (self.after or 0) if self.before and self.after else 0


@dataclass(frozen=True, slots=True)
class Change:
    """A reordering for people."""

    row: Reordering
    steps: Sequence[Step]

    @property
    def mood(self) -> str:
        return MOODS.get(self.row.state, "")

    @property
    def open(self) -> bool:
        return self.row.state in OPEN

    @property
    def undoable(self) -> bool:
        return self.row.applied_at is not None and self.row.undone_at is None

    @property
    def moves(self) -> list[Step]:
        """Who moved, the longest way first."""
        return sorted((step for step in self.steps if step.moved), key=lambda step: -abs(step.moved))

    @property
    def by_hand(self) -> bool:
        return isinstance(self.row.evidence, dict) and bool(self.row.evidence.get("by_hand"))

    @property
    def deployments(self) -> list[dict[str, Any]]:
        """What each was measured to be."""
        rows = _rows(self.row.evidence, "deployments")
        return [{**row, "tries": sum(_whole(row.get(name)) for name in TRIES)} for row in rows]

    @property
    def swaps(self) -> list[dict[str, Any]]:
        """The pairs that were compared, those that were made first."""
        found = sorted(_rows(self.row.evidence, "swaps"), key=lambda row: not row.get("made"))
        return [{**row, "sure": _sure(row.get("confidence"))} for row in found]

    @property
    def sure(self) -> str:
        """Of the least certain swap."""
        return _sure(self.row.confidence)

    @property
    def watched(self) -> str:
        """What was seen while it was watched, in words."""
        told = self.row.watched if isinstance(self.row.watched, dict) else {}
        return str(told.get("words") or "")


def _whole(number: object) -> int:
    return number if isinstance(number, int) else 0


def _sure(confidence: object) -> str:
    return percent(confidence) if isinstance(confidence, float) else ""


def _rows(evidence: object, name: str) -> list[dict[str, Any]]:
    rows = evidence.get(name) if isinstance(evidence, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def change_of(row: Reordering) -> Change:
    """A stored change, whatever stands in it."""
    before = {place["deployment"]: n for n, place in enumerate(places(row.before), 1)}
    after = {place["deployment"]: n for n, place in enumerate(places(row.after), 1)}
    names = {p["deployment"]: p for p in [*places(row.before), *places(row.after)]}
    gone = [one for one in before if one not in after]
    steps = [
        Step(str(names[one].get("name", "")), after.get(one), before.get(one), _why(names[one]))
        for one in [*after, *gone]
    ]
    return Change(row, steps)


def _why(place: Mapping[str, Any]) -> str:
    dated = str(place.get("why", "")).partition(" UTC: ")
    return dated[2] or dated[0]


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything the page tells of a pool beside its members."""

    open: Sequence[Change]
    past: Sequence[Change]
    more: int
    regret: RegretReport | None
    waits: str
    next_look: datetime | None
    last_look: JobRun | None
    explores: float
    mode: str


def shown(pool: Pool, now: datetime) -> Shown:
    """Seven queries."""
    rows = pool.reorderings.order_by("-at", "-id")
    past = rows.exclude(state__in=(*OPEN, ReorderingState.SUPERSEDED))
    kept = list(past[: SHOWN + 1])
    return Shown(
        open=[change_of(row) for row in rows.filter(state__in=OPEN)[:3]],
        past=[change_of(row) for row in kept[:SHOWN]],
        more=len(kept) - SHOWN,
        regret=pool.regret_reports.order_by("-week").first(),
        waits=must_wait(pool, now),
        next_look=next_run(now),
        last_look=JobRun.objects.filter(job=JOB.rpartition(".")[2]).order_by("-slot").first(),
        explores=policy_of(pool).explore_share if pool.strategy == "ordered" else 0.0,
        mode=MODES.get(Mode(pool.reordering), ""),
    )


def comes_last(member: Any) -> bool:
    """A generic endpoint that nobody placed."""
    return bool(member.deployment.provider.kind == "generic" and member.placement.position >= LAST)
