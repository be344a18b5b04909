from __future__ import annotations

import datetime as dt
import re

import pytest
from django.utils import timezone

from rotation import client_keys
from rotation.models import ClientKey

pytestmark = pytest.mark.django_db


def test_a_key_has_its_shape_and_only_its_digest_is_stored():
    key, plain = client_keys.issue("laptop", pools=["auto", "fast"])
    assert re.fullmatch(r"rk_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}", plain)
    stored = ClientKey.objects.values().get(pk=key.pk)
    assert plain not in str(stored)
    assert plain[12:-4] not in str(stored)
    assert stored["digest"] == client_keys.digest(plain)
    assert key.masked == f"{plain[:12]}…{plain[-4:]}"
    assert key.pools == ["auto", "fast"]


def test_no_two_keys_are_alike():
    assert len({client_keys.issue("many")[1] for _ in range(50)}) == 50


def test_a_key_is_found_by_its_text_and_by_nothing_close_to_it():
    key, plain = client_keys.issue("laptop")
    assert client_keys.find(plain) == key
    swapped = plain[:-1] + ("a" if plain[-1] != "a" else "b")
    for wrong in (swapped, plain[:-1], plain + "a", plain.upper(), "", "Bearer " + plain, plain + "\n", "\ud800", "\0"):
        assert client_keys.find(wrong) is None


def test_a_revoked_or_expired_key_is_not_found():
    revoked, first = client_keys.issue("revoked")
    revoked.revoke()
    expired = timezone.now() - dt.timedelta(seconds=1)
    _, second = client_keys.issue("expired", expires_at=expired)
    assert client_keys.find(first) is client_keys.find(second) is None


def test_another_pepper_makes_a_stolen_table_useless(settings):
    _, plain = client_keys.issue("laptop")
    settings.ROTATION_PEPPER = "another pepper, also long enough to be one"
    assert client_keys.find(plain) is None


def test_a_key_without_pools_may_use_all():
    anything, _ = client_keys.issue("all")
    narrow, _ = client_keys.issue("narrow", pools=["fast"])
    assert anything.may_use("vision")
    assert narrow.may_use("fast")
    assert not narrow.may_use("vision")


def test_the_jobs_key_is_the_same_every_time_and_is_made_once():
    key, plain = client_keys.for_jobs()
    again, same = client_keys.for_jobs()
    assert (key.pk, plain) == (again.pk, same)
    assert key.internal
    assert client_keys.find(plain) == key
    assert ClientKey.objects.filter(internal=True).count() == 1


def test_digesting_never_fails_on_hostile_text():
    assert len(client_keys.digest("\ud800\0" * 1000)) == 64
