"""The queue of tasks in the database: claimed one by one, put back when whoever had one is gone.

A claim is a row's state and an advisory lock of the session that claimed it; both end together, the one by an answer,
the other at the latest with the session, however its process ends. So a task that says "under way" while its lock is
free was left behind, and is asked again; an answer is recorded by the one claim that still holds, once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from rotation.models import RunState, TaskState, VerificationRun, VerificationTask

LOCKS = 7_301_011  # first half of the advisory locks; the second is the task's id
LINE = ("pk", "deployment__provider_id", "deployment_id", "capability", "due_at")


@dataclass(slots=True)
class Waiting:
    """A task in the line, as it stood when the line was read."""

    pk: int
    provider: int
    deployment: int
    capability: str
    due_at: datetime


def line(run: VerificationRun | None) -> list[Waiting]:
    """What is waiting, in its order: a picture of it. Whether a task may still be had, `claim` says."""
    waiting = open_tasks(run).filter(state=TaskState.WAITING).order_by("run_id", "id")
    return [Waiting(*row) for row in waiting.values_list(*LINE)]


def open_tasks(run: VerificationRun | None) -> QuerySet[VerificationTask]:
    """Tasks still to be done, of one run or of all."""
    found = VerificationTask.objects.filter(
        state__in=(TaskState.WAITING, TaskState.UNDER_WAY), run__state=RunState.RUNNING
    )
    return found.filter(run=run) if run is not None else found


def in_turn(provider: int) -> None:
    """Until this transaction ends nobody else claims a task of this provider."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCKS + 2, provider])


@transaction.atomic
def claim(pk: int, now: datetime) -> VerificationTask | None:
    """The task, taken; None when somebody else has it, it was called off, or its model is being asked by another."""
    row = VerificationTask.objects.select_for_update(skip_locked=True, of=("self",))
    busy = VerificationTask.objects.filter(state=TaskState.UNDER_WAY, deployment=OuterRef("deployment"))
    waiting = row.filter(pk=pk, state=TaskState.WAITING, due_at__lte=now)
    task = waiting.filter(~Exists(busy)).select_related("deployment__provider").first()
    if task is None or not _lock(pk):
        return None
    task.state, task.claimed_at, task.asked, task.request_id = TaskState.UNDER_WAY, now, task.asked + 1, uuid.uuid4()
    task.save(update_fields=["state", "claimed_at", "asked", "request_id"])
    return task


def held(task: VerificationTask) -> bool:
    """Whether this claim still holds. To be asked inside the transaction that records the answer."""
    mine = VerificationTask.objects.select_for_update().filter(
        pk=task.pk, state=TaskState.UNDER_WAY, request_id=task.request_id
    )
    return mine.exists()


def let_go(task: VerificationTask) -> None:
    """The lock of a claim that has ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCKS, _half(task.pk)])


@transaction.atomic
def put_back(ours: Iterable[int] = ()) -> int:
    """Tasks left by workers that are gone wait again; `ours` are under way here. How many there were."""
    under_way = VerificationTask.objects.filter(state=TaskState.UNDER_WAY).exclude(pk__in=list(ours))
    left = [pk for pk in under_way.values_list("pk", flat=True) if _lock(pk)]  # nobody else holds these
    found = VerificationTask.objects.filter(pk__in=left, state=TaskState.UNDER_WAY).update(
        state=TaskState.WAITING, request_id=None
    )
    for pk in left:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCKS, _half(pk)])
    return found


def _lock(pk: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCKS, _half(pk)])
        return bool(cursor.fetchone()[0])


def _half(pk: int) -> int:
    """A task's id as the second half of an advisory lock, a signed number of 32 bits."""
    return pk % 2**32 - 2**31
