from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from rotation.models import Deployment, Provider
from tests.models import rows

pytestmark = pytest.mark.django_db


def refused(provider: Provider) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as error:
        provider.full_clean()
    return error.value.message_dict


def test_a_base_url_is_tidied_when_it_is_checked():
    provider = Provider(kind="openai", name="x", label="X", base_url="HTTPS://Api.Example.com/v1/")
    provider.full_clean()
    assert provider.base_url == "https://api.example.com/v1"


def test_an_address_of_a_metadata_service_is_refused_for_every_kind():
    for kind in ("openai", "generic"):
        provider = Provider(
            kind=kind, name="x", label="X", base_url="http://169.254.169.254/v1", options={"local": True}
        )
        assert "metadata" in refused(provider)["base_url"][0]


def test_a_local_server_is_fine_for_a_generic_provider():
    provider = Provider(kind="generic", name="ollama", label="Ollama", base_url="http://localhost:11434/v1")
    provider.full_clean()
    nas = Provider(kind="generic", name="nas", label="NAS", base_url="http://192.168.1.5:8000/v1")
    assert '{"local": true}' in refused(nas)["base_url"][0]
    nas.options = {"local": True}
    nas.full_clean()


def test_rotation_is_not_its_own_provider(settings):
    provider = Provider(kind="generic", name="me", label="Me", base_url=f"http://localhost:{settings.PORT}/v1")
    assert "own address" in refused(provider)["base_url"][0]


def test_an_unknown_kind_names_the_known_ones():
    provider = Provider(kind="anthropique", name="x", label="X", base_url="https://api.example.com/v1")
    assert "generic" in refused(provider)["kind"][0]


@pytest.mark.parametrize("options", [[], "text", 3])
def test_options_are_an_object(options):
    provider = Provider(kind="openai", name="x", label="X", base_url="https://api.example.com", options=options)
    assert "JSON object" in refused(provider)["options"][0]


def test_a_key_is_not_carried_to_another_address():
    key = rows.key()
    provider = key.account.provider
    provider.base_url = "https://evil.example/v1"
    assert "1 enabled key" in refused(provider)["base_url"][0]
    provider.base_url = "https://api.example.com/v2"  # the same origin
    provider.full_clean()
    key.enabled = False
    key.save()
    provider.base_url = "https://new.example/v1"
    provider.full_clean()


def test_a_provider_without_a_secret_may_move():
    provider = rows.provider(kind="generic", base_url="http://localhost:11434/v1")
    rows.key("", account=rows.account(provider=provider))
    provider.base_url = "http://localhost:1234/v1"
    provider.full_clean()


def test_a_simulated_address_is_filled_in_when_it_is_read(settings):
    provider = rows.provider(base_url="simulator:/groq/openai/v1", simulated=True)
    settings.ROTATION_SIMULATOR_URL = "http://127.0.0.1:41234/"
    assert provider.url == "http://127.0.0.1:41234/groq/openai/v1"
    settings.ROTATION_SIMULATOR_URL = ""
    assert provider.url == ""
    assert rows.provider().url == "https://api.example.com/v1"


def test_a_deployment_is_offered_once():
    deployment = rows.deployment()
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.deployment(provider=deployment.provider, model_id=deployment.model_id)


@pytest.mark.parametrize("wrong", [{"status": "great"}, {"price_in": -1}, {"price_out": -0.5}])
def test_the_database_itself_refuses_what_makes_no_sense(wrong):
    deployment = rows.deployment()
    with pytest.raises(IntegrityError), transaction.atomic():
        Deployment.objects.filter(pk=deployment.pk).update(**wrong)


def test_a_deployment_says_its_name_and_marks_with_a_reason():
    deployment = rows.deployment(provider=rows.provider(name="groq"), model_id="llama/3:free")
    assert deployment.name == "groq/llama/3:free"
    deployment.mark("gone", "404 from the provider")
    deployment.refresh_from_db()
    assert (deployment.status, deployment.status_reason) == ("gone", "404 from the provider")
    with pytest.raises(ValueError):
        deployment.mark("lost")


def test_a_lack_is_remembered_once():
    deployment = rows.deployment()
    deployment.remember_lack("tools")
    deployment.remember_lack("tools")
    deployment.refresh_from_db()
    assert deployment.lacks == ["tools"]
