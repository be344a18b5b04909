"""`manage.py jobs list` and `manage.py jobs run <name>`: what runs by the clock, and one of it now."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from rotation.control.by import By
from rotation.jobs import runs
from rotation.jobs.registry import JOBS
from rotation.models import Door, JobRun


class Command(BaseCommand):
    help = "List the scheduled jobs, or run one of them now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="every job with its last run")
        run = actions.add_parser("run", help="run one now, whatever its schedule")
        run.add_argument("job", choices=list(JOBS))

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "list":
            self.list_jobs()
            return
        By("command line", Door.COMMAND).told("run", "job", options["job"])
        ran = runs.run(JOBS[options["job"]], timezone.now())
        if ran.ending is not runs.Ending.DONE:
            raise CommandError(f"{options['job']}: {ran.words}")
        self.stdout.write(f"{options['job']}: {ran.words}")

    def list_jobs(self) -> None:
        for job in JOBS.values():
            last = JobRun.objects.filter(job=job.name).first()
            told = f"{last.slot:%Y-%m-%d %H:%M} UTC {last.state}: {last.summary or last.error}" if last else "never run"
            self.stdout.write(f"{job.name:12} {job.purpose}\n{'':12} {told}")
