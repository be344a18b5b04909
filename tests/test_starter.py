from __future__ import annotations

from decimal import Decimal

import pytest

from rotation import starter, starter_rows
from rotation.models import Account, AuditEvent, ConfigVersion, Deployment, Key, Placement, Pool, Provider, StarterMark
from rotation.starter_rows import FILE
from tests.models import rows

pytestmark = pytest.mark.django_db


def order(pool: str, *, simulated: bool = False) -> list[str]:
    placements = Placement.objects.filter(pool__name=pool, deployment__provider__simulated=simulated)
    return [p.deployment.name for p in placements.select_related("deployment__provider").order_by("position", "id")]


def counts() -> list[int]:
    return [model.objects.count() for model in (Provider, Deployment, Pool, Placement, Account, Key, StarterMark)]


@pytest.fixture
def loaded():
    starter.load(simulated=False)
    starter.load(simulated=True)


def test_the_free_chain_keeps_its_order_sixth_before_seventh(loaded):
    chain = order("auto")
    assert len(chain) == 12
    assert chain[0] == "openrouter/meta-llama/llama-3.3-8b-instruct:free"
    assert chain[5:7] == ["openrouter/minimax/minimax-m2:free", "openrouter/meta-llama/llama-3.3-70b-instruct:free"]
    assert chain[-1] == "openrouter/deepseek/deepseek-chat-v3.1:free"
    seconds = [
        Deployment.objects.get(provider__name="openrouter", model_id=name.partition("/")[2]).seed_latency_s
        for name in chain
    ]
    assert seconds == [0.88, 1.31, 1.71, 2.35, 3.08, 4.70, 3.01, 6.60, 9.94, 12.03, 15.03, 15.69]


def test_the_task_pools_have_their_providers_in_order(loaded):
    assert [name.split("/")[0] for name in order("fast")] == ["groq", "groq", "openai", "together"]
    assert order("research")[1] == "together/deepseek-ai/DeepSeek-V3.1"
    assert order("code")[0] == "together/Qwen/Qwen2.5-Coder-32B-Instruct"
    assert len(order("research")) == len(order("vision")) == 6


def test_audio_prefers_groq_and_lets_the_others_take_turns(loaded):
    pool = Pool.objects.get(name="transcription")
    real = Placement.objects.filter(pool=pool, deployment__provider__simulated=False).order_by("position")
    assert pool.strategy == "round_robin"
    assert [(p.deployment.name, p.pinned) for p in real.select_related("deployment__provider")] == [
        ("groq/whisper-large-v3-turbo", True),
        ("groq/whisper-large-v3", True),
        ("openai/whisper-1", False),
        ("together/openai/whisper-large-v3", False),
    ]
    assert order("transcription", simulated=True)[-1] == "sim-generic/whisper-base"
    whisper = Deployment.objects.get(provider__name="openai", model_id="whisper-1")
    assert (whisper.input_modalities, whisper.tags) == (["audio"], ["transcription"])


def test_the_simulated_half_mirrors_the_real_one_and_adds_a_local_server_last(loaded):
    for pool in ("auto", "research", "vision"):
        assert order(pool, simulated=True) == [f"sim-{name}" for name in order(pool)]
    for pool in ("fast", "code"):
        assert order(pool, simulated=True) == [*(f"sim-{n}" for n in order(pool)), "sim-generic/llama3.2:latest"]
    groq = Provider.objects.get(name="sim-groq")
    assert (groq.kind, groq.label, groq.base_url) == ("groq", "Groq (simulated)", "simulator:/groq/openai/v1")
    assert not Provider.objects.filter(name="generic").exists()


