"""The worker: a few questions at a time, each when the budget lets it, and every answer recorded before the next.

Time, the door and the way to the database are arguments, so that a test can let days go by.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.utils import timezone

from rotation.discovery.verify import queue, records, suite
from rotation.discovery.verify.asking import Door, Heard
from rotation.discovery.verify.budget import NEVER, Budget
from rotation.discovery.verify.claims import facts_of
from rotation.discovery.verify.findings import found
from rotation.discovery.verify.questions import Question
from rotation.models import VerificationRun, VerificationTask

log = logging.getLogger("rotation.discovery")

AT_ONCE = 4  # questions under way, of different models
FRESH = timedelta(seconds=60)  # so long a budget is believed before its rows are read again
LOOK = 5.0  # seconds between looks for work when there is none yet
PATIENCE = timedelta(minutes=5)  # a limit further off than this is not waited for here
SHORTEST = 0.2  # seconds

Rows = Callable[..., Awaitable[Any]]
Progress = Callable[[str], None]


async def in_a_thread(function: Callable[..., Any], *given: Any) -> Any:
    """The usual way to the database from a loop."""
    return await sync_to_async(function)(*given)


@dataclass(slots=True)
class Desk:
    """What one worker works with."""

    door: Door
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
        """Claims the task if its budget has room; else its lane rests."""
        if not self._room(waiting, now):
            return None
        task = queue.claim(waiting.pk, now)
        self.line.remove(waiting)
        if task is None:
            return None
        budget, deployment = self.budgets[waiting.provider], task.deployment
        budget.ask(deployment.pk, task.capability, now)
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


async def work(
    door: Door,
    run: VerificationRun | None = None,
    *,
    until: datetime | None = None,
    progress: Progress | None = None,
    now: Callable[[], datetime] = timezone.now,
    rows: Rows = in_a_thread,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    patience: timedelta = PATIENCE,
) -> str:
    """Works until the end, or until nothing can be asked for longer than `patience`. One line on it."""
    desk = Desk(door, run, now, progress)
    back = await rows(queue.put_back)
    if back:
        log.info("%d tasks of a worker that is gone are asked again", back)
    under_way: set[asyncio.Task[None]] = set()
    try:
        while not desk.away and (until is None or now() < until):
            while len(under_way) < AT_ONCE and (taken := await rows(desk.take)) is not None:
                under_way.add(asyncio.create_task(_one(desk, taken, rows)))
            pause = await rows(_pause, desk, until, patience)
            if pause is None and not under_way:
                break
            under_way = await _until_one_ends(under_way, LOOK if pause is None else pause, sleep)
        await _finish(under_way)
    finally:
        for task in under_way:
            task.cancel()
    return str(await rows(_told, desk))


def _pause(desk: Desk, until: datetime | None, patience: timedelta) -> float | None:
    """Seconds until something may be asked, None when nothing will be for too long."""
    at, now = desk.next_at(), desk.now()
    if len(desk.ours) >= AT_ONCE:
        return LOOK
    if at is None or at >= min(until or NEVER, now + patience):
        return None
    return max((at - now).total_seconds(), SHORTEST)


async def _until_one_ends(
    under_way: set[asyncio.Task[None]], seconds: float, sleep: Callable[[float], Awaitable[None]]
) -> set[asyncio.Task[None]]:
    """Waits for an answer, or for so long; who is still under way. Raises what one of them raised."""
    alarm = asyncio.ensure_future(sleep(seconds))
    done, left = await asyncio.wait({*under_way, alarm}, return_when=asyncio.FIRST_COMPLETED)
    alarm.cancel()
    for task in done - {alarm}:
        task.result()
    return left - {alarm}


async def _finish(under_way: set[asyncio.Task[None]]) -> None:
    for task in list(under_way):
        await task


async def _one(desk: Desk, taken: tuple[VerificationTask, Question], rows: Rows) -> None:
    task, question = taken
    heard = await desk.door.ask(task.deployment.name, question)
    await rows(desk.put, task, question, heard)


def _told(desk: Desk) -> str:
    if desk.away:
        return "the gateway does not answer; what is waiting is asked when it is back"
    left = queue.open_tasks(desk.run).count()
    line = f"{desk.asked} questions asked, {desk.done} answered"
    if not left:
        return f"{line}; nothing is waiting" if desk.asked else "nothing is waiting"
    at = desk.next_at()
    when = f", on from {at:%d %b %H:%M} UTC" if at is not None and at < NEVER and at > desk.now() else ""
    return f"{line}; {left} more are waiting{when}{f': {desk.why}' if desk.why and when else ''}"
