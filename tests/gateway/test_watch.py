"""A changed configuration reaches the data plane: at once by a notice, else by the next poll, and after any break."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from rotation.gateway import loading, watch
from rotation.gateway.snapshot import Snapshot
from rotation.gateway.watch import Watch
from rotation.models import Cooldown
from tests.cast import wait_for
from tests.models import rows

pytestmark = pytest.mark.django_db(transaction=True)

NEVER_DUE = 600.0  # a poll that does not come within a test


class Heard:
    """What a watch told."""

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []
        self.lifted: list[tuple[str, str]] = []

    def pools(self) -> set[str]:
        return set(self.snapshots[-1].pools) if self.snapshots else set()


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> None:
    settings.ROTATION_HOME = tmp_path


@contextmanager
def watching(known: int = -1) -> Iterator[Heard]:
    """A watch that listens already."""
    heard = Heard()
    watcher = Watch(known, heard.snapshots.append, lambda what, scope, _: heard.lifted.append((what, scope)))
    watcher.start()
    try:
        wait_for(lambda: len(heard.snapshots) == 1)
        yield heard
    finally:
        watcher.stop()
        watcher._thread.join(20)
        assert not watcher._thread.is_alive()


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_change_is_heard_of_by_notice_without_any_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL", NEVER_DUE)
    with watching() as heard:
        for name in ("one", "two"):
            rows.pool(name=name)
            wait_for(lambda name=name: name in heard.pools())
        assert heard.snapshots[-1].version == loading.version()
        wait_for(lambda: (kept := loading.kept()) is not None and "two" in kept[0].pools)


def test_a_change_without_a_notice_is_found_by_the_next_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL", 0.3)
    with watching() as heard:
        sql("UPDATE rotation_configversion SET version = version + 1")
        wait_for(lambda: len(heard.snapshots) == 2)
        assert heard.snapshots[-1].version == heard.snapshots[0].version + 1


def test_what_a_person_lifts_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL", NEVER_DUE)
    row = Cooldown.objects.create(scope="key:7", until=timezone.now())
    with watching() as heard:
        row.lift()
        wait_for(lambda: heard.lifted == [("cooldown", "key:7")])
        assert len(heard.snapshots) == 1


@pytest.mark.parametrize("payload", ["", "no JSON", "[]", "null", '{"what": 7}'])
def test_a_notice_nobody_understands_does_not_end_the_watch(monkeypatch: pytest.MonkeyPatch, payload: str) -> None:
    monkeypatch.setattr(watch, "POLL", 0.2)
    with watching() as heard:
        sql(f"NOTIFY rotation_health, '{payload}'")
        rows.pool(name="after")
        wait_for(lambda: "after" in heard.pools())


def cut() -> None:
    """End every other connection to this database: the watch's."""
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip


def test_a_broken_connection_is_made_anew_and_no_change_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL", NEVER_DUE)
    with watching() as heard:
        for name in ("one", "two"):
            cut()
            rows.pool(name=name)
            wait_for(lambda name=name: name in heard.pools())


def test_what_was_lifted_while_nobody_listened_is_heard_of_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL", NEVER_DUE)
    monkeypatch.setattr(watch, "RETRY", (1.0,))
    row = Cooldown.objects.create(scope="key:7", until=timezone.now() + dt.timedelta(hours=1))
    with watching() as heard:
        assert [block.scope for block in heard.snapshots[0].blocks] == ["key:7"]
        cut()
        row.lift()
        wait_for(lambda: len(heard.snapshots) == 2)
        assert heard.snapshots[1].blocks == []
        assert heard.lifted == []


def test_it_tells_nothing_that_is_known_already(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    version = loading.version

    def counted() -> int:
        nonlocal looks
        looks += 1
        return version()

    monkeypatch.setattr(watch, "POLL", 0.05)
    monkeypatch.setattr(loading, "version", counted)
    heard = Heard()
    watcher = Watch(version(), heard.snapshots.append, print)
    watcher.start()
    wait_for(lambda: looks >= 3)
    watcher.stop()
    assert heard.snapshots == []
