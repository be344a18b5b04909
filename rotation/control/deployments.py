"""Deployments: what an operator says of a model a provider offers; models of generic endpoints, typed in by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from rotation.control import limits as operators
from rotation.control.by import By
from rotation.control.fields import counted, put
from rotation.models import Deployment, DeploymentStatus, LifeStep, PriceSource, Provider
from rotation.models.health import tell_gateway
from rotation.providers.model_names import family

FIELDS = (
    "model_id", "label", "family", "context", "max_output", "input_modalities", "tools", "parallel_tools",
    "json_schema", "images", "reasoning", "price_in", "price_out", "free", "seed_latency_s", "tags", "lacks",
)  # fmt: skip
PRICES = {"price_in", "price_out"}
Limits = Sequence[Mapping[str, Any]]


def add(by: By, provider: Provider, *, limits: Limits = (), **fields: Any) -> Deployment:
    """A model of a provider, with tags (what it is for), features, context, prices and limits.

    `limits`: [{"axis": "requests", "limit": 60, "window_s": 60}], see `limits.py`. Raises ValidationError by field.
    """
    name = fields.get("model_id")
    deployment = Deployment(provider=provider, family=family(name) if isinstance(name, str) and name else "")
    put(deployment, fields, FIELDS)
    wanted = operators.checked(limits)
    if any(fields.get(side) is not None for side in PRICES):
        deployment.price_source = PriceSource.OPERATOR
    with transaction.atomic():
        deployment.save()
        by.added(deployment, limits=[limit.words for limit in wanted])
        _step(by, deployment, "added by hand")
        if wanted:
            operators.store(deployment, wanted)
    return deployment


def change(by: By, deployment: Deployment, *, limits: Limits | None = None, **fields: Any) -> Deployment:
    """Change what is given; `limits`, when given, replace the operator's earlier ones. Raises ValidationError by field.

    A field an operator has set is left alone by listings from then on.
    """
    with transaction.atomic():
        with by.changing(deployment):
            put(deployment, fields, FIELDS)
            if PRICES & fields.keys():
                deployment.price_source = PriceSource.OPERATOR
            deployment.save(update_fields=[*fields, "price_source"])  # what a listing says meanwhile stands
        if limits is not None:
            operators.set_limits(by, deployment, limits)
    return deployment


def set_status(by: By, deployment: Deployment, status: DeploymentStatus | str, reason: str = "") -> Deployment:
    """The operator's word on where it stands in its life. As a candidate it is forgotten what it lacked.

    Raises ValidationError on `status`.
    """
    if status not in DeploymentStatus.values:
        raise ValidationError({"status": f"Choose one of: {', '.join(DeploymentStatus.values)}."})
    with by.changing(deployment, "set status"):
        deployment.lacks = [] if status == DeploymentStatus.CANDIDATE else deployment.lacks
        put(deployment, {"status": status, "status_reason": reason or f"by {by.actor}"}, ("status", "status_reason"))
        deployment.save(update_fields=["status", "status_reason", "lacks"])
        _step(by, deployment, deployment.status_reason)
        if status == DeploymentStatus.CANDIDATE:
            tell_gateway("cooldown", operators.scope_of(deployment))
    return deployment


def retire(by: By, deployment: Deployment, reason: str = "") -> Deployment:
    """No call goes there any more, and its history stays; `set_status` with "candidate" brings it back."""
    return set_status(by, deployment, DeploymentStatus.ARCHIVED, reason or f"retired by {by.actor}")


def _step(by: By, deployment: Deployment, reason: str) -> None:
    LifeStep.objects.create(
        deployment=deployment, step=deployment.status, reason=reason, by=by.actor, at=timezone.now(),
    )  # fmt: skip


def goes_with(deployment: Deployment) -> list[str]:
    """What is removed together with it, in words. The calls it answered stay in the books."""
    found = (
        counted(deployment.placements.count(), "place in pools", "places in pools"),
        counted(deployment.verifications.count(), "verdict"),
        counted(deployment.steps.count(), "step of its life", "steps of its life"),
    )
    return [words for words in found if words]


def remove(by: By, deployment: Deployment) -> list[str]:
    """What `goes_with` said. A model its provider still lists comes back with the next look: retire it instead."""
    gone = goes_with(deployment)
    with transaction.atomic():
        for placement in deployment.placements.select_related("pool"):
            placement.pool.touch()
        operators.store(deployment, [])
        by.removed(deployment, with_it=gone)
        deployment.delete()
    return gone
