from __future__ import annotations

import copy
import json
import pickle
from dataclasses import asdict, dataclass

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from rotation import sealing
from rotation.sealing import Locked, Secret

LONG = "sk-or-v1-0123456789abcdef"


@given(st.text(min_size=1, max_size=200).filter(lambda text: text.isascii()))
def test_what_is_sealed_opens_again_and_does_not_show(text):
    token = sealing.seal(text)
    assert sealing.unseal(token) == text
    assert len(text) < 6 or text not in token


def test_an_empty_text_stays_empty():
    assert sealing.seal("") == "" == sealing.unseal("")


def test_a_token_opens_only_for_its_purpose():
    token = sealing.seal(LONG, "provider-key")
    with pytest.raises(Locked):
        sealing.unseal(token, "webhook")


def test_the_first_key_seals_and_all_of_them_open(settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.ROTATION_SECRETS_KEY = old
    token = sealing.seal(LONG)
    settings.ROTATION_SECRETS_KEY = f"{new}, {old}"
    assert sealing.unseal(token) == LONG
    resealed = sealing.reseal(token)
    settings.ROTATION_SECRETS_KEY = new
    assert sealing.unseal(resealed) == LONG
    with pytest.raises(Locked, match="ROTATION_SECRETS_KEY"):
        sealing.unseal(token)


def test_resealing_again_changes_nothing():
    token = sealing.seal(LONG)
    assert sealing.reseal(token) == token


def test_a_damaged_token_is_locked_not_a_crash():
    token = sealing.seal(LONG)
    for damaged in (token[:-2], token.swapcase(), "nonsense", "é", "\0"):
        with pytest.raises(Locked):
            sealing.unseal(damaged)


@dataclass
class Holder:
    secret: Secret


def test_a_secret_does_not_leak_by_any_ordinary_way():
    secret = Secret(LONG)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>30}",
        "%s" % secret,  # noqa: UP031 - one of the ways
        repr([secret]),
        repr(Holder(secret)),
    ]
    assert all(LONG not in text and LONG[:-4] not in text for text in shown)
    assert repr(secret) == "…cdef"
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError):
        json.dumps(secret)
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="pickled or copied"):
            leak(secret)
    with pytest.raises(TypeError):
        asdict(Holder(secret))
    assert secret.reveal() == LONG


def test_a_short_secret_shows_only_dots_and_none_says_so():
    assert repr(Secret("sk-short")) == "••••"
    assert repr(Secret("")) == "(no key)"
    assert not Secret("")


def test_secrets_compare_by_what_they_hold():
    assert Secret(LONG) == Secret(LONG)
    assert Secret(LONG) != Secret("other")
    assert Secret(LONG) != LONG
    assert len({Secret(LONG), Secret(LONG)}) == 1


def test_a_fingerprint_tells_apart_and_hangs_on_the_pepper(settings):
    first = sealing.fingerprint(LONG)
    assert first == sealing.fingerprint(LONG) != sealing.fingerprint(LONG + "x")
    settings.ROTATION_PEPPER = "another pepper, also long enough to be one"
    assert sealing.fingerprint(LONG) != first
