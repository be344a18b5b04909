"""Jobs: run one now, switch its schedule on and off."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django_celery_beat.models import PeriodicTask, PeriodicTasks
from kombu.exceptions import OperationalError

from rotation.celery import app
from rotation.control.by import By
from rotation.jobs.registry import JOBS, Job

AWAY = "The queue cannot be reached now; try again in a moment."


def named(name: str) -> Job:
    """Raises ValidationError on `job`."""
    if name not in JOBS:
        raise ValidationError({"job": f"There is no such job; there are: {', '.join(JOBS)}."})
    return JOBS[name]


def run_now(by: By, name: str) -> Job:
    """Put it into the queue, whatever its schedule says; a worker does it, once. Raises ValidationError on `job`."""
    job = named(name)
    try:
        app.send_task(job.task, retry=False)
    except (OperationalError, OSError):
        raise ValidationError({"job": AWAY}) from None
    by.told("run", "job", job.name)
    return job


def schedule(name: str) -> PeriodicTask | None:
    """The row an operator may edit; None when it was deleted."""
    return PeriodicTask.objects.filter(task=named(name).task).order_by("id").first()


def set_enabled(by: By, name: str, *, enabled: bool) -> Job:
    """Whether its schedule runs. Raises ValidationError on `job`."""
    job, row = named(name), schedule(name)
    if row is None:
        raise ValidationError({"job": f"{name} has no schedule any more: it was deleted in the admin."})
    with by.changing(row):
        row.enabled = enabled
        row.save()
        PeriodicTasks.update_changed()
    return job
