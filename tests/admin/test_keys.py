from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as django_settings

from rotation import starter
from rotation.models import AuditEvent, Key, Provider
from tests.admin.forms import errors
from tests.models import rows

OTHER = "sk-other-0123456789abcdefwxyz"


def test_a_key_is_sealed_and_shown_by_its_tail_only(browser, at):
    account = rows.account()
    response = browser.post(
        at("key", "add"), {"account": account.pk, "label": "work", "secret": f" {rows.SECRET}\n", "enabled": "on"}
    )
    assert response.status_code == 302
    key = Key.objects.get()
    assert key.secret.reveal() == rows.SECRET
    for url in (at("key"), at("key", "change", key.pk), at("key", "history", key.pk), at("key", "delete", key.pk)):
        html = browser.get(url).content.decode()
        assert rows.SECRET not in html
        assert key.sealed not in html
    assert "…ghij" in browser.get(at("key")).content.decode()
    events = str(list(AuditEvent.objects.values()))
    assert rows.SECRET not in events
    assert key.sealed not in events


@pytest.mark.parametrize(
    ("secret", "says"), [("", "wants a key"), ("two words", "one word"), ("x" * 5000, "4096"), ("ключ", "ASCII")]
)
def test_a_bad_secret_is_an_error_beside_its_field_and_never_comes_back(browser, at, secret, says):
    account = rows.account()
    response = browser.post(
        at("key", "add"), {"account": account.pk, "label": "kept", "secret": secret, "enabled": "on"}
    )
    assert says in errors(response)["secret"][0]
    assert 'value="kept"' in response.content.decode()
    assert not secret or f'value="{secret}"' not in response.content.decode()
    assert not Key.objects.exists()


def test_a_generic_provider_may_have_no_key(browser, at):
    account = rows.account(provider=rows.provider(kind="generic"))
    assert browser.post(at("key", "add"), {"account": account.pk, "enabled": "on"}).status_code == 302
    assert Key.objects.get().masked == "(no key)"


def test_the_same_key_twice_is_said(browser, at):
    key = rows.key()
    data = {"account": key.account_id, "secret": rows.SECRET, "enabled": "on"}
    assert "already holds this key" in errors(browser.post(at("key", "add"), data))["secret"][0]


def test_an_empty_field_keeps_the_secret_and_a_new_one_replaces_it(browser, at):
    key = rows.key()
    key.mark("invalid", "revoked")
    url = at("key", "change", key.pk)
    assert browser.post(url, {"label": "renamed", "enabled": "on"}).status_code == 302
    key.refresh_from_db()
    assert (key.label, key.secret.reveal(), key.state) == ("renamed", rows.SECRET, "invalid")
    assert browser.post(url, {"label": "renamed", "enabled": "on", "secret": OTHER}).status_code == 302
    key.refresh_from_db()
    assert (key.secret.reveal(), key.masked, key.state) == (OTHER, "…wxyz", "ready")
    changed = AuditEvent.objects.first()
    assert changed is not None
    assert {"sealed", "last4", "state"} <= set(changed.after or {})


def test_a_key_is_not_carried_to_another_account(browser, at):
    key = rows.key()
    other = rows.account()
    browser.post(at("key", "change", key.pk), {"account": other.pk, "label": "x", "enabled": "on"})
    key.refresh_from_db()
    assert key.account != other


def test_a_forgotten_key_is_not_enabled_without_its_secret(browser, at):
    key = rows.key()
    key.forget_secret("moved")
    url = at("key", "change", key.pk)
    assert "wants a key" in errors(browser.post(url, {"enabled": "on"}))["secret"][0]
    assert browser.post(url, {"enabled": "on", "secret": rows.SECRET}).status_code == 302
    key.refresh_from_db()
    assert (key.enabled, key.state) == (True, "ready")


def test_a_locked_key_says_so_and_the_page_still_opens(browser, at, settings):
    key = rows.key()
    settings.ROTATION_SECRETS_KEY = Fernet.generate_key().decode()
    assert "ROTATION_SECRETS_KEY" in browser.get(at("key")).content.decode()
    assert "ROTATION_SECRETS_KEY" in browser.get(at("key", "change", key.pk)).content.decode()


def test_a_key_is_made_ready_again_by_an_action(browser, at, audited):
    key = rows.key()
    key.mark("exhausted", "402")
    browser.post(at("key"), {"action": "as_ready", "_selected_action": [key.pk]})
    key.refresh_from_db()
    assert (key.state, key.state_reason) == ("ready", "marked by olga")
    assert audited() == [("olga", "as_ready", "key")]


def test_the_first_real_key_switches_simulation_off_and_the_last_one_on_again(browser, at):
    assert django_settings.ROTATION_MODE == "development"
    starter.prepare()
    account = rows.account(provider=Provider.objects.get(name="groq"))
    data = {"account": account.pk, "secret": rows.SECRET, "enabled": "on"}
    told = browser.post(at("key", "add"), data, follow=True).content.decode()
    assert "Simulated providers are switched off" in told
    assert not Provider.objects.filter(simulated=True, enabled=True).exists()
    key = Key.objects.get(account=account)
    told = browser.post(at("key", "delete", key.pk), {"post": "yes"}, follow=True).content.decode()
    assert "Simulated providers are switched on" in told
    assert not Provider.objects.filter(simulated=True, enabled=False).exists()


def test_a_simulated_provider_switched_on_beside_real_ones_stays_on(browser, at):
    starter.prepare()
    key = rows.key(account=rows.account(provider=Provider.objects.get(name="groq")))
    starter.sync_simulation()
    Provider.objects.filter(name="sim-openai").update(enabled=True)
    browser.post(at("key", "change", key.pk), {"label": "renamed", "enabled": "on"})
    assert Provider.objects.get(name="sim-openai").enabled
