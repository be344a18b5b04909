"""Who is let in: by a digest in memory, the same one the database keeps."""

from __future__ import annotations

import time

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from rotation import client_keys
from rotation.gateway.clients import Client, identify
from rotation.gateway.envelope import Refusal

KEY = "rk_alice000_" + "k" * 43
PEPPER = settings.ROTATION_PEPPER.encode()


def known(**more: float | None) -> dict[str, Client]:
    return {client_keys.digest(KEY): Client(1, "alice", **more)}  # type: ignore[arg-type]  # only `expires` is given


def let_in(*credentials: str, clients: dict[str, Client] | None = None) -> Client:
    return identify([c.encode() for c in credentials], known() if clients is None else clients, PEPPER)


def refusal(*credentials: str, clients: dict[str, Client] | None = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        let_in(*credentials, clients=clients)
    return caught.value


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=80))
def test_the_digest_of_a_key_is_the_one_the_database_keeps(plain: str) -> None:
    clients = {client_keys.digest(plain): Client(5, "somebody")}
    assert let_in(f"Bearer {plain}", clients=clients).id == 5


@pytest.mark.parametrize("credential", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER   {KEY} "])
def test_a_right_key_is_let_in_however_the_scheme_is_written(credential: str) -> None:
    assert let_in(credential).label == "alice"


@pytest.mark.parametrize("credentials", [(), ("",), ("Bearer",), ("Bearer ",), (f"Basic {KEY}",), (KEY,)])
def test_no_key_is_told_how_to_send_one(credentials: tuple[str, ...]) -> None:
    told = refusal(*credentials)
    assert (told.status, told.code, told.headers["www-authenticate"]) == (401, "missing_api_key", "Bearer")
    assert "Authorization: Bearer" in told.message


@pytest.mark.parametrize("plain", ["rk_nobody", KEY[:-1], KEY + "k", KEY.upper(), client_keys.digest(KEY), "\xe9" * 50])
def test_a_wrong_key_is_refused_without_a_word_of_it(plain: str) -> None:
    told = refusal(f"Bearer {plain}")
    assert (told.status, told.code) == (401, "invalid_api_key")
    assert plain not in told.message


def test_two_authorization_headers_are_one_too_many() -> None:
    assert refusal(f"Bearer {KEY}", f"Bearer {KEY}").code == "duplicate_authorization"


def test_a_key_is_let_in_until_it_expires() -> None:
    assert let_in(f"Bearer {KEY}", clients=known(expires=time.time() + 60)).id == 1
    expired = refusal(f"Bearer {KEY}", clients=known(expires=time.time() - 0.001))
    assert expired.message == refusal("Bearer rk_nobody").message
