"""Verifications started and called off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from kombu.exceptions import OperationalError

from rotation.celery import app
from rotation.control.by import By
from rotation.discovery.verify import runs
from rotation.jobs.registry import JOBS
from rotation.models import Deployment, VerificationRun


def start(
    by: By, deployments: Iterable[Deployment], *, about: str = "", capabilities: Sequence[str] | None = None
) -> VerificationRun:
    """Queue what applies to these models, or the named capabilities; a worker asks, within its share of the limits.

    Raises ValidationError for unknown capabilities, and when none of the models can be asked.
    """
    with transaction.atomic():
        run = runs.start(by.actor, deployments, about=about, capabilities=capabilities)
        by.noted("verify", run, about=run.about)
        transaction.on_commit(wake)
    return run


def wake() -> None:
    """Tell a worker; without a queue the schedule comes to it."""
    try:
        app.send_task(JOBS["verify"].task, retry=False)
    except (OperationalError, OSError):
        return


def cancel(by: By, run: VerificationRun) -> VerificationRun:
    """Call off what was not asked yet; verdicts that are there stay."""
    with transaction.atomic():
        found = runs.cancel(by.actor, run)
        by.noted("call off", found)
    return found
