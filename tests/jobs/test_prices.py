"""The price recheck: what listings say is taken over with a record of it; what cannot be believed changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from rotation.jobs import prices, public_prices
from rotation.models import AuditEvent, CatalogueChange, Deployment, DiscoveryRun, PriceSource, Provider, RunState
from rotation.simulator.serve import Running
from tests.models import rows

pytestmark = pytest.mark.django_db
PAID = "test/paid"
FREE = "test/free:free"


@pytest.fixture(autouse=True)
def shelf(sim: Running) -> None:
    sim.catalogue(
        "openrouter",
        put=[
            {"id": PAID, "price_in": 0.25, "price_out": 1.5, "context": 64_000, "max_output": 4096, "tools": True},
            {"id": FREE, "context": 32_000, "tools": False},
        ],
    )


def changes() -> dict[str, tuple[object, object]]:
    return {str(c.change): (c.before, c.after) for c in CatalogueChange.objects.all()}


def test_a_listing_sets_prices_sizes_and_features_with_a_record(deployed: Callable[..., Deployment]) -> None:
    paid = deployed(PAID, price_in=Decimal(9), price_out=Decimal(9), price_source="starter", context=1)
    told = prices.recheck()
    assert "changes" in told
    paid.refresh_from_db()
    assert (paid.price_in, paid.price_out, paid.price_source) == (Decimal("0.25"), Decimal("1.5"), PriceSource.LISTING)
    assert (paid.context, paid.max_output, paid.tools) == (64_000, 4096, True)
    assert paid.listed_at is not None
    assert changes()["price"] == (
        {"price_in": "9.000000", "price_out": "9.000000"},
        {"price_in": "0.250000", "price_out": "1.500000"},
    )
    run = DiscoveryRun.objects.get()
    assert (run.state, run.changed) == (RunState.DONE, CatalogueChange.objects.filter(run=run).count())
    assert run.listed > 2


def test_the_second_look_finds_nothing_new(deployed: Callable[..., Deployment]) -> None:
    deployed(PAID)
    deployed(FREE)
    prices.recheck()
    before = CatalogueChange.objects.count()
    assert before > 0
    prices.recheck()
    assert CatalogueChange.objects.count() == before


def test_what_an_operator_set_is_never_overwritten(deployed: Callable[..., Deployment]) -> None:
    paid = deployed(PAID, price_in=Decimal(9), price_out=Decimal(9), price_source="operator", context=1, tools=None)
    AuditEvent.objects.record("ann", "change", paid, before={"context": 2}, after={"context": 1})
    prices.recheck()
    paid.refresh_from_db()
    assert (paid.price_in, paid.price_source, paid.context) == (Decimal(9), PriceSource.OPERATOR, 1)
    assert paid.tools is True
    assert "price" not in changes()


def test_a_free_model_is_free(deployed: Callable[..., Deployment]) -> None:
    free = deployed(FREE)
    prices.recheck()
    free.refresh_from_db()
    assert (free.free, free.price_in, free.price_out) == (True, Decimal(0), Decimal(0))


def test_models_that_are_not_ours_are_left_to_discovery(deployed: Callable[..., Deployment]) -> None:
    deployed("test/never-listed", listed_at=None)
    prices.recheck()
    assert Deployment.objects.count() == 1
    assert Deployment.objects.get().status == "candidate"


def test_a_model_that_was_gone_and_is_listed_again_gets_another_chance(deployed: Callable[..., Deployment]) -> None:
    gone = deployed(FREE, status="gone", status_reason="no endpoints")
    prices.recheck()
    gone.refresh_from_db()
    assert (gone.status, gone.status_reason) == ("candidate", "listed again")
    assert changes()["back"][0] == {"status": "gone", "status_reason": "no endpoints"}


@pytest.mark.parametrize("fault", ["html", "garbage_bytes", "malformed", "server_error", "empty", "redirect", "huge"])
def test_a_broken_answer_changes_nothing_and_is_said(
    fault: str, sim: Running, provider: Provider, deployed: Callable[..., Deployment]
) -> None:
    paid = deployed(PAID, price_in=Decimal(9), price_source="starter")
    sim.faults({"fault": fault, "operation": "*"})
    told = prices.look(provider, provider.keys().get())
    assert told.startswith("nothing changed, ")
    paid.refresh_from_db()
    assert paid.price_in == Decimal(9)
    run = DiscoveryRun.objects.get()
    assert run.state == RunState.FAILED
    assert run.error
    assert "\n" not in run.error


def test_a_halved_listing_changes_nothing_until_it_says_so_twice(
    sim: Running, provider: Provider, deployed: Callable[..., Deployment]
) -> None:
    paid = deployed(PAID)
    many = [{"id": f"test/m{n}"} for n in range(400)]
    sim.catalogue("openrouter", put=many)
    key = provider.keys().get()
    assert "listed" in prices.look(provider, key)
    sim.catalogue("openrouter", remove=[model["id"] for model in many], put=[{"id": PAID, "price_in": 0.5}])
    told = prices.look(provider, key)
    assert told.startswith("nothing changed, only ")
    paid.refresh_from_db()
    assert paid.price_in == Decimal("0.25")
    assert prices.look(provider, key).endswith("1 changes")
    paid.refresh_from_db()
    assert paid.price_in == Decimal("0.5")


def test_a_listing_without_half_of_our_models_changes_nothing(
    sim: Running, provider: Provider, deployed: Callable[..., Deployment]
) -> None:
    ours = [deployed(f"test/m{n}", listed_at=timezone.now()) for n in range(12)]
    paid = deployed(PAID, listed_at=timezone.now())
    told = prices.look(provider, provider.keys().get())
    assert told == "nothing changed, only 1 of 13 known models are listed"
    Deployment.objects.filter(pk__in=[d.pk for d in ours]).update(listed_at=timezone.now() - timedelta(days=15))
    assert "changes" in prices.look(provider, provider.keys().get())
    paid.refresh_from_db()
    assert paid.price_in == Decimal("0.25")


def test_a_provider_without_a_key_is_not_asked(sim: Running, provider: Provider) -> None:
    provider.keys().delete()
    assert prices.recheck() == "no provider to ask: none is enabled with a usable key"
    assert sim.ledger() == []


def test_public_data_fills_what_nobody_listed(sim: Running) -> None:
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
