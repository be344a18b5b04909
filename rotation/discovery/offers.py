"""An offer of a listing and the deployment it is: made new of it, or one change of it carried over. Stores nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from rotation.core.anatomy import family
from rotation.core.catalog import Change, ChangeKind, Known
from rotation.models import AuditEvent, Deployment, DeploymentStatus, Door, PriceSource, Provider
from rotation.models.audit import changed
from rotation.providers.base import Listed

MILLION = 1_000_000
SMALLEST = Decimal("0.000001")  # of a dollar per million tokens: what the column holds
OUT_OF_SIGHT = (DeploymentStatus.GONE, DeploymentStatus.ARCHIVED)
CHAT = "chat"


@dataclass(frozen=True, slots=True)
class Taken:
    """What was different and is taken over, by column; prices in USD per million tokens, as in the table."""

    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


def per_million(price: float | None) -> Decimal | None:
    """USD per token as the table keeps it."""
    return None if price is None else (Decimal(repr(price)) * MILLION).quantize(SMALLEST)


def sound(offer: Listed) -> Listed:
    """Without what says nothing: only a chat's context bounds a request, and hearing is not paid by the token."""
    if offer.type == CHAT:
        return offer
    heard = offer.type == "transcription"
    prices = (None, None) if heard else (offer.price_in, offer.price_out)
    return replace(offer, context=None, max_output=None, price_in=prices[0], price_out=prices[1])


def made(provider: Provider, offer: Listed) -> Deployment:
    """A deployment of what is offered; what it is for, when that is not a chat, is a tag."""
    prices = {side: per_million(getattr(offer, side)) for side in ("price_in", "price_out")}
    return Deployment(
        provider=provider,
        model_id=offer.model,
        label=offer.name[:255] if offer.name != offer.model else "",
        family=family(offer.model),
        context=offer.context,
        max_output=offer.max_output,
        input_modalities=list(offer.input_modalities)[:20],
        tools=offer.tools,
        json_schema=offer.json_schema,
        images=_sees(offer),
        reasoning=offer.reasoning,
        free=offer.free,
        price_source=PriceSource.LISTING if any(price is not None for price in prices.values()) else "",
        expires_on=day(offer.expires),
        tags=[] if offer.type == CHAT else [offer.type],
        **prices,
    )


def _sees(offer: Listed) -> bool | None:
    """Many listings say nothing of modalities and look like plain text ones."""
    told = "image" in offer.input_modalities
    return True if told else (False if len(offer.input_modalities) > 1 or _speaks_of_inputs(offer) else None)


def _speaks_of_inputs(offer: Listed) -> bool:
    shape = offer.raw.get("architecture")
    return "input_modalities" in offer.raw or (isinstance(shape, dict) and "input_modalities" in shape)


def day(text: str | None) -> date | None:
    """A date as listings write it, None for anything else."""
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None


def known(deployment: Deployment) -> Known:
    """A deployment in the shape of an offer."""
    price = {
        side: float(told) / MILLION if (told := getattr(deployment, side)) is not None else None
        for side in ("price_in", "price_out")
    }
    return Known(
        model=deployment.model_id,
        context=deployment.context,
        max_output=deployment.max_output,
        input_modalities=tuple(deployment.input_modalities) or ("text",),
        tools=deployment.tools,
        json_schema=deployment.json_schema,
        reasoning=deployment.reasoning,
        free=deployment.free,
        expires=deployment.expires_on.isoformat() if deployment.expires_on else None,
        gone=deployment.status in OUT_OF_SIGHT,
        listed=deployment.listed_at is not None,
        **price,
    )


def apply(deployment: Deployment, change: Change, held: Collection[str]) -> Taken | None:
    """Sets the deployment's fields (not saved) but those in `held`; None when nothing is left to set."""
    told = {name: value for name, value in (change.after or {}).items() if name not in held}
    if change.kind is ChangeKind.PRICE:
        told = {name: per_million(price) for name, price in told.items()}
    if change.kind is ChangeKind.EXPIRES:
        told = {"expires_on": day(told.get("expires"))} if "expires" in told and "expires_on" not in held else {}
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


def operators_fields(deployments: Iterable[Deployment]) -> dict[int, set[str]]:
    """By deployment, the fields a person has set: what the audit says, and prices marked as an operator's."""
    held: dict[int, set[str]] = defaultdict(set)
    for deployment in deployments:
        if deployment.price_source == PriceSource.OPERATOR:
            held[deployment.pk] |= {"price_in", "price_out"}
    pks = {deployment.pk for deployment in deployments}
    events = AuditEvent.objects.filter(object_type="deployment", action__in=["add", "change"]).exclude(door=Door.JOB)
    for pk, before, after in events.values_list("object_id", "before", "after"):
        if not pk.isdecimal() or int(pk) not in pks:
            continue
        fields = changed(before or {}, after or {})[1]
        held[int(pk)] |= {name for name, value in fields.items() if before or value not in (None, "", False, [])}
    return held


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Decimal | date) else value for name, value in values.items()}
