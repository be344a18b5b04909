"""The price recheck: what listings say of the deployments we know; where they are silent, public price data.

New models are not taken in here and absent ones not given up: that is discovery. Prices an operator set, and any
other field an operator edited, stay as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from rotation.core.catalog import Change, ChangeKind, Known, Refused, diff
from rotation.jobs import listing, public_prices
from rotation.jobs.listing import NoListing
from rotation.jobs.offers import MILLION, apply
from rotation.models import AuditEvent, CatalogueChange, Deployment, DiscoveryRun, Key, PriceSource, Provider, RunState
from rotation.models.audit import changed
from rotation.providers.base import Listed

LATELY = timedelta(days=14)
OURS = {ChangeKind.BACK, ChangeKind.PRICE, ChangeKind.FREE, ChangeKind.CONTEXT, ChangeKind.FEATURES}


def recheck() -> str:
    """Every enabled provider we hold a key for; then the prices nobody listed. One line on each."""
    told = []
    for provider in Provider.objects.filter(enabled=True):
        key = listing.key_for(provider)
        if key is not None and provider.url:
            told.append(f"{provider}: {look(provider, key)}")
    filled = public_prices.fill()
    told += [f"{filled} prices from public data"] if filled else []
    return "; ".join(told) or "no provider to ask: none is enabled with a usable key"


def look(provider: Provider, key: Key) -> str:
    """One look at one listing, as a DiscoveryRun; what came of it."""
    run = DiscoveryRun.objects.create(provider=provider)
    try:
        listed = listing.read(provider, key)
        run.listed = len(listed)
        run.changed = _take_over(run, listed)
        run.state = RunState.DONE
    except NoListing as why:
        run.state, run.error = RunState.FAILED, str(why)[:2000]
    run.ended_at = timezone.now()
    run.save()
    return f"nothing changed, {run.error}" if run.error else f"{run.listed} listed, {run.changed} changes"


@transaction.atomic
def _take_over(run: DiscoveryRun, listed: list[Listed]) -> int:
    """Applies what a believable listing says. Raises NoListing for any other."""
    if doubt := listing.doubt(run.provider, len(listed)):
        raise NoListing(doubt)
    names = {offer.model for offer in listed}
    # A model that was not listed lately (starter data, an operator's hope) is no reason to doubt a listing without it.
    lately = Q(listed_at__gte=timezone.now() - LATELY)
    ours = run.provider.deployments.filter(lately | Q(model_id__in=names))
    deployments = {deployment.model_id: deployment for deployment in ours.select_for_update()}
    found = diff(map(known, deployments.values()), listed)
    if isinstance(found, Refused):
        raise NoListing(found.reason)
    wanted = [change for change in found if change.kind in OURS and change.model in deployments]
    count = _apply_all(run, deployments, wanted)
    ours.filter(model_id__in=names).update(listed_at=timezone.now())
    return count


def _apply_all(run: DiscoveryRun, deployments: dict[str, Deployment], changes: Iterable[Change]) -> int:
    held = operators_fields(deployments.values())
    rows = []
    for change in changes:
        deployment = deployments[change.model]
        taken = apply(deployment, change, held[deployment.pk])
        if taken:
            rows.append(
                CatalogueChange(run=run, provider=run.provider, model_id=change.model, change=change.kind,
                                before=taken.before, after=taken.after)
            )  # fmt: skip
    for deployment in {row.model_id: deployments[row.model_id] for row in rows}.values():
        deployment.save()
    CatalogueChange.objects.bulk_create(rows)
    return len(rows)


def known(deployment: Deployment) -> Known:
    """A deployment in the shape of an offer."""
    price = {side: float(p) / MILLION if p is not None else None for side, p in _prices(deployment)}
    return Known(
        model=deployment.model_id,
        context=deployment.context,
        max_output=deployment.max_output,
        input_modalities=tuple(deployment.input_modalities) or ("text",),
        tools=deployment.tools,
        json_schema=deployment.json_schema,
        reasoning=deployment.reasoning,
        price_in=price["in"],
        price_out=price["out"],
        free=deployment.free,
        gone=deployment.status == "gone",
    )


def _prices(deployment: Deployment) -> tuple[tuple[str, Any], ...]:
    return ("in", deployment.price_in), ("out", deployment.price_out)


def operators_fields(deployments: Iterable[Deployment]) -> dict[int, set[str]]:
    """By deployment, the fields a person has set: what the audit says, and prices marked as an operator's."""
    held: dict[int, set[str]] = defaultdict(set)
    for deployment in deployments:
        if deployment.price_source == PriceSource.OPERATOR:
            held[deployment.pk] |= {"price_in", "price_out"}
    pks = [str(deployment.pk) for deployment in deployments]
    events = AuditEvent.objects.filter(object_type="deployment", object_id__in=pks, action__in=["add", "change"])
    for pk, before, after in events.values_list("object_id", "before", "after"):
        fields = changed(before or {}, after or {})[1]
        held[int(pk)] |= {name for name, value in fields.items() if before or value not in (None, "", False, [])}
    return held
