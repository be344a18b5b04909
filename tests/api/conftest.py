"""Somebody who has signed in, the small world explanations are made of, and an installation with one of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from django.test import Client

    from tests.why.world import World


@pytest.fixture
def world(db: None) -> World:
    from tests.why.world import World

    return World()


@pytest.fixture
def alice(client: Client, db: None) -> Client:
    """Alice's browser: she may read, and is nobody's superior."""
    from django.contrib.auth.models import User

    client.force_login(User.objects.create_user("alice"))
    return client


@pytest.fixture
def no_world(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> None:
    """Nobody is asked: no provider, no queue; a data folder of one's own."""
    from rotation.api import tries
    from rotation.celery import app
    from rotation.jobs import fetch

    def nobody(*_: Any, **__: Any) -> None:
        raise fetch.FetchFailed("no connection", fetch.Cause.CONNECTION)

    monkeypatch.setattr(fetch, "fetch", nobody)
    monkeypatch.setattr("rotation.jobs.keys.fetch", nobody)
    monkeypatch.setattr(app, "send_task", lambda *_, **__: None)
    monkeypatch.setattr(tries, "_seen", type(tries._seen)())
    settings.ROTATION_HOME = tmp_path
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def there(db: None, no_world: None) -> dict[str, Any]:
    """Path parameters: each with something that is there."""
    from tests.api.furnished import furnish

    return furnish()


@pytest.fixture
def ask(db: None, no_world: None) -> Any:
    """A program with an admin's token: ask("post", "/v1/pools", {...})."""
    from tests.api.asking import Asking

    return Asking()