def test_prices_free_marks_and_windows_are_known(loaded):
    maverick = Deployment.objects.get(provider__name="groq", model_id="meta-llama/llama-4-maverick-17b-128e-instruct")
    assert (maverick.price_in, maverick.price_out, maverick.context) == (Decimal("0.20"), Decimal("0.60"), 131072)
    assert (maverick.images, maverick.price_source) == (True, "starter")
    free = Deployment.objects.get(provider__name="openrouter", model_id="google/gemma-2-9b-it:free")
    assert (free.free, free.price_in, free.context) == (True, 0, 8192)
    exacto = Deployment.objects.get(provider__name="openrouter", model_id="z-ai/glm-4.6:exacto")
    assert (exacto.free, exacto.price_out, exacto.tags) == (False, Decimal("1.90"), ["specialised"])
    assert not exacto.placements.exists()
    no_chat = ["transcription", "embedding"]
    assert not Deployment.objects.filter(context=None).exclude(tags__overlap=no_chat).exists()
    assert set(Deployment.objects.values_list("status", flat=True)) == {"candidate"}


def test_simulated_accounts_hold_their_keys(loaded):
    keys = {
        (key.account.provider.name, key.account.label, key.secret.reveal())
        for key in Key.objects.select_related("account__provider")
    }
    assert keys == {
        ("sim-openrouter", "main", "sk-sim-openrouter-main-1"),
        ("sim-openrouter", "main", "sk-sim-openrouter-main-2"),
        ("sim-openrouter", "second", "sk-sim-openrouter-second-1"),
        ("sim-groq", "main", "sk-sim-groq-main-1"),
        ("sim-openai", "main", "sk-sim-openai-main-1"),
        ("sim-together", "main", "sk-sim-together-main-1"),
        ("sim-generic", "main", ""),
    }


def test_loading_again_changes_nothing_not_even_the_version(loaded):
    before, version = counts(), ConfigVersion.objects.get().version
    assert starter.load(simulated=False) == starter.load(simulated=True) == 0
    assert (counts(), ConfigVersion.objects.get().version) == (before, version)


def test_what_an_operator_edited_or_deleted_stays_so(loaded):
    Provider.objects.filter(name="groq").update(label="My Groq", base_url="https://proxy.example/v1", enabled=False)
    Provider.objects.filter(name="together").delete()
    Placement.objects.filter(pool__name="auto", position=1).delete()
    Pool.objects.filter(name="vision").delete()
    Deployment.objects.filter(model_id="gpt-4o").update(price_in=1)
    Key.objects.filter(account__provider__name="sim-openai").delete()
    before = counts()
    starter.load(simulated=False)
    starter.load(simulated=True)
    assert counts() == before
    assert Provider.objects.get(name="groq").label == "My Groq"
    assert Deployment.objects.filter(model_id="gpt-4o", price_in=1).count() == 2


def test_what_an_operator_made_before_is_kept_and_completed():
    mine = rows.provider(kind="groq", name="groq", label="Mine")
    pool = rows.pool(name="fast", label="Mine")
    starter.load(simulated=False)
    mine.refresh_from_db()
    assert mine.label == "Mine"
    assert mine.deployments.count() == 6
    assert pool.placements.count() == 4


def test_a_later_edition_adds_only_what_is_new(loaded, tmp_path, monkeypatch):
    later = tmp_path / "starter.toml"
    line = '    { id = "gpt-5", family = "openai", context = 400000, images = true },\n    { id = "gpt-4o-mini"'
    later.write_text(FILE.read_text().replace('    { id = "gpt-4o-mini"', line))
    Deployment.objects.filter(model_id="gpt-4o").delete()
    monkeypatch.setattr("rotation.starter_rows.FILE", later)
    starter_rows.starter_file.cache_clear()
    try:
        assert starter.load(simulated=False) == 1
    finally:
        starter_rows.starter_file.cache_clear()
    assert Deployment.objects.filter(model_id="gpt-5").count() == 1
    assert not Deployment.objects.filter(model_id="gpt-4o").exists()


