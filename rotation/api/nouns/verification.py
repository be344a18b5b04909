"""Verification: runs, how far they are, and what models were seen to be able to do."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field, StringConstraints

from rotation.api.keyset import Listing, Paging, page
from rotation.api.shapes import Id, Label, Moment, Strict, Words, one
from rotation.api.who import by
from rotation.control import verification as control
from rotation.discovery.matrix import matrix
from rotation.discovery.verify import runs
from rotation.discovery.verify.job import candidates
from rotation.models import Deployment, Verification, VerificationRun

router = Router(tags=["verification"])
PLACE = "/v1/verifications/{int:run_id}"


class VerificationShown(Schema):
    """A verification of some models."""

    id: int
    started_by: str
    started_at: Moment
    ended_at: Moment | None
    state: str
    about: str
    summary: str


class OutlookShown(Schema):
    """How far it is, and when it probably ends. `left` counts questions that will probably be asked."""

    done: int
    left: int
    models: int
    models_done: int
    share: float = Field(description="0 to 1")
    verdicts: dict[str, int]
    per_hour: float
    next_at: Moment | None
    ends_at: Moment | None
    why: str


class Progress(VerificationShown):
    outlook: OutlookShown


class VerificationNew(Strict):
    """Which models (none: every candidate that was never verified), and which capabilities (none: all)."""

    models: list[Id] = Field([], max_length=1000)
    capabilities: Words = Field([], examples=[["tools", "json_schema"]])
    about: Label = ""


class VerdictShown(Schema):
    """One capability's verdict: score and its 95 % interval 0 to 5, times in milliseconds."""

    id: int
    at: Moment
    model_id: int
    run_id: int | None
    capability: str
    verdict: str
    score: float | None
    low: float | None
    high: float | None
    trials: int
    latency_ms: float | None
    first_ms: float | None
    cause: str
    reason: str

    @staticmethod
    def resolve_model_id(row: Verification) -> int:
        return int(row.deployment_id)


class CellShown(Schema):
    capability: str
    verdict: str
    score: float | None
    low: float | None
    high: float | None
    trials: int
    at: Moment | None


class RowShown(Schema):
    """What one model was seen to be able to do; `verdict` may be `queued`."""

    model_id: int
    model: str
    cells: list[CellShown]


class Verdicts(Paging):
    model: Id | None = None
    capability: Annotated[str, StringConstraints(max_length=60, pattern=r"^[^\x00]*$")] | None = None


def progress(run: VerificationRun) -> dict[str, Any]:
    told = {name: getattr(run, name) for name in VerificationShown.model_fields}
    seen = runs.outlook(run)
    return {**told, "outlook": {name: getattr(seen, name) for name in OutlookShown.model_fields}}


@router.get("/v1/verifications", response=Listing[VerificationShown])
def list_verifications(request: HttpRequest, at: Query[Paging]) -> Any:
    """Runs, the newest first."""
    return page(request, VerificationRun.objects.all(), ("-started_at", "-id"), at)


@router.post("/v1/verifications", response={201: Progress})
def start_verification(request: HttpRequest, body: VerificationNew) -> Any:
    """Queue a verification: the worker asks within its share of the limits, traffic comes first."""
    models = Deployment.objects.filter(pk__in=body.models) if body.models else candidates()
    found = control.start(
        by(request), models.select_related("provider"), about=body.about, capabilities=body.capabilities or None
    )
    return Status(201, progress(found))


@router.get(PLACE, response=Progress)
def get_verification(request: HttpRequest, run_id: Id) -> Any:
    """One run, and how far it is."""
    return progress(one(VerificationRun.objects.all(), run_id, "verification"))


@router.delete(PLACE, response={204: None})
def cancel_verification(request: HttpRequest, run_id: Id) -> Any:
    """Call off what was not asked yet; verdicts that are there stay."""
    if found := VerificationRun.objects.filter(pk=run_id, state="running").first():
        control.cancel(by(request), found)
    return Status(204, None)


@router.get("/v1/verdicts", response=Listing[VerdictShown])
def list_verdicts(request: HttpRequest, at: Query[Verdicts]) -> Any:
    """Verdicts, the newest first."""
    wanted = {"deployment": at.model, "capability": at.capability}
    rows = Verification.objects.filter(**{name: value for name, value in wanted.items() if value is not None})
    return page(request, rows, ("-at", "-id"), at)


@router.get("/v1/matrix", response=Listing[RowShown])
def get_matrix(request: HttpRequest, at: Query[Paging]) -> Any:
    """Models by capabilities, by what was seen."""

    def shown(found: list[Deployment]) -> list[dict[str, Any]]:
        cells = matrix([one.pk for one in found])
        return [{"model_id": one.pk, "model": one.name, "cells": list(cells.get(one.pk, {}).values())} for one in found]

    return page(request, Deployment.objects.select_related("provider"), ("model_id", "id"), at, shown=shown)
