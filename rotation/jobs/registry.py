"""Every job: its name, what it is for, when it runs unless an operator says otherwise, and the function that does it.

A job's function takes nothing, may be run at any time and any number of times, and returns one line for people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Job:
    """`minute` and `hour` are crontab fields, in UTC. `path` names the function: every process knows the jobs, but
    only a worker needs what they import."""

    name: str
    purpose: str
    path: str
    minute: str
    hour: str = "*"

    @property
    def task(self) -> str:
        """The name of its Celery task."""
        return f"rotation.jobs.{self.name}"

    def work(self) -> str:
        """Does it; one line for people on what was done."""
        function: Callable[[], str] = import_string(self.path)
        return function()


JOBS: Mapping[str, Job] = {
    job.name: job
    for job in (
        Job(
            "partitions",
            "Make the days to come, drop what is past its time.",
            "rotation.jobs.upkeep.keep_partitions",
            "5",
        ),
        Job(
            "discover",
            "Read every provider's listing: new and vanished models, prices, sizes, features.",
            "rotation.jobs.discover.discover",
            "20",
        ),
        Job(
            "life",
            "Take each model's life a step further: verified, canary, in the rotation, out again.",
            "rotation.jobs.discover.live",
            "*/10",
        ),
        Job(
            "verify",
            "Try on models what they can do, within each account's share for it.",
            "rotation.discovery.verify.job.verify",
            "*/5",
        ),
        Job("replays", "Play the replays that wait in the laboratory.", "rotation.replay.work.work_waiting", "*/5"),
        Job(
            "regret",
            "Tell how far each pool was last week from the best fixed order in hindsight.",
            "rotation.replay.weekly.report_all",
            "25",
            "*/6",
        ),
        Job("keys", "Ask the providers which keys they still take.", "rotation.jobs.keys.recheck", "*/15"),
        Job(
            "reorder", "Put quicker models further up, by what was measured.", "rotation.reorder.job.reorder_all", "35"
        ),
    )
}
