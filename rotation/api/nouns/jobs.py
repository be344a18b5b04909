"""Jobs: what runs by the clock, and one of it now."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field

from rotation.api.keyset import Listing, Paging, page
from rotation.api.problems import Missing
from rotation.api.shapes import Done, Moment, Strict
from rotation.api.who import by
from rotation.control import jobs as control
from rotation.jobs.registry import JOBS, Job
from rotation.models import JobRun

router = Router(tags=["jobs"])
PLACE = "/v1/jobs/{slug:name}"


class RunShown(Schema):
    """One run, in one slot of the schedule."""

    id: int
    job: str
    slot: Moment
    state: str
    started_at: Moment
    ended_at: Moment | None
    summary: str
    error: str


class JobShown(Schema):
    """A job with its schedule and its last run."""

    name: str = Field(examples=["keys"])
    purpose: str
    schedule: str | None = Field(description="In words; null when its schedule was deleted.")
    enabled: bool
    last: RunShown | None


class JobChange(Strict):
    enabled: bool


def found(name: str) -> Job:
    if name not in JOBS:
        raise Missing(f"There is no job {name}; there are: {', '.join(JOBS)}.")
    return JOBS[name]


def shown(job: Job) -> dict[str, Any]:
    row, last = control.schedule(job.name), JobRun.objects.filter(job=job.name).first()
    return {
        "name": job.name,
        "purpose": job.purpose,
        "schedule": str(row.scheduler) if row else None,
        "enabled": bool(row and row.enabled),
        "last": last,
    }


@router.get("/v1/jobs", response=list[JobShown])
def list_jobs(request: HttpRequest) -> Any:
    """Every job."""
    return [shown(job) for job in JOBS.values()]


@router.get(PLACE, response=JobShown)
def get_job(request: HttpRequest, name: str) -> Any:
    """One job."""
    return shown(found(name))


@router.patch(PLACE, response=JobShown)
def change_job(request: HttpRequest, name: str, body: JobChange) -> Any:
    """Switch its schedule on and off."""
    control.set_enabled(by(request), found(name).name, enabled=body.enabled)
    return shown(found(name))


@router.post(f"{PLACE}/run", response={202: Done})
def run_job(request: HttpRequest, name: str) -> Any:
    """Put it into the queue now; its runs tell what came of it."""
    control.run_now(by(request), found(name).name)
    return Status(202, {"words": f"{name} is in the queue; a worker does it as soon as it can."})


@router.get(f"{PLACE}/runs", response=Listing[RunShown])
def list_job_runs(request: HttpRequest, name: str, at: Query[Paging]) -> Any:
    """Its runs, the newest first."""
    return page(request, JobRun.objects.filter(job=found(name).name), ("-slot", "-id"), at)
