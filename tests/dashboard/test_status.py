from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from dashboard.queries import status
from dashboard.standing import standing
from rotation.models import BreakerState, CallDay, Deployment, Pool, Switch, Trip
from tests.dashboard.calls import HOSTILE

NOW = timezone.now().replace(microsecond=0)


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def public(world: None) -> None:
    Switch.objects.create(name="status_page", value=True)


def trip(deployment: Deployment, after: str, minutes: float) -> Trip:
    return Trip.objects.create(
        at=NOW - timedelta(minutes=minutes), scope=f"deployment:{deployment.pk}", before="closed", after=after
    )


@pytest.mark.parametrize("path", ["/status/", "/status/badge.svg", "/status.json"])
def test_nobody_can_tell_that_it_exists_until_an_operator_wants_it(client: Client, world: None, path: str):
    assert client.get(path).status_code == 404
    Switch.objects.create(name="status_page", value=True)
    assert client.get(path).status_code == 200


def test_a_stranger_sees_pools_and_no_model_key_or_message(
    client: Client, public: None, ask: Callable[..., UUID], deployment: Deployment
):
    ask()
    trip(deployment, "open", 5)
    text = client.get("/status/").text
    assert "auto" in text
    assert "OpenRouter" in text
    assert "simulated providers" in text
    assert deployment.model_id not in text
    assert "rk_" not in text
    assert "<script" not in text


def test_a_title_is_shown_as_text(client: Client, public: None):
    Switch.objects.create(name="status_title", value=HOSTILE[:200])
    assert "<script>alert" not in client.get("/status/").text
    assert b"<script>alert" not in client.get("/status/badge.svg").content


@pytest.mark.parametrize(
    ("members", "free", "lately", "state"),
    [
        (4, 4, (0, 0), "up"),
        (4, 3, (9, 9), "up"),
        (4, 2, (9, 9), "degraded"),
        (4, 4, (8, 10), "degraded"),
        (4, 0, (0, 0), "down"),
        (4, 0, (3, 9), "degraded"),  # the last resort answers
        (4, 4, (0, 5), "down"),
        (4, 4, (0, 4), "up"),  # four calls say too little
        (0, 0, (0, 0), "down"),
    ],
)
def test_what_callers_met_counts_before_what_is_benched(members: int, free: int, lately: Any, state: str):
    assert status.standing(members, free, lately) == state


def test_a_pool_whose_models_all_rest_is_down_and_so_is_the_whole(public: None):
    assert standing(NOW).state == "up"
    for placement in Pool.objects.get(name="auto").placements.all():
        BreakerState.objects.create(scope=f"deployment:{placement.deployment_id}", state="open")
    shown = standing(NOW)
    assert {pool.name: pool.state for pool in shown.pools}["auto"] == "down"
    assert shown.state == "down"


def test_ninety_days_are_shown_the_first_without_calls(public: None):
    CallDay.objects.create(
        at=NOW.replace(hour=0, minute=0, second=0),
        pool="auto",
        simulated=True,
        calls=100,
        first_try=90,
        rotated=6,
        failed=4,
    )
    days = status.days(NOW, simulated=True)["auto"]
    assert len(days) == status.DAYS
    assert (days[-1].answered, days[-1].answerable) == (96, 100)
    assert days[0].answerable == 0
    auto = next(pool for pool in standing(NOW).pools if pool.name == "auto")
    assert auto.answered == "96.0%"
    assert auto.strip.count("<rect") == status.DAYS
    assert 'class="warn"' in auto.strip


def test_trips_of_one_provider_close_together_are_one_incident(public: None, deployment: Deployment):
    other = Deployment.objects.filter(provider=deployment.provider).exclude(pk=deployment.pk)[0]
    trip(deployment, "open", 60)
    trip(deployment, "half_open", 59)
    trip(deployment, "open", 58)
    trip(other, "open", 57)
    trip(deployment, "closed", 55)
    trip(other, "closed", 50)
    trip(other, "open", 20)
    latest, first = status.incidents(NOW, simulated=True)
    assert (first.models, first.until) == (2, NOW - timedelta(minutes=50))
    assert first.since == NOW - timedelta(minutes=60)
    assert "auto" in first.pools
    assert (latest.models, latest.until) == (1, None)


def test_a_provider_nobody_reached_is_an_incident_of_all_its_models(public: None, deployment: Deployment):
    for after, minutes in (("open", 30), ("half_open", 28), ("closed", 25)):
        scope = f"provider:{deployment.provider_id}"
        Trip.objects.create(at=NOW - timedelta(minutes=minutes), scope=scope, before="closed", after=after)
    [incident] = status.incidents(NOW, simulated=True)
    placed = Deployment.objects.filter(provider=deployment.provider, placements__isnull=False).distinct()
    assert incident.models == placed.count() > 1
    assert (incident.since, incident.until) == (NOW - timedelta(minutes=30), NOW - timedelta(minutes=25))
    assert status.incidents(NOW, simulated=False) == []


def test_incidents_of_the_other_mode_are_not_told(public: None, deployment: Deployment):
    trip(deployment, "open", 5)
    assert status.incidents(NOW, simulated=False) == []


def test_many_readers_are_served_from_one_reading(client: Client, public: None, django_assert_max_num_queries: Any):
    client.get("/status/")
    with django_assert_max_num_queries(1):  # whether it is switched on at all
        client.get("/status/")
