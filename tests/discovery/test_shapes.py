"""Synthetic listings in each provider's own shape, through the real adapters into the database."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from rotation.discovery import looks
from rotation.discovery.listing import NoListing
from rotation.models import CatalogueChange, Deployment, DiscoveryRun, Provider
from rotation.providers import PROVIDERS
from tests.models import rows

pytestmark = pytest.mark.django_db


def take(provider: Provider, body: Any) -> looks.Look:
    """A look at a listing of these bytes, read by the provider's own adapter as the worker does."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()

    def read() -> Any:
        try:
            return PROVIDERS[provider.kind].read_listing(sent)
        except ValueError as error:
            raise NoListing(str(error)) from None

    return looks.look(provider, read)


def stored(provider: Provider, model: str, *names: str) -> tuple[Any, ...]:
    deployment = Deployment.objects.get(provider=provider, model_id=model)
    return tuple(getattr(deployment, name) for name in names)


def test_openrouter_s_prices_are_texts_per_token_and_minus_one_is_not_cheap() -> None:
    provider = rows.provider(kind="openrouter")
    shape = {"input_modalities": ["text", "image"], "output_modalities": ["text"]}
    take(provider, {"data": [
        {"id": "acme/sun-3-70b:free", "name": "Sun (free)", "context_length": 131_072, "architecture": shape,
         "pricing": {"prompt": "0", "completion": "0"}, "top_provider": {"max_completion_tokens": 8192},
         "supported_parameters": ["tools", "structured_outputs"], "expiration_date": "2027-01-31"},
        {"id": "acme/moon", "context_length": 8192, "pricing": {"prompt": "0.00000045", "completion": "0.0000009"}},
        {"id": "openrouter/auto", "context_length": 2_000_000, "pricing": {"prompt": "-1", "completion": "-1"}},
    ]})  # fmt: skip
    sun = "acme/sun-3-70b:free"
    assert stored(provider, sun, "free", "price_in", "images") == (True, Decimal(0), True)
    assert stored(provider, sun, "tools", "json_schema", "max_output") == (True, True, 8192)
    assert str(stored(provider, sun, "expires_on")[0]) == "2027-01-31"
    assert stored(provider, "acme/moon", "price_in", "price_out", "price_source", "family") == (
        Decimal("0.45"), Decimal("0.9"), "listing", "acme",
    )  # fmt: skip
    assert stored(provider, "openrouter/auto", "price_in", "free", "price_source") == (None, False, "")


def test_together_s_bare_list_has_prices_per_million_and_kinds() -> None:
    provider = rows.provider(kind="together")
    take(provider, [
        {"id": "acme/Sun-70B", "type": "chat", "context_length": 131_072,
         "pricing": {"input": 0.18000000000000002, "output": 0.59}},
        {"id": "acme/zero", "type": "chat", "context_length": 4096, "pricing": {"input": 0, "output": 0}},
        {"id": "openai/whisper-large-v3", "type": "transcribe", "context_length": None},
        {"id": "acme/painter", "type": "image"},
    ])  # fmt: skip
    assert stored(provider, "acme/Sun-70B", "price_in", "price_out", "tags") == (Decimal("0.18"), Decimal("0.59"), [])
    assert stored(provider, "acme/zero", "price_in", "free") == (Decimal(0), False)
    assert stored(provider, "openai/whisper-large-v3", "tags", "family", "context") == (
        ["transcription"],
        "whisper",
        None,
    )
    assert stored(provider, "acme/painter", "tags") == (["image"],)


def test_groq_s_fields_of_either_year_are_read_and_inactive_models_left_out() -> None:
    provider = rows.provider(kind="groq")
    take(provider, {"object": "list", "data": [
        {"id": "llama-3.3-70b-versatile", "active": True, "context_window": 131_072, "max_completion_tokens": 32_768},
        {"id": "acme/new", "active": True, "context_length": 65_536, "max_output_length": 4096,
         "pricing": {"prompt": "0.00000015", "completion": "0.0000006"}, "supported_features": ["tools", "reasoning"]},
        {"id": "acme/old", "active": False, "context_window": 8192},
    ]})  # fmt: skip
    assert stored(provider, "llama-3.3-70b-versatile", "context", "max_output", "family") == (
        131_072,
        32_768,
        "meta-llama",
    )
    assert stored(provider, "acme/new", "context", "price_in", "tools", "reasoning") == (
        65_536,
        Decimal("0.15"),
        True,
        True,
    )
    assert not Deployment.objects.filter(model_id="acme/old").exists()


