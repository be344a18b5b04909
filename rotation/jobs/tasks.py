"""The jobs as Celery tasks, one each. No arguments, no results: what there is to know stands in the database."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from rotation.jobs import runs, schedule
from rotation.jobs.registry import JOBS, Job


def _task(job: Job) -> Any:
    @shared_task(name=job.task, bind=True)
    def task(self: Any) -> str:
        headers = self.request.headers or {}
        now = timezone.now()
        slot = schedule.slot(headers.get("periodic_task_name", ""), now) if headers.get(schedule.SCHEDULED) else now
        return runs.run(job, slot).words

    return task


TASKS = {name: _task(job) for name, job in JOBS.items()}
