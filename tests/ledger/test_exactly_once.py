"""Every line becomes its rows exactly once, however often the ledger is killed with -9, and wherever."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings

from tests.ledger.journals import NOON, Writer, random_call, wait_for

MOMENTS = (
    "rotation.ledger.batch:_advance",
    "rotation.ledger.batch:_insert_new",
    "rotation.ledger.batch:write_calls",
    "rotation.ledger.session:write",
    "rotation.ledger.session:Session.write",
    "rotation.ledger.session:Session.done",
    "rotation.ledger.files:Journal.set_aside",
    "rotation.ledger.files:Journal.remove",
)


def doomed(directory: Path, database: dict[str, Any], plan: str) -> subprocess.Popen[str]:
    given = json.dumps({name: database[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")})
    command = [sys.executable, "-m", "tests.ledger.killed", str(directory), given, plan]
    return subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def told(writer: Writer) -> list[dict[str, Any]]:
    """Calls already in a journal of several files, with a damaged line among them; the last file is finished, too."""
    writer.roll = 40_000
    chance = random.Random(1)
    calls = [random_call(chance, NOON + n) for n in range(150)]
    for n, record in enumerate(calls):
        writer.write(record)
        if n == 70:
            writer.write_bytes(b"damaged\n")
    writer.close()
    return calls


def agreed(sql: psycopg.Connection, calls: list[dict[str, Any]]) -> None:
    """The database says what the journal said: each call, each attempt, and every sum."""
    attempts = [a for call in calls for a in call["attempts"]]
    stored = [str(row[0]) for row in sql.execute("SELECT id FROM rotation_request")]
    assert sorted(stored) == sorted(call["id"] for call in calls)
    stored = [str(row[0]) for row in sql.execute("SELECT id FROM rotation_attempt")]
    assert sorted(stored) == sorted(attempt["id"] for attempt in attempts)
    by_clients = sum(call["client"] is not None for call in calls)
    assert sql.execute("SELECT sum(calls) FROM rotation_clientday").fetchone() == (by_clients,)
    calls = [call for call in calls if not call["internal"]]
    attempts = [a for call in calls for a in call["attempts"]]
    assert sql.execute("SELECT sum(attempts) FROM rotation_kindday").fetchone() == (len(attempts),)
    for level in ("minute", "hour", "day"):
        summed = sql.execute(f"SELECT sum(calls), sum(attempts) FROM rotation_call{level}").fetchone()
        assert summed == (len(calls), len(attempts))
        summed = sql.execute(f"SELECT sum(attempts), sum(ok) FROM rotation_{level}stat").fetchone()
        assert summed == (len(attempts), sum(a["outcome"] == "ok" for a in attempts))


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_the_worst_moment(
    moment: str,
    told: list[dict[str, Any]],
    directory: Path,
    database: dict[str, Any],
    once: Any,
    sql: psycopg.Connection,
) -> None:
    with doomed(directory, database, moment) as process:
        assert process.wait(60) == -9
    ledger = once()
    agreed(sql, told)
    assert ledger.journal.names() == []
    assert len((directory / "bad").joinpath(bad_name(directory)).read_bytes().splitlines()) == 1


def bad_name(directory: Path) -> str:
    (only,) = (directory / "bad").iterdir()
    return only.name


def test_killed_again_and_again_under_load(
    directory: Path, database: dict[str, Any], writer: Writer, once: Any, sql: psycopg.Connection
) -> None:
    writer.roll = 200_000
    chance = random.Random(2)
    calls: list[dict[str, Any]] = []
    with doomed(directory, database, "random:3") as process:
        for n in range(5_000):
            calls.append(random_call(chance, NOON + n / 10))
            writer.write(calls[-1])
            if n % 500 == 499:
                before = written(sql)
                wait_for(lambda before=before: written(sql) > before)
        (directory / "enough").touch()
        deaths = int(process.communicate(timeout=60)[0])
    once()
    agreed(sql, calls)
    assert deaths >= 3


def written(sql: psycopg.Connection) -> int:
    found = sql.execute("SELECT count(*) FROM rotation_request").fetchone()
    return int(found[0]) if found else 0
