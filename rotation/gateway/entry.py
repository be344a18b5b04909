"""One call's page in the journal: its attempts with exact timings, its end, its cost, and why it went where it went.

Times are engine seconds; what is written is milliseconds, offsets counted from the call's start.
A page is written exactly once, by whichever end comes first.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rotation.core.exploration import Turn
from rotation.core.failures import Failure
from rotation.core.selection import Candidate, Standing, State
from rotation.core.strategies import WORDS
from rotation.core.targets import Target
from rotation.gateway.call import Call
from rotation.gateway.costs import cost_of, expected_cost
from rotation.gateway.grounds import needs_record, policy_record
from rotation.gateway.purse import Hold
from rotation.gateway.snapshot import Route
from rotation.gateway.trace import trace_row, untold
from rotation.providers.base import Usage

OK = "ok"


def uuid7(at: float) -> str:
    """A UUID version 7 for wall-clock epoch seconds `at` (RFC 9562): sortable by time, the rest random.

    From the process's own generator: an id is told apart, not kept secret, and a system call for each would cost more.
    """
    number = int(at * 1000) << 80 | random.getrandbits(80)
    number = number & ~(0xF << 76) | 0x7 << 76
    text = f"{number & ~(0x3 << 62) | 0x2 << 62:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@dataclass(slots=True)
class Note:
    """One attempt, while it runs and after. Times in engine seconds; None until known."""

    id: str
    target: Target
    started: float
    outcome: str = ""
    ended: float | None = None
    first: float | None = None
    connect_ms: float | None = None
    status: int | None = None
    failure: Failure | None = None
    usage: Usage | None = None
    quota: Sequence[Mapping[str, Any]] = ()
    dropped: tuple[str, ...] = ()  # parameters this provider is known to refuse, left out for it


@dataclass(slots=True)
class Entry:
    """The page of one call."""

    call: Call
    route: Route
    write: Callable[[Mapping[str, Any]], None]
    now: Callable[[], float]
    candidates: list[Candidate] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    closed: bool = False
    scores: Mapping[int, float] = field(default_factory=dict)  # by deployment, where the strategy has one
    turn: Turn | None = None  # who was asked first out of turn
    hold: Hold | None = None  # of a client key with a budget
    _places: dict[tuple[int, int], int] = field(default_factory=dict)  # of the candidates, by target

    def begin(self, target: Target) -> Note:
        """An attempt begins."""
        note = Note(uuid7(self.call.at + self.now() - self.call.started), target, self.now())
        self.notes.append(note)
        if self.hold is not None:
            self.hold.expect(expected_cost(target.deployment, self.call.needs.prompt_tokens, self.call.output))
        return note

    def end(self, note: Note, outcome: str, *, failure: Failure | None = None, usage: Usage | None = None) -> None:
        """An attempt ended; `outcome` is "ok" or a failure kind."""
        note.outcome, note.ended, note.failure, note.usage = outcome, self.now(), failure, usage

    def set_aside(self, target: Target, standing: Standing) -> None:
        """It stood otherwise when its turn came than when the call came in."""
        if not self._places:
            self.candidates = list(self.candidates)
            self._places = {c.target.id: place for place, c in enumerate(self.candidates)}
        place = self._places[target.id]
        if self.candidates[place].standing.state is State.READY:
            self.candidates[place] = replace(self.candidates[place], standing=standing)

    def goes_on(self, route: Route, candidates: Sequence[Candidate]) -> None:
        """By another way, when the first has ended."""
        self.route, self.candidates, self._places = route, [*self.candidates, *candidates], {}

    def close(self, outcome: str, status: int, *, failure: Failure | None = None, error: str = "") -> None:
        """The call ended: write its line. Later calls do nothing."""
        if self.closed:
            return
        self.closed = True
        if self.hold is not None:
            self.hold.settle(self._cost())
        self.write(self._line(outcome, status, failure, error))

    @property
    def winner(self) -> Note | None:
        """The attempt that answered, or began to."""
        return next((n for n in reversed(self.notes) if n.outcome == OK or n.first is not None), None)

    def _line(self, outcome: str, status: int, failure: Failure | None, error: str) -> dict[str, Any]:
        call, won = self.call, self.winner
        usage = won.usage if won and won.usage else Usage()
        target = won.target if won else None
        lost = sum((n.ended or self.now()) - n.started for n in self.notes if n is not won)
        started = self.notes[0].started if self.notes else self.now()
        kept = {"prompt": call.prompt} if call.prompt else {}
        return {
            **kept, "t": "call", "id": call.id, "at": call.at, "client": call.client.id or None, "op": call.operation,
            "internal": call.client.internal, "asked": call.asked, "pool": self.route.pool, "stream": call.stream,
            "status": status, "outcome": outcome, "failure": failure.kind if failure else None,
            "provider": target.provider.id if target else None,
            "deployment": target.deployment.id if target else None, "key": target.key.id if target else None,
            "model": target.deployment.model if target else "",
            "queue_ms": self._ms(started), "first_ms": self._ms(won.first) if won and won.first else None,
            "total_ms": self._ms(self.now()), "lost_ms": lost * 1000,
            "tokens_in": usage.tokens_in, "tokens_out": usage.tokens_out, "estimated": usage.estimated,
            "cost": self._cost(),
            "simulated": any(c.target.provider.simulated for c in self.candidates), "error": error,
            "trace": self.trace(), "attempts": [self._attempt(i, n) for i, n in enumerate(self.notes, 1)],
            "needs": needs_record(call.needs, call.task),
            "policy": policy_record(call, self.route, self.candidates, self.turn),
        }  # fmt: skip

    def _cost(self) -> float | None:
        """USD of all attempts that used something; not known when that of one is not."""
        costs = [cost_of(n.usage, n.target.deployment) for n in self.notes if n.usage is not None]
        return None if not costs or None in costs else sum(c or 0.0 for c in costs)

    def _ms(self, at: float) -> float:
        return round((at - self.call.started) * 1000, 3)

    def _attempt(self, n: int, note: Note) -> dict[str, Any]:
        target, failure, usage = note.target, note.failure, note.usage or Usage()
        return {
            "id": note.id, "n": n, "provider": target.provider.id, "deployment": target.deployment.id,
            "account": target.account.id, "key": target.key.id, "model": target.deployment.model,
            "outcome": note.outcome, "status": note.status,
            "blame": failure.blames if failure else None, "message": failure.message if failure else "",
            "retry_after": failure.retry_after if failure else None, "start_ms": self._ms(note.started),
            "connect_ms": note.connect_ms,
            "first_ms": round((note.first - note.started) * 1000, 3) if note.first else None,
            "total_ms": round(((note.ended or self.now()) - note.started) * 1000, 3),
            "tokens_in": usage.tokens_in, "tokens_out": usage.tokens_out,
            "cost": cost_of(note.usage, target.deployment),
        }  # fmt: skip

    def trace(self, *, told: bool = True) -> list[dict[str, Any]]:
        """Per deployment, in order: what became of it and why. Ready ones beyond the first not needed are left out.

        `told`: with what the providers said, which is for the operator only.
        """
        tried = {n.target.deployment.id: n if told else untold(n) for n in self.notes}
        winner = self.winner
        won = winner.target.deployment.id if winner else None
        free = {c.target.deployment.id for c in self.candidates if c.standing.state is State.READY}
        rows: dict[int, dict[str, Any]] = {}
        spare: int | None = None
        for candidate in self.candidates:
            deployment, ready = candidate.target.deployment.id, candidate.standing.state is State.READY
            if deployment in rows:
                continue
            if deployment in tried:
                rows[deployment] = trace_row(candidate, tried[deployment], deployment == won)
            elif deployment not in free or (ready and spare is None):
                spare = deployment if ready else spare
                rows[deployment] = trace_row(candidate, None, False)
        if won is not None and won in rows:
            rows[won]["why"] = self._why(won)
        if self.turn is not None and self.turn.deployment in tried and self.turn.deployment != won:
            rows[self.turn.deployment]["why"] += f"; {self.turn.words}"
        return [{**row, "score": self.scores[one]} if one in self.scores else row for one, row in rows.items()]

    def _why(self, won: int) -> str:
        """Why the turn of whoever answered came: out of turn, or by the strategy; and what the name meant this time."""
        out_of_turn = self.turn is not None and self.turn.deployment == won
        words = self.turn.words if self.turn is not None and out_of_turn else WORDS[self.route.strategy]
        return f"{words}; {self.route.why}" if self.route.why else words
