"""Yesterday; its models are imported inside, because pytest reads this file before Django is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.replay.yesterday import Yesterday


@pytest.fixture
def yesterday(db: None) -> Yesterday:
    from tests.replay.yesterday import Yesterday

    return Yesterday()


@pytest.fixture
def olga(db: None) -> Any:
    """Olga at a page."""
    from rotation.control.by import By
    from rotation.models import Door

    return By("olga", Door.PAGE)
