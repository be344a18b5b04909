"""What was spent is read from the roll-ups, simulated apart from real, and outlives a restart without the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.utils import timezone

from rotation import client_keys
from rotation.control.by import By
from rotation.control.clients import rotate
from rotation.core.selection import READY, Candidate
from rotation.gateway import levels, loading
from rotation.gateway.allowance import Allowances
from rotation.gateway.clients import Client
from rotation.gateway.envelope import Refusal
from rotation.gateway.purse import Spent, day_of, month_of
from rotation.gateway.spending import origins_of, spent_by, spent_of
from rotation.models import ClientDay, Door
from tests.gateway.parts import target

pytestmark = pytest.mark.django_db
NOON = datetime(2025, 11, 20, 12, tzinfo=UTC)
TODAY = NOON.replace(hour=0)


def test_days_add_up_to_the_month_and_simulated_ones_stand_apart() -> None:
    for days, cost, simulated in ((0, "0.25", False), (1, "1", False), (19, "2", False), (20, "9", False),
                                  (0, "7", True)):  # fmt: skip
        ClientDay.objects.create(at=TODAY - timedelta(days=days), client_key_id=3, simulated=simulated, cost=cost)
    ClientDay.objects.create(at=TODAY - timedelta(days=2), client_key_id=4, simulated=False, cost="0.5")
    rows = orjson.loads(orjson.dumps(spent_by(NOON), default=str))  # as a kept file has them
    day = day_of(NOON.timestamp())
    assert spent_of(rows, simulated=False) == {
        3: Spent(day, 0.25, month_of(day), 3.25), 4: Spent(day, 0.0, month_of(day), 0.5),
    }  # fmt: skip
    assert spent_of(rows, simulated=True) == {3: Spent(day, 7.0, month_of(day), 7.0)}


def test_limits_of_client_keys_come_with_the_snapshot(settings: Any, tmp_path: Path) -> None:
    settings.ROTATION_HOME = tmp_path
    key, _ = client_keys.issue("kim")
    key.requests_per_minute, key.daily_budget = 5, "1.5"
    key.save()
    rows = loading.read()
    loading.keep(rows)
    kept = loading.kept()
    assert kept is not None
    for snapshot in (loading.build(rows), kept[0]):
        client = next(c for c in snapshot.clients.values() if c.id == key.pk)
        assert (client.requests_per_minute, client.daily_budget, client.monthly_budget) == (5, 1.5, None)


def test_what_was_spent_is_written_down_and_believed_by_the_next_life(settings: Any, tmp_path: Path) -> None:
    settings.ROTATION_HOME = tmp_path
    client = Client(7, "kim", daily_budget=1.0)
    one, other = Allowances(NOON.timestamp), Allowances(NOON.timestamp)
    for known in (one, other):
        known.adopt([client], {})
    hold = one.open(client)
    assert hold is not None
    hold.settle(0.75)
    levels.resume(other)  # nothing is there yet
    levels.keep(one.picture(), levels.SPENT)
    levels.resume(other)
    assert other.picture() == one.picture()
    assert b"0.75" not in (tmp_path / "spent.sealed").read_bytes()


def test_a_key_and_what_replaces_it_share_one_budget(settings: Any, tmp_path: Path) -> None:
    settings.ROTATION_HOME = tmp_path
    first, _ = client_keys.issue("kim")
    first.daily_budget = "2"
    first.save()
    second, _ = rotate(By("ann", Door.PAGE), first)
    third, _ = rotate(By("ann", Door.PAGE), second)
    second.revoke()
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for key, cost in ((first, "0.5"), (second, "0.25"), (third, "0.125")):
        ClientDay.objects.create(at=today, client_key_id=key.pk, simulated=False, cost=cost)
    rows = loading.read()
    loading.keep(rows)
    kept = loading.kept()
    assert kept is not None
    for snapshot in (loading.build(rows), kept[0]):
        old, new = (next(c for c in snapshot.clients.values() if c.id == key.pk) for key in (first, third))
        assert old.purse == new.purse == first.pk
        assert snapshot.spent[first.pk].today == 0.875
        known = Allowances(lambda: timezone.now().timestamp())
        known.adopt([old, new], snapshot.spent)
        hold = known.open(new)
        assert hold is not None
        hold.settle(1.125)
        for client in (old, new):
            with pytest.raises(Refusal, match="used up: 2 of 2"):
                known.afforded(client, [Candidate(target(), READY)])


def test_a_ring_of_replacements_ends() -> None:
    assert origins_of({2: 1, 3: 2, 5: 4}) == {2: 1, 3: 1, 5: 4}
    assert set(origins_of({1: 2, 2: 1})) == {1, 2}
