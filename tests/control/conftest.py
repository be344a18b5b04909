"""Who changes things, and what was written down about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def olga(db: None) -> Any:
    """Olga at a page."""
    from rotation.control.by import By
    from rotation.models import Door

    return By("olga", Door.PAGE)


@pytest.fixture
def told(db: None) -> Callable[[], list[tuple[str, str, str, str]]]:
    """(actor, door, action, kind of thing) of every audit event since the last time asked, the oldest first."""
    from rotation.models import AuditEvent

    seen = 0

    def since() -> list[tuple[str, str, str, str]]:
        nonlocal seen
        events = list(AuditEvent.objects.filter(pk__gt=seen).order_by("pk"))
        seen = events[-1].pk if events else seen
        return [(e.actor, e.door, e.action, e.object_type) for e in events]

    return since


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Any) -> None:
    """A data folder of one's own: switching simulation on and off leaves a sign there."""
    settings.ROTATION_HOME = tmp_path
