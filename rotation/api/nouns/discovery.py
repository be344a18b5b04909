"""Discovery: what listings brought, what waits for a word, the registry as a file, and how long things live."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field, StringConstraints

from rotation.api.keyset import Listing, Paging, page
from rotation.api.shapes import Done, Id, Instant, Moment, Strict, Text, Usd, named, one
from rotation.api.who import by
from rotation.control import discovery as control
from rotation.control import jobs
from rotation.discovery import lives, registry, timeline
from rotation.models import CatalogueChange, Change, Deployment, DiscoveryRun, LifeStep, Pool, StepState

router = Router(tags=["discovery"])
STEP = "/v1/discovery/steps/{int:step_id}"
Slug = Annotated[str, StringConstraints(max_length=120, pattern=r"^[^\x00]*$")]


class LookShown(Schema):
    """One look at a provider's listing."""

    id: int
    provider_id: int
    state: str
    started_at: Moment
    ended_at: Moment | None
    listed: int
    changed: int
    error: str


class ChangeShown(Schema):
    """What a listing said that the one before did not."""

    id: int
    at: Moment
    run_id: int | None
    provider_id: int
    model_id: str
    change: str = Field(examples=list(Change.values))
    before: Any | None
    after: Any | None


class StepShown(Schema):
    """A step of a model's life, taken or proposed, with what it rests on."""

    id: int
    at: Moment
    model_id: int
    model: str
    pool_id: int | None
    step: str
    state: str = Field(examples=list(StepState.values))
    reason: str
    evidence: dict[str, Any]
    by: str
    decided_by: str
    decided_at: Moment | None

    @staticmethod
    def resolve_model_id(step: LifeStep) -> int:
        return int(step.deployment_id)

    @staticmethod
    def resolve_model(step: LifeStep) -> str:
        return step.deployment.name


class WeekShown(Schema):
    """Seven days from a Monday: changes in it, and what was listed at its end."""

    at: Moment
    born: int
    vanished: int
    back: int
    dearer: int
    cheaper: int
    freed: int
    charged: int
    resized: int
    listed: int
    free: int
    price: Usd | None
    context: int | None


class LifeShown(Schema):
    """How long free offers live: the share alive by age in days, with its 95 % interval."""

    ages_unknown: int
    steps: list[dict[str, Any]]


class Adopted(Strict):
    model: Id
    pool: Id
    canary: bool = True
    why: Text = ""


class Decided(Strict):
    why: Text = ""


class File(Strict):
    """A registry as YAML."""

    text: Annotated[str, StringConstraints(max_length=8_000_000)]


class FileShown(Schema):
    text: str


class ComparedShown(Schema):
    """What a file would change, or has changed."""

    differences: list[str]
    left_alone: int
    older: bool = Field(description="The registry has had a later version than the file's.")


class Looks(Paging):
    provider: Id | None = None


class Changes(Looks):
    change: Change | None = None
    model: Slug | None = None
    since: Instant | None = None


class Steps(Paging):
    state: StepState | None = None
    model: Id | None = None
    pool: Id | None = None


class Whose(Schema):
    provider: Slug = Field("", description="A provider's name; empty: all.")
    family: Slug = ""
    simulated: bool = False


def within(rows: Any, **wanted: Any) -> Any:
    return rows.filter(**{name: value for name, value in wanted.items() if value is not None})


def steps() -> Any:
    return LifeStep.objects.select_related("deployment__provider", "pool")


@router.get("/v1/discovery/runs", response=Listing[LookShown])
def list_looks(request: HttpRequest, at: Query[Looks]) -> Any:
    """Looks at listings, the newest first."""
    return page(request, within(DiscoveryRun.objects.all(), provider=at.provider), ("-started_at", "-id"), at)


