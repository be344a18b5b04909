"""Somebody who has signed in, and the small world explanations are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
