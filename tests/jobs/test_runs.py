"""A job runs once per slot of its schedule, whoever asks and however often."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from rotation.jobs import registry, runs, schedule
from rotation.jobs.registry import JOBS, Job
from rotation.jobs.runs import Ending
from rotation.jobs.tasks import TASKS
from rotation.models import JobRun, RunState

SLOT = datetime(2025, 11, 20, 12, tzinfo=UTC)
DONE: list[str] = []


def work() -> str:
    DONE.append("done")
    return "one thing done"


def broken() -> str:
    raise ValueError("no such thing\nand more of it")


JOB = Job("counted", "For tests.", "tests.jobs.test_runs.work", "*")
BROKEN = Job("broken", "For tests.", "tests.jobs.test_runs.broken", "*")


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    DONE.clear()


@pytest.mark.django_db
def test_a_slot_is_done_once_and_remembered():
    assert runs.run(JOB, SLOT).ending is Ending.DONE
    assert runs.run(JOB, SLOT).ending is Ending.PAST
    assert runs.run(JOB, SLOT + timedelta(minutes=1)).ending is Ending.DONE
    assert len(DONE) == 2
    row = JobRun.objects.get(job="counted", slot=SLOT)
    assert (row.state, row.summary, row.error) == (RunState.DONE, "one thing done", "")
    assert row.ended_at is not None
    assert row.started_at <= row.ended_at


@pytest.mark.django_db
def test_a_failure_is_a_row_with_its_reason_and_not_an_exception(caplog: pytest.LogCaptureFixture):
    ran = runs.run(BROKEN, SLOT)
    assert ran == runs.Ran(Ending.FAILED, "ValueError: no such thing")
    assert JobRun.objects.get().error == "ValueError: no such thing"
    assert [r.levelname for r in caplog.records] == ["ERROR"]
    assert runs.run(BROKEN, SLOT).ending is Ending.PAST


@pytest.mark.django_db
def test_a_run_left_by_a_killed_worker_is_taken_over():
    JobRun.objects.create(job="counted", slot=SLOT, state=RunState.RUNNING, started_at=SLOT)
    assert runs.run(JOB, SLOT).ending is Ending.DONE
    row = JobRun.objects.get()
    assert row.started_at > SLOT
    assert row.state == RunState.DONE


@pytest.mark.django_db(transaction=True)
def test_five_schedulers_at_once_make_one_run_of_each_slot():
    slots = [SLOT + timedelta(minutes=n) for n in range(5)]
    together = threading.Barrier(5)
    endings: list[Ending] = []

    def scheduler() -> None:
        try:
            for slot in slots:
                together.wait(30)
                endings.append(runs.run(JOB, slot).ending)
        finally:
            connection.close()

    threads = [threading.Thread(target=scheduler) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(DONE) == len(slots)
    assert endings.count(Ending.DONE) == len(slots)
    assert set(endings) <= {Ending.DONE, Ending.BUSY, Ending.PAST}
    assert JobRun.objects.filter(state=RunState.DONE).count() == len(slots)


@pytest.mark.django_db(transaction=True)
def test_a_job_that_is_at_work_is_not_started_again(monkeypatch: pytest.MonkeyPatch):
    begun, go_on = threading.Event(), threading.Event()
    slow = Job("slow", "For tests.", "", "*")

    def wait(job: Job) -> str:
        begun.set()
        assert go_on.wait(30)
        return ""

    monkeypatch.setattr(Job, "work", wait)

    def first() -> None:
        runs.run(slow, SLOT)
        connections.close_all()

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(30)
    assert runs.run(slow, SLOT + timedelta(hours=1)).ending is Ending.BUSY
    go_on.set()
    thread.join()
    assert JobRun.objects.count() == 1


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The task of the job "keys", doing nothing but count."""
    monkeypatch.setattr(Job, "work", lambda job: work())

    def send(**headers: object) -> None:
        TASKS["keys"].apply(headers=headers)

    return send


