"""The small world; its models are imported inside, because pytest reads this file before Django is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.why.world import World


@pytest.fixture
def world(db: None) -> World:
    from tests.why.world import World

    return World()
