"""The queue of tasks in the database: claimed one by one, put back when whoever had one is gone.

A claim is a row's state and an advisory lock of the session that claimed it; both end together, the one by an answer,
the other at the latest with the session, however its process ends. So a task that says "under way" while its lock is
free was left behind, and is asked again; an answer is recorded by the one claim that still holds, once.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from rotation.models import RunState, TaskState, VerificationRun, VerificationTask

LOCKS = 7_301_011  # first half of the advisory locks; the second is the task's id
MOST_TIMES = 6  # a task is put to a model at most so often, whatever happens to those who ask


def next_waiting(run: VerificationRun | None, now: datetime, without: Collection[int] = ()) -> VerificationTask | None:
    """The first task that is due, of a deployment nobody is asking now and that is not among `without`."""
    busy = VerificationTask.objects.filter(state=TaskState.UNDER_WAY, deployment=OuterRef("deployment"))
    waiting = open_tasks(run).filter(state=TaskState.WAITING, due_at__lte=now).exclude(deployment_id__in=without)
    return waiting.filter(~Exists(busy)).select_related("deployment__provider").order_by("run_id", "id").first()


def open_tasks(run: VerificationRun | None) -> QuerySet[VerificationTask]:
    """Tasks still to be done, of one run or of all."""
    found = VerificationTask.objects.filter(
        state__in=(TaskState.WAITING, TaskState.UNDER_WAY), run__state=RunState.RUNNING
    )
    return found.filter(run=run) if run is not None else found


@transaction.atomic
def claim(task: VerificationTask, now: datetime) -> bool:
    """Take it, if nobody else has; `task` is brought up to date."""
    row = VerificationTask.objects.select_for_update(skip_locked=True).filter(pk=task.pk, state=TaskState.WAITING)
    found = row.first()
    if found is None or not _lock(task.pk):
        return False
    task.state, task.claimed_at, task.asked, task.request_id = TaskState.UNDER_WAY, now, found.asked + 1, uuid.uuid4()
    task.save(update_fields=["state", "claimed_at", "asked", "request_id"])
    return True


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
