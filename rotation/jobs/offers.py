"""One change of a listing, carried over to the deployment it is about. Stores nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rotation.core.catalog import Change, ChangeKind
from rotation.models import Deployment, DeploymentStatus, PriceSource

MILLION = 1_000_000
SMALLEST = Decimal("0.000001")  # of a dollar per million tokens: what the column holds


@dataclass(frozen=True, slots=True)
class Taken:
    """What was different and is taken over, by column; prices in USD per million tokens, as in the table."""

    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


def per_million(price: float | None) -> Decimal | None:
    """USD per token as the table keeps it."""
    return None if price is None else (Decimal(repr(price)) * MILLION).quantize(SMALLEST)


def apply(deployment: Deployment, change: Change, held: Collection[str]) -> Taken | None:
    """Sets the deployment's fields (not saved) but those in `held`; None when nothing is left to set."""
    if change.kind is ChangeKind.BACK:
        return _back(deployment)
    told = {name: value for name, value in (change.after or {}).items() if name not in held}
    if change.kind is ChangeKind.PRICE:
        told = {name: per_million(price) for name, price in told.items()}
    before = {name: getattr(deployment, name) for name in told}
    after = {name: value for name, value in told.items() if before[name] != value}
    if not after:
        return None
    for name, value in after.items():
        setattr(deployment, name, value)
    if change.kind is ChangeKind.PRICE:
        deployment.price_source = PriceSource.LISTING
    if "input_modalities" in after and "images" not in held:
        deployment.images = "image" in after["input_modalities"]
    return Taken(_plain({name: before[name] for name in after}), _plain(after))


def _back(deployment: Deployment) -> Taken | None:
    if deployment.status != DeploymentStatus.GONE:
        return None
    before = {"status": str(deployment.status), "status_reason": deployment.status_reason}
    deployment.status, deployment.status_reason = DeploymentStatus.CANDIDATE, "listed again"
    return Taken(before, {"status": "candidate", "status_reason": "listed again"})


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}
