"""`key`, `client_key` and `rotate_secrets`, run as an operator runs them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from rotation import client_keys, starter
from rotation.management.commands import rotate_secrets
from rotation.models import AuditEvent, ClientKey, Key, Provider
from tests.models import rows

pytestmark = pytest.mark.django_db


def run(*words: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


@pytest.fixture
def piped(monkeypatch):
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_key_is_taken_in_from_a_pipe_and_switches_simulation_off(piped):
    starter.load(simulated=False)
    starter.load(simulated=True)
    piped("gsk_0123456789abcdefghij\n")
    said = run("key", "add", "groq", "--account", "work")
    assert "…ghij" in said
    assert "gsk_0123" not in said
    key = Key.objects.get(account__provider__name="groq", account__label="work")
    assert key.secret.reveal() == "gsk_0123456789abcdefghij"
    assert not Provider.objects.filter(simulated=True, enabled=True).exists()
    event = AuditEvent.objects.about(key).get()
    after = event.after or {}
    assert (event.actor, after["last4"]) == ("command line", "ghij")
    assert after["sealed"].startswith("(hidden")


def test_a_key_is_asked_for_without_echo_at_a_terminal(piped, monkeypatch):
    rows.provider(name="groq", kind="groq", label="Groq")
    piped("")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "gsk_0123456789abcdefghij")
    run("key", "add", "groq")
    assert Key.objects.get().masked == "…ghij"


@pytest.mark.parametrize(
    ("provider", "text", "says"),
    [
        ("grok", "gsk_1", "There is no provider 'grok'; there are: groq, local"),
        ("groq", "", "No key was given"),
        ("groq", "two words", "one word"),
    ],
)
def test_what_is_wrong_with_a_key_is_said(piped, provider, text, says):
    rows.provider(name="groq", kind="groq")
    rows.provider(name="local", kind="generic")
    piped(text)
    with pytest.raises(CommandError, match=says):
        run("key", "add", provider)
    assert not Key.objects.exists()


def test_the_same_key_twice_is_said(piped):
    key = rows.key(account=rows.account(provider=rows.provider(name="groq"), label="main"))
    piped(rows.SECRET)
    with pytest.raises(CommandError, match="already holds this key"):
        run("key", "add", "groq")
    assert list(Key.objects.all()) == [key]


def test_a_generic_provider_may_have_no_key(piped):
    rows.provider(name="local", kind="generic")
    piped("")
    assert "(no key)" in run("key", "add", "local")


def test_a_client_key_is_made_listed_and_revoked():
    rows.pool(name="fast")
    plain = run("client_key", "create", "laptop", "--pool", "fast", "--days", "3").strip()
    key = client_keys.find(plain)
    assert key is not None
    assert (key.label, key.pools) == ("laptop", ["fast"])
    assert key.expires_at is not None
    listed = run("client_key", "list")
    assert key.masked in listed
    assert plain not in listed
    run("client_key", "revoke", plain[3:11])
    assert client_keys.find(plain) is None
    assert "revoked" in run("client_key", "list")
    assert [event.action for event in AuditEvent.objects.about(key)] == ["revoke", "issue"]
    assert plain not in str(list(AuditEvent.objects.values()))


def test_a_client_key_is_revoked_by_its_whole_text_or_its_id_too():
    _, plain = client_keys.issue("one")
    second, _ = client_keys.issue("two")
    run("client_key", "revoke", plain)
    run("client_key", "revoke", str(second.pk))
    assert not ClientKey.objects.filter(enabled=True).exists()
    with pytest.raises(CommandError, match="0 keys go by"):
        run("client_key", "revoke", "nothing")


@pytest.mark.parametrize("wrong", [["--pool", "slow"], ["--days", "0"]])
def test_a_client_key_that_could_not_be_used_is_not_made(wrong):
    with pytest.raises(CommandError):
        run("client_key", "create", "laptop", *wrong)
    assert not ClientKey.objects.exists()


def test_secrets_move_to_the_new_key_and_the_old_one_can_go(settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.ROTATION_SECRETS_KEY = old
    account = rows.account()
    keys = [rows.key(f"sk-test-0123456789abcdef-{n}", account=account) for n in range(5)]
    rows.key("", account=account)
    settings.ROTATION_SECRETS_KEY = f"{new},{old}"
    assert "5 sealed again, 0 were already" in run("rotate_secrets", "--batch", "2")
    assert "0 sealed again, 5 were already" in run("rotate_secrets")
    settings.ROTATION_SECRETS_KEY = new
    for n, key in enumerate(keys):
        key.refresh_from_db()
        assert key.secret.reveal() == f"sk-test-0123456789abcdef-{n}"


def test_an_interrupted_run_goes_on_where_it_was(settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.ROTATION_SECRETS_KEY = old
    account = rows.account()
    for n in range(4):
        rows.key(f"sk-test-0123456789abcdef-{n}", account=account)
    settings.ROTATION_SECRETS_KEY = f"{new},{old}"
    for key in Key.objects.order_by("pk")[:2]:  # what a killed run had done
        assert rotate_secrets.Command.reseal(key) is True
    assert "2 sealed again, 2 were already" in run("rotate_secrets")


def test_a_locked_secret_is_named_and_does_not_stop_the_others(settings):
    account = rows.account()
    lost = rows.key("sk-test-0123456789abcdef-lost", account=account)
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.ROTATION_SECRETS_KEY = old
    fine = rows.key("sk-test-0123456789abcdef-fine", account=account)
    settings.ROTATION_SECRETS_KEY = f"{new},{old}"
    with pytest.raises(CommandError, match=f"1 could not be opened.*id {lost.pk}"):
        run("rotate_secrets")
    settings.ROTATION_SECRETS_KEY = new
    fine.refresh_from_db()
    assert not fine.locked
