"""A starter catalogue with simulated providers, and people who sign in.

Models are imported inside: pytest reads this file before Django is set up.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django import Settings

    from rotation.models import Deployment


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["tests.dashboard.hashing.QuickArgon2"]


@pytest.fixture
def world(db: None) -> None:
    """What the first start of an installation without keys leaves behind."""
    from rotation import starter

    starter.prepare()


@pytest.fixture
def alice(db: None) -> User:
    from django.contrib.auth.models import User

    from tests.dashboard.calls import PASSWORD

    return User.objects.create_superuser("alice", "", PASSWORD)


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    """A browser in which Alice has signed in."""
    client.force_login(alice)
    return client


@pytest.fixture
def deployment(world: None) -> Deployment:
    """The first of the rotation."""
    from rotation.models import Deployment

    return Deployment.objects.get(provider__name="sim-openrouter", model_id="meta-llama/llama-3.3-8b-instruct:free")


@pytest.fixture
def ask(deployment: Deployment) -> Callable[..., UUID]:
    """`ask()` stores one answered call now; `ask(at=..., failed=2)` one that rotated twice before."""
    from tests.dashboard.calls import attempt, call, ledger

    def store(*, at: datetime | None = None, failed: int = 0, total: float = 800, **more: Any) -> UUID:
        tries = [attempt(deployment, n=n, outcome="rate_limited", total=100) for n in range(1, failed + 1)]
        return ledger([call([*tries, attempt(deployment, n=failed + 1, total=total)], at=at, **more)])[0]

    return store
