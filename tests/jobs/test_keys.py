"""Which keys the providers still take: confirmed before believed, and asked about when due."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from rotation.core.failures import Failure, FailureKind
from rotation.jobs import keys
from rotation.models import Key, KeyState, LearnedLimit
from rotation.providers.base import KeyReport
from rotation.simulator.serve import Running
from tests.jobs.offices import simulated

pytestmark = pytest.mark.django_db


def states() -> list[str]:
    return list(Key.objects.order_by("id").values_list("state", flat=True))


def test_a_good_key_is_ready_and_tells_its_limits(sim: Running, key: Key) -> None:
    assert keys.recheck() == "1 keys asked about: 1 ready"
    key.refresh_from_db()
    assert key.state == KeyState.READY
    assert key.checked_at is not None
    limits = LearnedLimit.objects.filter(scope=f"account:{key.account_id}/free", source="key")
    assert {(limit.axis, limit.window_s) for limit in limits} == {("requests", 60.0), ("requests", 86400.0)}
    assert keys.recheck() == "no key is due"


def test_a_refused_key_is_suspect_then_invalid_and_comes_back(sim: Running, key: Key) -> None:
    sim.faults({"fault": "key_revoked"})
    keys.check(key)
    assert states() == [KeyState.SUSPECT]
    key.refresh_from_db()
    assert key.state_reason
    keys.check(key)
    assert states() == [KeyState.INVALID]
    sim.faults()
    key.refresh_from_db()
    keys.check(key)
    key.refresh_from_db()
    assert (key.state, key.state_reason) == (KeyState.READY, "")


def test_a_provider_in_trouble_says_nothing_about_its_keys(sim: Running, key: Key) -> None:
    for fault in ("server_error", "refuse_connection", "garbage_bytes", "html", "rate_limit"):
        sim.faults({"fault": fault, "operation": "*"})
        assert keys.recheck() == "1 keys asked about: 1 unanswered", fault
    assert states() == [KeyState.READY]
    sim.faults()
    assert keys.recheck() == "1 keys asked about: 1 ready"


@pytest.mark.parametrize(("state", "minutes"), [("ready", 1440), ("suspect", 15), ("invalid", 15), ("exhausted", 60)])
def test_trouble_is_looked_at_sooner(key: Key, state: str, minutes: int) -> None:
    now = timezone.now()
    key.state, key.checked_at = state, now - timedelta(minutes=minutes)
    assert keys.due(key, now)
    assert not keys.due(key, now - timedelta(minutes=minutes / 5))
    key.checked_at = None
    assert keys.due(key, now)


@pytest.mark.parametrize("kind", ["groq", "openai", "together"])
def test_every_kind_of_provider_is_asked_its_own_way(sim: Running, kind: str) -> None:
    simulated(kind)
    assert keys.recheck() == "1 keys asked about: 1 ready"
    sim.faults({"fault": "key_revoked"})
    assert keys.check(Key.objects.get()) == "suspect"


def test_keys_nobody_uses_are_not_asked_about(key: Key) -> None:
    key.enabled = False
    key.save()
    assert keys.recheck() == "no key is due"


def test_a_key_that_cannot_be_opened_is_said_to_be_locked(key: Key) -> None:
    Key.objects.update(sealed="gAAAAsomething-else")
    assert keys.recheck() == "1 keys asked about: 1 locked"
    assert states() == [KeyState.READY]


def test_what_a_report_means() -> None:
    def after(state: KeyState, kind: FailureKind | None) -> KeyState | None:
        return keys.verdict(state, KeyReport(Failure(kind) if kind else None))

    assert after(KeyState.INVALID, None) is KeyState.READY
    assert after(KeyState.READY, FailureKind.OUT_OF_CREDIT) is KeyState.EXHAUSTED
    assert after(KeyState.EXHAUSTED, FailureKind.BAD_CREDENTIAL) is KeyState.SUSPECT
    assert after(KeyState.INVALID, FailureKind.BAD_CREDENTIAL) is KeyState.INVALID
    assert after(KeyState.SUSPECT, FailureKind.NOT_PERMITTED) is KeyState.READY
    assert after(KeyState.SUSPECT, FailureKind.OVERLOADED) is None
