"""When jobs run: rows of django-celery-beat, given once and the operator's from then on; and a run's slot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from rotation.jobs.registry import JOBS, Job
from rotation.models import StarterMark

#: Beat sends this along; a run without it was asked for by a person, and belongs to no slot.
SCHEDULED = "rotation_scheduled"
HEADERS = f'{{"{SCHEDULED}": true}}'
TASKS = "rotation.jobs."
FURTHEST = 8 * 24 * 60  # minutes looked back for the last moment a crontab named


@transaction.atomic
def install() -> int:
    """Schedules every job that never was; how many. One that was edited, switched off or deleted stays so, but for jobs
    there are no more."""
    ours = PeriodicTask.objects.filter(task__startswith=TASKS)
    ours.exclude(task__in=[job.task for job in JOBS.values()]).delete()
    given = set(StarterMark.objects.values_list("name", flat=True))
    new = [job for job in JOBS.values() if _mark(job) not in given]
    for job in new:
        asked = {"crontab": _crontab(job), "task": job.task, "description": job.purpose}
        PeriodicTask.objects.get_or_create(name=f"Rotation: {job.name}", defaults={**asked, "headers": HEADERS})
    StarterMark.objects.bulk_create((StarterMark(name=_mark(job)) for job in new), ignore_conflicts=True)
    return len(new)


def _mark(job: Job) -> str:
    return f"schedule:{job.name}"


def _crontab(job: Job) -> CrontabSchedule:
    when = {"minute": job.minute, "hour": job.hour, "timezone": "UTC"}
    every = dict.fromkeys(("day_of_week", "day_of_month", "month_of_year"), "*")
    same = CrontabSchedule.objects.filter(**when, **every).first()  # the table allows twins, so no get_or_create
    return same or CrontabSchedule.objects.create(**when, **every)


def slot(name: str, now: datetime) -> datetime:
    """The moment the schedule called `name` last named: the same for every scheduler and for a late delivery.

    A schedule that is gone, or of a kind that names no moments, has one slot a minute.
    """
    row = PeriodicTask.objects.filter(name=name).select_related("crontab", "interval").first()
    if row is not None and row.interval is not None:
        every = row.schedule.run_every.total_seconds()
        return datetime.fromtimestamp(now.timestamp() // every * every, UTC)
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    if row is None or row.crontab is None:
        return minute
    due = _due(row.schedule)
    back = (minute - timedelta(minutes=n) for n in range(FURTHEST))
    return next((moment for moment in back if due(moment)), minute)


def _due(crontab: Any) -> Callable[[datetime], bool]:
    """Whether a crontab (in its own time zone) names a minute."""

    def due(moment: datetime) -> bool:
        there = moment.astimezone(crontab.tz)
        return (
            there.minute in crontab.minute
            and there.hour in crontab.hour
            and there.isoweekday() % 7 in crontab.day_of_week
            and there.day in crontab.day_of_month
            and there.month in crontab.month_of_year
        )

    return due
