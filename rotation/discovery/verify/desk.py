"""What one worker has before it: the line of tasks, the budgets of their providers, who has to rest, what is under way.

Every method is one step in the database; nothing here waits or sends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from rotation.discovery.verify import queue, records, suite
from rotation.discovery.verify.asking import Heard
from rotation.discovery.verify.budget import NEVER, Budget
from rotation.discovery.verify.claims import facts_of
from rotation.discovery.verify.findings import found
from rotation.discovery.verify.questions import Question
from rotation.models import VerificationRun, VerificationTask

FRESH = timedelta(seconds=60)  # so long a budget is believed before its rows are read again

Progress = Callable[[str], None]


@dataclass(slots=True)
class Desk:
    """What one worker works with."""

    run: VerificationRun | None
    now: Callable[[], datetime]
    progress: Progress | None = None
    resting: dict[int, datetime] = field(default_factory=dict)  # deployments that have to wait, and until when
    budgets: dict[int, Budget] = field(default_factory=dict)
    ours: dict[int, int] = field(default_factory=dict)  # tasks under way here, and of which deployment
    away: bool = False  # the gateway is
    line: list[queue.Waiting] = field(default_factory=list)
    read_at: datetime | None = None  # when the line was
    why: str = ""
    asked: int = 0
    done: int = 0

    def take(self) -> tuple[VerificationTask, Question] | None:
        """A task that may be asked now, claimed; None when there is none."""
        now = self.now()
        self._look(now)
        for waiting in list(self.line):
            if self._from(waiting) <= now and (taken := self._taken(waiting, now)):
                return taken
        return None

    def _look(self, now: datetime) -> None:
        if self.read_at is None or now - self.read_at > FRESH or not self.line:
            self.line, self.read_at = queue.line(self.run), now

    def _from(self, waiting: queue.Waiting) -> datetime:
        """When it may be asked, as far as is known here."""
        if waiting.deployment in self.ours.values():
            return NEVER
        return max(waiting.due_at, self.resting.get(waiting.deployment, waiting.due_at))

    def _taken(self, waiting: queue.Waiting, now: datetime) -> tuple[VerificationTask, Question] | None:
        """Claims the task if its budget has room; else its lane rests. Several workers look and claim in turn, so that
        together they use no more than one may."""
        if not self._room(waiting, now):
            return None
        with transaction.atomic():
            queue.in_turn(waiting.provider)
            if self._budget(waiting.provider, now).overtaken():
                self._budget(waiting.provider, now, fresh=True)
            if not self._room(waiting, now):
                return None
            task = queue.claim(waiting.pk, now)
        self.line.remove(waiting)
        if task is None:
            return None
        budget, deployment = self.budgets[waiting.provider], task.deployment
        budget.ask(deployment.pk, task.capability, now, task=task.pk)
        self._room(waiting, now)  # and whoever shares its limits waits from now on
        self.ours[task.pk] = deployment.pk
        facts = facts_of(deployment, budget.room(deployment.pk))
        seed = f"{task.run_id}/{deployment.pk}/{task.trial}/{task.asked}"
        return task, suite.question(task.capability, facts, seed)

    def _room(self, waiting: queue.Waiting, now: datetime) -> bool:
        budget = self._budget(waiting.provider, now)
        if waiting.deployment not in budget.deployments:  # made after the budget was read
            budget = self._budget(waiting.provider, now, fresh=True)
        leave = budget.leave(waiting.deployment, waiting.capability, now)
        if leave.at > now:
            self.why = leave.why
            self._let_rest(leave.ids, leave.at)
        return leave.at <= now

    def _budget(self, provider: int, now: datetime, *, fresh: bool = False) -> Budget:
        known = self.budgets.get(provider)
        if fresh or known is None or now - known.read_at > FRESH:
            known = self.budgets[provider] = Budget(provider, now)
        return known

    def put(self, task: VerificationTask, question: Question, heard: Heard) -> None:
        """Records what was heard; a limit lets the whole lane rest."""
        now, finding = self.now(), found(heard, question)
        try:
            if records.record(task, finding, now):
                self.asked += finding.sent
                self.done += task.state == "done"
        finally:
            queue.let_go(task)
            self.ours.pop(task.pk, None)
        self.away = self.away or finding.unheard
        if finding.trial.limited:
            self._rest(task, task.due_at)
        if task.state == "waiting":
            of = task.deployment
            self.line.append(queue.Waiting(task.pk, of.provider_id, of.pk, task.capability, task.due_at))
        if self.progress is not None:
            self.progress(f"{task.deployment.name}: {suite.SUITE[task.capability].label}, {_words(task)}")

    def _rest(self, task: VerificationTask, until: datetime) -> None:
        budget = self._budget(task.deployment.provider_id, self.now())
        shared = budget.free if task.deployment.pk in budget.free else frozenset({task.deployment.pk})
        soon = self.now() + timedelta(seconds=60)  # the limit may be that of one model alone
        self._let_rest(shared, min(until, soon))
        self._let_rest({task.deployment.pk}, until)

    def _let_rest(self, deployments: Collection[int], until: datetime) -> None:
        """A longer rest is never cut short by another."""
        for pk in deployments:
            self.resting[pk] = max(until, self.resting.get(pk, until))

    def next_at(self) -> datetime | None:
        """When something may be asked again, None when nothing is waiting."""
        self._look(self.now())
        moments = [self._from(waiting) for waiting in self.line if waiting.deployment not in self.ours.values()]
        return min(moments, default=None)


def _words(task: VerificationTask) -> str:
    if task.state == "waiting":
        return f"later: {task.cause.replace('_', ' ')}"
    return f"{task.get_verdict_display().lower()}{f' ({task.score:.0f} of 5)' if task.score is not None else ''}"