def test_an_ollama_without_models_is_no_failure_and_its_models_are_taken_in_later() -> None:
    provider = rows.provider(kind="generic", base_url="http://localhost:11434/v1")
    assert take(provider, {"object": "list", "data": None}).words == "0 listed, nothing new"
    take(provider, {"object": "list", "data": [{"id": "llama3.2:latest"}, {"id": "weird id (v2)#1"}]})
    assert stored(provider, "llama3.2:latest", "family", "context", "price_in", "free") == (
        "meta-llama",
        None,
        None,
        False,
    )
    assert Deployment.objects.filter(born_at__isnull=False).count() == 2


def test_openai_tells_ids_and_ends_only() -> None:
    provider = rows.provider(kind="openai")
    take(
        provider,
        {"data": [{"id": "gpt-4o-mini"}, {"id": "gpt-4-0613", "shutdown_date": "2026-10-23"}, {"id": "dall-e-3"}]},
    )
    assert str(stored(provider, "gpt-4-0613", "expires_on")[0]) == "2026-10-23"
    assert stored(provider, "dall-e-3", "tags") == (["image"],)
    assert stored(provider, "gpt-4o-mini", "family", "price_in") == ("openai", None)


MANY = [{"id": f"acme/m{n}", "context_length": 8192} for n in range(20)]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"data": []}, "the listing is empty"),
        ({"data": MANY[:9]}, "only 9 of 20 known models are listed; believed when it stays so for 6 hours"),
        (b"<!doctype html><title>Just a moment</title>", "the listing is a page, not JSON: Just a moment"),
        (json.dumps({"data": MANY}).encode()[:-9], "the listing is broken or cut off"),
        ({"data": [{"id": f"m{n}"} for n in range(100_000)]}, "the listing has 100000 entries"),
        (b"\x00\xff\x13garbage", "the listing is not JSON"),
        ({"data": [*MANY, {"id": "a\x00b"}]}, "entry 21 of the listing has an id with control characters"),
        ({"data": [*MANY, {"id": "<img src=x>"}]}, "entry 21 of the listing has an id with quotes"),
        ({"data": [*MANY, {"id": "\ud800"}]}, "entry 21 of the listing has an id"),
        ({"data": [*MANY, {"name": "nobody"}]}, "entry 21 of the listing has no id"),
        ({"error": {"message": "maintenance"}}, "the listing is an error: maintenance"),
    ],
    ids=[
        "empty",
        "halved",
        "html",
        "truncated",
        "endless",
        "garbage",
        "nul",
        "markup",
        "surrogate",
        "nameless",
        "error",
    ],
)
def test_what_cannot_be_believed_is_refused_whole_with_one_line(body: Any, words: str) -> None:
    provider = rows.provider(kind="openrouter")
    take(provider, {"data": MANY})
    before = list(Deployment.objects.order_by("pk").values())
    found = take(provider, body)
    assert found.problem.startswith(words), found.problem
    assert "\n" not in found.problem
    assert list(Deployment.objects.order_by("pk").values()) == before
    assert CatalogueChange.objects.count() == 20
    run = DiscoveryRun.objects.first()
    assert run is not None
    assert (run.state, run.error) == ("failed", found.problem)


def test_a_deployment_that_cannot_be_stored_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = rows.provider(kind="openrouter")
    take(provider, {"data": MANY})

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(CatalogueChange.objects, "bulk_create", fail)
    found = take(provider, {"data": [*MANY, {"id": "acme/new"}]})
    assert found.words == "nothing changed: could not be taken in (RuntimeError)"
    assert not Deployment.objects.filter(model_id="acme/new").exists()
