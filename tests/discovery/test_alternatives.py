"""Living models near to one that is gone."""

from __future__ import annotations

import pytest

from rotation.discovery import alternatives
from rotation.models import Provider
from tests.models import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> Provider:
    provider = rows.provider(kind="openrouter", name="here")
    rows.key("sk-or-v1-here-0123456789", account=rows.account(provider=provider))
    for model in ("meta-llama/llama-3.1-8b-instruct:free", "meta-llama/llama-3.3-70b-instruct", "openai/gpt-4o"):
        rows.deployment(provider=provider, model_id=model)
    rows.deployment(provider=provider, model_id="meta-llama/llama-3.3-8b-instruct:free", status="gone")
    return provider


def names(model: str) -> list[str]:
    return [one.deployment.model_id for one in alternatives.of(model)]


@pytest.mark.parametrize(
    "asked", ["meta-llama/llama-3.3-8b-instruct:free", "here/meta-llama/llama-3.3-8b-instruct:free"]
)
def test_a_gone_model_has_living_neighbours(here: Provider, asked: str) -> None:
    assert names(asked) == ["meta-llama/llama-3.1-8b-instruct:free", "meta-llama/llama-3.3-70b-instruct"]


def test_what_is_out_or_cannot_be_reached_is_no_alternative(here: Provider) -> None:
    far = rows.provider(name="far")
    rows.deployment(provider=far, model_id="meta-llama/llama-3.3-8b-instruct")
    rows.deployment(provider=here, model_id="meta-llama/llama-3.2-8b-instruct", status="incompatible")
    assert names("meta-llama/llama-3.3-8b-instruct:free")[0] == "meta-llama/llama-3.1-8b-instruct:free"


def test_the_same_model_elsewhere_comes_first(here: Provider) -> None:
    other = rows.provider(name="other")
    rows.key("gsk-other-0123456789", account=rows.account(provider=other))
    rows.deployment(provider=other, model_id="meta-llama/llama-3.3-8b-instruct:free")
    [first, *_] = alternatives.of("here/meta-llama/llama-3.3-8b-instruct:free")
    assert (first.deployment.provider.name, first.same) == ("other", True)


def test_an_unknown_name_is_compared_as_well_and_nonsense_has_no_neighbours(here: Provider) -> None:
    assert names("gpt4o") == ["openai/gpt-4o"]
    assert names("\0") == []