@router.post("/v1/discovery/runs", response={202: Done})
def look_now(request: HttpRequest) -> Any:
    """Have every listing read now, by the worker."""
    jobs.run_now(by(request), "discover")
    return Status(202, {"words": "The listings are being read; /v1/discovery/runs tells what they bring."})


@router.get("/v1/discovery/changes", response=Listing[ChangeShown])
def list_catalogue_changes(request: HttpRequest, at: Query[Changes]) -> Any:
    """What listings have said, the newest first."""
    wanted = {"provider": at.provider, "change": at.change, "model_id": at.model, "at__gte": at.since}
    return page(request, within(CatalogueChange.objects.all(), **wanted), ("-at", "-id"), at)


@router.get("/v1/discovery/steps", response=Listing[StepShown])
def list_steps(request: HttpRequest, at: Query[Steps]) -> Any:
    """Steps of models' lives, the newest first; `state=proposed` are those that wait for a word."""
    found = within(steps(), state=at.state, deployment=at.model, pool=at.pool)
    return page(request, found, ("-at", "-id"), at)


@router.post("/v1/discovery/steps", response={201: StepShown})
def adopt_model(request: HttpRequest, body: Adopted) -> Any:
    """Take a model into a pool: as a canary, or as a full member at the end of the line."""
    model = named(Deployment.objects.select_related("provider"), body.model, "model")
    pool = named(Pool.objects.all(), body.pool, "pool")
    return Status(201, control.adopt(by(request), model, pool=pool, canary=body.canary, why=body.why))


@router.get(STEP, response=StepShown)
def get_step(request: HttpRequest, step_id: Id) -> Any:
    """One step."""
    return one(steps(), step_id, "step")


@router.post(f"{STEP}/adopt", response=StepShown)
def adopt_step(request: HttpRequest, step_id: Id, body: Decided | None = None) -> Any:
    """Follow a proposal."""
    return control.adopt(by(request), one(steps(), step_id, "step"), why=body.why if body else "")


@router.post(f"{STEP}/reject", response=StepShown)
def reject_step(request: HttpRequest, step_id: Id, body: Decided | None = None) -> Any:
    """Not wanted: the same is not proposed again until its evidence changes."""
    return control.reject(by(request), one(steps(), step_id, "step"), why=body.why if body else "")


@router.get("/v1/discovery/timeline", response=list[WeekShown])
def get_timeline(request: HttpRequest, at: Query[Whose]) -> Any:
    """The catalogue week by week, the oldest first."""
    found = timeline.weeks(timezone.now(), simulated=at.simulated, provider=at.provider, family=at.family)
    return [asdict(week) for week in found]


@router.get("/v1/discovery/lives", response=LifeShown)
def get_lives(request: HttpRequest, at: Query[Whose]) -> Any:
    """How long free offers live."""
    found = lives.lives(timezone.now(), simulated=at.simulated, provider=at.provider, family=at.family)
    return {"ages_unknown": found.ages_unknown, "steps": [asdict(step) for step in found.curve.steps]}


@router.get("/v1/registry", response=FileShown)
def export_registry(request: HttpRequest) -> Any:
    """The registry as a YAML file, made to be reviewed in git."""
    return {"text": registry.text(by(request))}


@router.put("/v1/registry", response=ComparedShown)
def import_registry(request: HttpRequest, body: File) -> Any:
    """Make the tables say what the file says: all of it or nothing."""
    return compared(lambda: registry.bring_in(by(request), body.text))


@router.post("/v1/registry/diff", response=ComparedShown)
def diff_registry(request: HttpRequest, body: File) -> Any:
    """What importing a file would change. Changes nothing."""
    return compared(lambda: registry.compare(body.text))


def compared(work: Any) -> dict[str, Any]:
    try:
        found = work()
    except registry.Refused as refused:
        raise ValidationError({"text": [str(problem) for problem in refused.problems]}) from None
    return {
        "differences": [str(one) for one in found.differences],
        "left_alone": found.left_alone,
        "older": found.older,
    }
