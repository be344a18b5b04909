from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from rotation.models import BreakerState, Cooldown, LearnedLimit
from rotation.models.health import CHANNEL


def told(action: Callable[[], None]) -> list[dict[str, Any]]:
    listener = psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}, autocommit=True)
    with listener:
        listener.execute(f"LISTEN {CHANNEL}")
        action()
        return [json.loads(notice.payload) for notice in listener.notifies(timeout=0.2)]


@pytest.mark.django_db(transaction=True)
def test_lifting_a_cooldown_ends_it_here_and_tells_the_gateway():
    cooldown = Cooldown.objects.create(scope="key:12", until=timezone.now() + dt.timedelta(hours=1))
    assert cooldown.cooling
    assert told(cooldown.lift) == [{"what": "cooldown", "scope": "key:12"}]
    cooldown.refresh_from_db()
    assert not cooldown.cooling


@pytest.mark.django_db(transaction=True)
def test_lifting_a_breaker_closes_it_and_tells_the_gateway():
    breaker = BreakerState.objects.create(scope="deployment:3", state="open", opens=4, until=timezone.now())
    said = told(breaker.lift)
    breaker.refresh_from_db()
    at = breaker.changed_at.timestamp()
    assert said == [{"what": "breaker", "scope": "deployment:3", "state": "closed", "at": at}]
    assert (breaker.state, breaker.opens, breaker.until) == ("closed", 0, None)


@pytest.mark.django_db(transaction=True)
def test_forgetting_a_limit_tells_the_gateway():
    limit = LearnedLimit.objects.create(scope="account:1/deployment:2", axis="requests", limit=30, window_s=60)
    assert told(limit.lift) == [
        {"what": "limit", "scope": "account:1/deployment:2", "axis": "requests", "window": 60.0}
    ]
    assert not LearnedLimit.objects.exists()


@pytest.mark.django_db
def test_a_scope_has_one_cooldown_one_breaker_and_one_limit_per_window():
    def twice(model: type[models.Model], **values: Any) -> None:
        model._default_manager.create(**values)
        with pytest.raises(IntegrityError), transaction.atomic():
            model._default_manager.create(**values)

    twice(Cooldown, scope="key:1", until=timezone.now())
    twice(BreakerState, scope="key:1")
    twice(LearnedLimit, scope="key:1", axis="tokens", limit=1, window_s=60)


@pytest.mark.django_db
def test_a_breaker_state_is_one_of_five():
    with pytest.raises(IntegrityError), transaction.atomic():
        BreakerState.objects.create(scope="key:1", state="ajar")
