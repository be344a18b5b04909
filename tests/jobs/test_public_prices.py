"""Prices nobody listed, filled from public data."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rotation.jobs import public_prices
from rotation.models import CatalogueChange, PriceSource
from tests.models import rows

pytestmark = pytest.mark.django_db


def test_public_data_fills_what_nobody_listed() -> None:
    groq = rows.provider(kind="groq", base_url="https://api.groq.com/openai/v1")
    local = rows.provider(kind="generic", base_url="http://localhost:1/v1")
    known = rows.deployment(provider=groq, model_id="llama-3.1-8b-instant")
    unknown = rows.deployment(provider=groq, model_id="no-such-model-anywhere")
    listed = rows.deployment(
        provider=groq, model_id="llama-3.3-70b-versatile", price_in=Decimal(7), price_source="listing"
    )
    ours = rows.deployment(provider=local, model_id="llama-3.1-8b-instant")
    assert public_prices.fill() == 1
    assert public_prices.fill() == 0
    for one in (known, unknown, listed, ours):
        one.refresh_from_db()
    assert known.price_in is not None
    assert known.price_out is not None
    assert 0 < known.price_in < known.price_out < 1
    assert known.price_source == PriceSource.GENAI_PRICES
    assert (unknown.price_in, listed.price_in, ours.price_in) == (None, Decimal(7), None)
    assert CatalogueChange.objects.count() == 1


def test_a_price_that_depends_on_the_length_counts_as_that_of_a_short_prompt() -> None:
    assert public_prices.lookup("openai", "gpt-4o-mini") == (Decimal("0.15"), Decimal("0.6"))
    assert public_prices.lookup("groq", "whisper-large-v3") is None
    assert public_prices.lookup("openai", "\0") is None
    assert public_prices.lookup("generic", "gpt-4o") is None
