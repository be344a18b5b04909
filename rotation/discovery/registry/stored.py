"""The registry as the tables hold it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from rotation.discovery.registry import fields
from rotation.discovery.registry.document import Document, Model, Pool, Values
from rotation.discovery.registry.fields import Field
from rotation.discovery.registry.reading import CONCLUSIVE
from rotation.models import Deployment, Placement, Provider, Verification
from rotation.models import Pool as PoolRow

ROUNDED = {"score": 2, "low": 2, "high": 2, "latency_ms": 0, "first_ms": 0}


def stored(providers: Sequence[str] | None = None, *, simulated: bool = False) -> Document:
    """Four queries. Real providers, or the simulated ones; or exactly the named ones."""
    chosen = Provider.objects.filter(Q(simulated=simulated) if providers is None else Q(name__in=providers))
    names = dict(chosen.order_by("name").values_list("pk", "name"))
    document = Document(models={name: {} for name in sorted(names.values())})
    found: dict[int, Model] = {}
    for row in Deployment.objects.filter(provider__in=names).order_by("provider__name", "model_id"):
        model = document.models[names[row.provider_id]][row.model_id] = Model(values(row, fields.MODEL))
        found[row.pk] = model
    for seen in latest_verdicts().filter(deployment__provider__in=names):
        found[seen.deployment_id].verdicts[seen.capability] = {
            "verdict": seen.verdict,
            **values(seen, fields.VERDICT),
        }
    _pools(document, names)
    return document


def latest_verdicts() -> QuerySet[Verification]:
    """The newest conclusive row of every deployment and capability."""
    rows = Verification.objects.filter(verdict__in=CONCLUSIVE)
    return rows.order_by("deployment_id", "capability", "-at", "-id").distinct("deployment_id", "capability")


def _pools(document: Document, names: dict[int, str]) -> None:
    document.pools = {row.name: Pool(values(row, fields.POOL)) for row in PoolRow.objects.order_by("name")}
    placed = Placement.objects.filter(deployment__provider__in=names).select_related("pool", "deployment")
    for row in placed:
        name = f"{names[row.deployment.provider_id]}/{row.deployment.model_id}"
        document.pools[row.pool.name].members[name] = values(row, fields.MEMBER)


def values(row: Any, table: Sequence[Field]) -> Values:
    """A row's columns as a file would hold them."""
    return {one.name: plain(one.name, getattr(row, one.stored)) for one in table}


def plain(name: str, value: Any) -> Any:
    """As precise as the file is: moments to the second, scores to two digits, prices without trailing zeros."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(microsecond=0)
    if isinstance(value, Decimal):
        return value.normalize() + 0
    if isinstance(value, float):
        return round(value, ROUNDED.get(name, 4))
    return str(value) if isinstance(value, str) else value
