from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from rotation import sealing
from rotation.models import Key
from tests.models import rows

pytestmark = pytest.mark.django_db


def test_a_secret_is_sealed_at_rest_and_shown_by_its_tail():
    key = rows.key(rows.SECRET)
    stored = Key.objects.values().get(pk=key.pk)
    assert rows.SECRET not in str(stored)
    assert key.secret.reveal() == rows.SECRET
    assert key.masked == "…ghij"
    assert rows.SECRET not in f"{key} {key!r} {key.secret}"


def test_the_same_secret_is_never_taken_in_twice():
    key = rows.key()
    again, new = Key.objects.take_in(key.account, f"  {rows.SECRET}\n")
    assert (again, new) == (key, False)
    with pytest.raises(IntegrityError), transaction.atomic():
        Key.objects.create(account=key.account, fingerprint=key.fingerprint)


def test_another_account_may_hold_it_too():
    first = rows.key()
    second, new = Key.objects.take_in(rows.account(provider=first.account.provider, label="other"), rows.SECRET)
    assert new
    assert second != first


def test_a_provider_without_keys_has_one_with_an_empty_secret():
    key = rows.key("")
    assert key.masked == "(no key)"
    assert key.sealed == ""
    assert not key.secret
    assert not key.locked


@pytest.mark.parametrize("text", ["two words", "line\nbreak", "nul\0", "umläut", "x" * 4097, "\ud800"])
def test_what_cannot_stand_in_a_header_is_no_key(text):
    with pytest.raises(ValidationError):
        Key.objects.take_in(rows.account(), text)


def test_with_the_wrong_secrets_key_that_key_is_locked_and_others_work(settings):
    lost = rows.key()
    settings.ROTATION_SECRETS_KEY = Fernet.generate_key().decode()
    fine = rows.key()
    assert (lost.locked, fine.locked) == (True, False)
    assert fine.secret.reveal() == rows.SECRET
    with pytest.raises(sealing.Locked, match="enter the secret again"):
        _ = lost.secret


def test_marking_keeps_the_moment_the_state_began():
    key = rows.key()
    key.mark("suspect", "401 once")
    since = key.state_since
    key.mark("suspect", "401 twice")
    key.refresh_from_db()
    assert (key.state, key.state_reason, key.state_since) == ("suspect", "401 twice", since)
    key.mark("ready")
    assert key.state_since > since


def test_a_new_secret_makes_a_key_ready_again():
    key = rows.key()
    key.mark("invalid", "revoked")
    key.put_secret("sk-another-0123456789abcdef")
    assert (key.state, key.state_reason, key.masked) == ("ready", "", "…cdef")


def test_a_forgotten_secret_is_gone_but_known():
    key = rows.key()
    key.forget_secret("the address changed")
    key.refresh_from_db()
    assert (key.sealed, key.last4, key.enabled, key.state) == ("", "", False, "invalid")
    known, new = Key.objects.take_in(key.account, rows.SECRET)
    assert (known, new) == (key, False)


def test_usable_keys_are_enabled_all_the_way_up():
    key = rows.key()
    assert list(Key.objects.usable()) == [key]
    for thing in (key, key.account, key.account.provider):
        thing.enabled = False
        thing.save()
        assert not Key.objects.usable().exists()
        thing.enabled = True
        thing.save()
