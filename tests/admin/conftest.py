from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def operator(django_user_model: Any, db: None) -> Any:
    return django_user_model.objects.create(username="olga", is_staff=True, is_superuser=True)


@pytest.fixture
def browser(client: Any, operator: Any) -> Any:
    client.force_login(operator)
    return client


@pytest.fixture
def at() -> Callable[..., str]:
    """The address of an admin page: at("key", "change", 3)."""
    from django.urls import reverse

    return lambda model, page="changelist", *args: reverse(f"admin:rotation_{model}_{page}", args=args)


@pytest.fixture
def audited() -> Callable[[], list[tuple[str, str, str]]]:
    """(actor, action, kind of thing) of every audit event, the oldest first."""
    from rotation.models import AuditEvent

    return lambda: [(e.actor, e.action, e.object_type) for e in AuditEvent.objects.order_by("id")]