@pytest.mark.django_db
def test_what_beat_sends_belongs_to_a_slot_and_what_a_person_asks_does_not(counted: Callable[..., Any]):
    schedule.install()
    PeriodicTask.objects.filter(name="Rotation: keys").update(crontab=every(minute="0", hour="0"))
    for _ in range(3):
        counted(periodic_task_name="Rotation: keys", **{schedule.SCHEDULED: True})
    assert len(DONE) == 1
    assert (JobRun.objects.get().slot.hour, JobRun.objects.get().slot.minute) == (0, 0)
    counted(periodic_task_name="Rotation: keys")
    counted()
    assert len(DONE) == 3


def every(**values: str) -> CrontabSchedule:
    return CrontabSchedule.objects.create(**values)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("crontab", "expected"),
    [
        ({"minute": "*/15"}, datetime(2025, 11, 20, 12, 30, tzinfo=UTC)),
        ({"minute": "20", "hour": "*/6"}, datetime(2025, 11, 20, 12, 20, tzinfo=UTC)),
        ({"minute": "44"}, datetime(2025, 11, 20, 12, 44, tzinfo=UTC)),
        ({"minute": "45"}, datetime(2025, 11, 20, 11, 45, tzinfo=UTC)),
        ({"minute": "0", "hour": "3", "day_of_week": "0"}, datetime(2025, 11, 16, 3, 0, tzinfo=UTC)),
        ({"minute": "0", "hour": "9", "timezone": "Europe/Berlin"}, datetime(2025, 11, 20, 8, 0, tzinfo=UTC)),
    ],
)
def test_a_slot_is_the_last_moment_the_crontab_named(crontab: dict[str, str], expected: datetime):
    PeriodicTask.objects.create(name="t", task="t", crontab=every(**crontab))
    now = datetime(2025, 11, 20, 12, 44, 59, 999_999, tzinfo=UTC)
    assert schedule.slot("t", now) == expected


@pytest.mark.django_db
def test_a_slot_of_an_interval_is_the_same_for_every_scheduler():
    interval = IntervalSchedule.objects.create(every=10, period=IntervalSchedule.MINUTES)
    PeriodicTask.objects.create(name="t", task="t", interval=interval)
    assert schedule.slot("t", SLOT + timedelta(minutes=9, seconds=59)) == SLOT
    assert schedule.slot("t", SLOT + timedelta(minutes=10)) == SLOT + timedelta(minutes=10)
    assert schedule.slot("gone", SLOT + timedelta(seconds=59)) == SLOT


@pytest.mark.django_db
def test_schedules_are_given_once_and_the_operators_from_then_on():
    assert schedule.install() == len(JOBS)
    tasks = {task.name: task for task in PeriodicTask.objects.filter(task__startswith="rotation.")}
    assert {task.task for task in tasks.values()} == {job.task for job in JOBS.values()}
    tasks["Rotation: keys"].delete()
    PeriodicTask.objects.filter(name="Rotation: discover").update(enabled=False)
    assert schedule.install() == 0
    assert not PeriodicTask.objects.filter(name="Rotation: keys").exists()
    assert not PeriodicTask.objects.get(name="Rotation: discover").enabled


def test_every_job_can_be_found_and_its_task_is_known():
    from django.utils.module_loading import import_string

    from rotation.celery import app

    for job in JOBS.values():
        assert callable(import_string(job.path))
        assert job.task in app.tasks
    assert registry.JOBS["keys"].task == "rotation.jobs.keys"


@pytest.mark.django_db
def test_the_command_lists_jobs_and_runs_one():
    out = StringIO()
    call_command("jobs", "list", stdout=out)
    assert "never run" in out.getvalue()
    call_command("jobs", "run", "reorder", stdout=out)
    assert "reorder: every order stands" in out.getvalue()
    assert JobRun.objects.get().job == "reorder"
    assert abs((JobRun.objects.get().slot - timezone.now()).total_seconds()) < 60
    call_command("jobs", "list", stdout=out)
    assert "done: every order stands" in out.getvalue()


@pytest.mark.django_db
def test_the_command_fails_when_the_job_does(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Job, "work", lambda job: broken())
    with pytest.raises(CommandError, match="reorder: ValueError: no such thing"):
        call_command("jobs", "run", "reorder")