def test_in_production_nothing_is_simulated(settings):
    settings.ROTATION_MODE = "production"
    assert starter.prepare() is False
    assert not Provider.objects.filter(simulated=True).exists()
    assert Provider.objects.count() == 4


def test_going_to_production_switches_simulated_providers_off(loaded, settings):
    settings.ROTATION_MODE = "production"
    assert starter.sync_simulation() is False
    assert not Provider.objects.filter(simulated=True, enabled=True).exists()


def test_the_first_real_key_switches_simulation_off_and_the_last_one_on_again(loaded):
    assert starter.sync_simulation() is True
    key = rows.key(account=rows.account(provider=Provider.objects.get(name="groq")))
    assert starter.sync_simulation() is False
    assert not Provider.objects.filter(simulated=True, enabled=True).exists()
    key.enabled = False
    key.save()
    assert starter.sync_simulation() is True
    assert not Provider.objects.filter(simulated=True, enabled=False).exists()
    events = AuditEvent.objects.filter(about="simulated").order_by("id")
    assert list(events.values_list("action", "door")) == [("switch off", "job"), ("switch on", "job")]


def test_keys_of_the_environment_are_taken_in_once(monkeypatch, loaded):
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-aaaaaaaaaaaaaaaa, sk-or-v1-bbbbbbbbbbbbbbbb,, ")
    monkeypatch.setenv("GROQ_API_KEY", "gsk_cccccccccccccccccccc")
    assert starter.take_environment_keys() == 3
    assert starter.take_environment_keys() == 0
    taken = Key.objects.filter(source="environment").order_by("id")
    assert [(k.account.provider.name, k.account.label) for k in taken] == [
        ("openrouter", "environment"),
        ("openrouter", "environment"),
        ("groq", "environment"),
    ]
    assert taken[1].secret.reveal() == "sk-or-v1-bbbbbbbbbbbbbbbb"
    assert starter.sync_simulation() is False


def test_a_key_an_operator_deleted_or_disabled_does_not_come_back(monkeypatch, loaded):
    monkeypatch.setenv("GROQ_API_KEY", "gsk_cccccccccccccccccccc,gsk_dddddddddddddddddddd")
    starter.take_environment_keys()
    first, second = Key.objects.filter(source="environment").order_by("id")
    first.delete()
    second.enabled = False
    second.save()
    assert starter.take_environment_keys() == 0
    assert list(Key.objects.filter(source="environment").values_list("pk", "enabled")) == [(second.pk, False)]


def test_a_key_that_was_entered_by_hand_is_not_taken_again(monkeypatch, loaded):
    by_hand = rows.key("gsk_cccccccccccccccccccc", account=rows.account(provider=Provider.objects.get(name="groq")))
    monkeypatch.setenv("GROQ_API_KEY", "gsk_cccccccccccccccccccc")
    assert starter.take_environment_keys() == 0
    assert Key.objects.get(account__provider__name="groq") == by_hand


def test_nonsense_in_the_environment_is_said_without_showing_it(monkeypatch, loaded, caplog):
    monkeypatch.setenv("OPENAI_API_KEY", "two words")
    monkeypatch.setenv("GROQ_API_KEY", "gsk_cccccccccccccccccccc")
    assert starter.take_environment_keys() == 1
    assert "OPENAI_API_KEY" in caplog.text
    assert "two words" not in caplog.text


def test_a_key_without_its_provider_is_said(monkeypatch, loaded, caplog):
    Provider.objects.filter(name="together").delete()
    monkeypatch.setenv("TOGETHER_API_KEY", "tgp_v1_eeeeeeeeeeeeeeee")
    assert starter.take_environment_keys() == 0
    assert "TOGETHER_API_KEY" in caplog.text


def test_a_start_in_one_call(monkeypatch):
    assert starter.prepare() is True
    monkeypatch.setenv("OPENAI_API_KEY", "sk-proj-ffffffffffffffff")
    assert starter.prepare() is False
    assert starter.prepare() is False
