"""One run of a job in one slot of its schedule: once, however many schedulers, workers and redeliveries ask for it.

An advisory lock keeps two runs of one job apart, the unique row (job, slot) keeps a slot from being done twice; a row
that says "running" while the lock is free was left by a worker that was killed, and is taken over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zlib import crc32

from django.db import connection
from django.utils import timezone

from rotation.jobs.registry import Job
from rotation.models import JobRun, RunState

logger = logging.getLogger("rotation.jobs")

LOCKS = 7_301_010  # first half of the advisory locks; the second is the job's name


class Ending(StrEnum):
    DONE = "done"
    FAILED = "failed"
    BUSY = "busy"  # another worker is at this job
    PAST = "past"  # this slot has had its run


@dataclass(frozen=True, slots=True)
class Ran:
    ending: Ending
    words: str


def run(job: Job, slot: datetime) -> Ran:
    """Does the job unless its slot is done or somebody is at it. A failure is written down, not raised."""
    with _alone(job) as alone:
        if not alone:
            return Ran(Ending.BUSY, "another worker is at it")
        row, new = JobRun.objects.get_or_create(job=job.name, slot=slot)
        if not new and row.state != RunState.RUNNING:
            return Ran(Ending.PAST, f"already run: {row.summary or row.error}")
        row.started_at = timezone.now()
        return _finish(row, job)


def _finish(row: JobRun, job: Job) -> Ran:
    try:
        row.summary = job.work()
        row.state = RunState.DONE
        logger.info("job %s: %s", job.name, row.summary)
    except Exception as error:
        row.error = f"{type(error).__name__}: {error}".split("\n", 1)[0][:2000]
        row.state = RunState.FAILED
        logger.exception("job %s failed", job.name)
    row.ended_at = timezone.now()
    row.save()
    return Ran(Ending(row.state), row.summary or row.error)


@contextmanager
def _alone(job: Job) -> Iterator[bool]:
    """Whether this is the only run of the job now; for as long as the block lasts, or the connection lives."""
    name = crc32(job.name.encode()) - 2**31
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCKS, name])
        alone = bool(cursor.fetchone()[0])
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCKS, name])
