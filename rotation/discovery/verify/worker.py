"""The worker: a few questions at a time, each when the budget lets it, and every answer recorded before the next.

Time, the door and the way to the database are arguments, so that a test can let days go by.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.utils import timezone

from rotation.discovery.verify import queue
from rotation.discovery.verify.asking import Door
from rotation.discovery.verify.budget import NEVER
from rotation.discovery.verify.desk import Desk, Progress
from rotation.discovery.verify.questions import Question
from rotation.models import VerificationRun, VerificationTask

log = logging.getLogger("rotation.discovery")

AT_ONCE = 4  # questions under way, of different models
LOOK = 5.0  # seconds between looks for work when there is none yet
PATIENCE = timedelta(minutes=5)  # a limit further off than this is not waited for here
SHORTEST = 0.2  # seconds

Rows = Callable[..., Awaitable[Any]]


async def in_a_thread(function: Callable[..., Any], *given: Any) -> Any:
    """The usual way to the database from a loop."""
    return await sync_to_async(function)(*given)


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
    desk = Desk(run, now, progress)
    back = await rows(queue.put_back)
    if back:
        log.info("%d tasks of a worker that is gone are asked again", back)
    under_way: set[asyncio.Task[None]] = set()
    try:
        while not desk.away and (until is None or now() < until):
            while len(under_way) < AT_ONCE and (taken := await rows(desk.take)) is not None:
                under_way.add(asyncio.create_task(_one(door, desk, taken, rows)))
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


async def _one(door: Door, desk: Desk, taken: tuple[VerificationTask, Question], rows: Rows) -> None:
    task, question = taken
    heard = await door.ask(task.deployment.name, question)
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
