"""Prices nobody listed, from the public price data of `genai-prices`; it comes with the package, nobody is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from rotation.discovery.offers import SMALLEST
from rotation.models import CatalogueChange, Change, Deployment, PriceSource

KINDS = ("groq", "openai", "openrouter", "together")  # the public data calls them as we do
Prices = tuple[Decimal | None, Decimal | None]
OVERRULED = ("", PriceSource.STARTER, PriceSource.GENAI_PRICES)


def lookup(kind: str, model: str) -> tuple[Decimal, Decimal] | None:
    """USD per million tokens in and out, today; None when the model is not known there or has no such price."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - 60 MB of tables that only this job needs

    if kind not in KINDS:
        return None
    try:
        _, found = get_snapshot().find_provider_model(model, None, kind, None)
    except LookupError:
        return None
    prices = found.get_prices(datetime.now(UTC))
    both = [_base(getattr(prices, name, None)) for name in ("input_mtok", "output_mtok")]
    return (both[0], both[1]) if both[0] is not None and both[1] is not None else None


def _base(price: Any) -> Decimal | None:
    """The price of a short prompt, where it depends on the length."""
    price = getattr(price, "base", price)
    return None if price is None else Decimal(price).quantize(SMALLEST)


@transaction.atomic
def fill() -> int:
    """Prices of enabled providers' deployments that neither an operator nor a listing gave; how many were set."""
    unpriced = Deployment.objects.filter(
        provider__enabled=True, provider__kind__in=KINDS, free=False, price_source__in=OVERRULED
    )
    priced, changes = [], []
    for deployment in unpriced.select_related("provider"):
        price = lookup(deployment.provider.kind, deployment.model_id)
        before = deployment.price_in, deployment.price_out
        if price is None or (before == price and deployment.price_source == PriceSource.GENAI_PRICES):
            continue
        deployment.price_in, deployment.price_out = price
        deployment.price_source = PriceSource.GENAI_PRICES
        priced.append(deployment)
        changes += [_change(deployment, before, price)] if before != price else []
    if priced:
        Deployment.objects.bulk_update(priced, ["price_in", "price_out", "price_source"], batch_size=500)
        CatalogueChange.objects.bulk_create(changes)
    return len(changes)


def _change(deployment: Deployment, before: Prices, after: Prices) -> CatalogueChange:
    names = ("price_in", "price_out")
    return CatalogueChange(
        provider=deployment.provider,
        model_id=deployment.model_id,
        change=Change.PRICE,
        before={n: None if p is None else str(p) for n, p in zip(names, before, strict=True)},
        after={n: str(p) for n, p in zip(names, after, strict=True)},
    )
