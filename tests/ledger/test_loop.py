"""The ledger's patience: a dead database, a frozen one, another ledger, and being asked to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from rotation.ledger import heartbeat
from rotation.ledger.files import Journal
from rotation.ledger.loop import Ledger
from rotation.ledger.session import Held, parameters
from tests.ledger.conftest import Server
from tests.ledger.journals import Writer, call, wait_for

Running = Callable[..., Ledger]


@pytest.fixture
def running(directory: Path) -> Iterator[Running]:
    """Starts ledgers in threads; all are stopped in the end."""
    started: list[tuple[Ledger, threading.Thread]] = []

    def start(database: dict[str, Any], patience: float = 30.0) -> Ledger:
        ledger = Ledger(Journal(directory), database, patience=patience)
        thread = threading.Thread(target=ledger.run, name="a ledger")
        thread.start()
        started.append((ledger, thread))
        return ledger

    yield start
    for ledger, _ in started:
        ledger.stop()
    for _, thread in started:
        thread.join(30)
        assert not thread.is_alive()


def written(database: dict[str, Any]) -> int:
    with psycopg.connect(**parameters(database)) as sql:
        found = sql.execute("SELECT count(*) FROM rotation_request").fetchone()
    return int(found[0]) if found else 0


def said(caplog: pytest.LogCaptureFixture, level: str) -> list[str]:
    records = [r for r in caplog.records if r.name == "rotation.ledger" and r.levelname == level]
    return [r.getMessage() for r in records if not r.getMessage().startswith("ledger st")]


def test_a_connection_keeps_what_the_operator_asked_for() -> None:
    asked = {"sslmode": "require", "options": "-c search_path=mine", "pool": True, "connect_timeout": 9}
    given = parameters({"NAME": "db", "USER": "", "HOST": "there", "PORT": "5433", "OPTIONS": asked})
    assert (given["dbname"], given["host"], given["port"], given["sslmode"]) == ("db", "there", "5433", "require")
    assert "user" not in given
    assert "pool" not in given
    assert given["options"].startswith("-c search_path=mine -c statement_timeout=")
    assert given["connect_timeout"] == 3


def test_a_dead_database_loses_no_row_and_doubles_none(
    mortal: tuple[Server, dict[str, Any]], writer: Writer, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "rotation.ledger")
    server, database = mortal
    running(database)
    writer.write(*(call() for _ in range(50)))
    wait_for(lambda: written(database) == 50)
    server.signal(signal.SIGKILL)
    writer.write(*(call() for _ in range(50)))
    wait_for(lambda: said(caplog, "WARNING"))
    assert (beat := heartbeat.latest(writer.directory)) is not None
    wait_for(lambda: (b := heartbeat.latest(writer.directory)) and b.state == "waiting")
    server.start()
    wait_for(lambda: said(caplog, "INFO"))
    assert written(database) == 100
    assert len(said(caplog, "WARNING")) == len(said(caplog, "INFO")) == 1
    assert beat.pid == os.getpid()


def test_a_frozen_database_is_given_up_and_taken_up_again(
    mortal: tuple[Server, dict[str, Any]], writer: Writer, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "rotation.ledger")
    server, database = mortal
    running(database, patience=0.5)
    writer.write(call())
    wait_for(lambda: written(database) == 1)
    server.signal(signal.SIGSTOP)
    try:
        for _ in range(50):
            writer.write(call())
        wait_for(lambda: said(caplog, "WARNING"))
    finally:
        server.signal(signal.SIGCONT)
    wait_for(lambda: written(database) == 51)
    assert len(said(caplog, "WARNING")) == 1


def test_a_ledger_started_before_its_database_waits_for_it(
    mortal: tuple[Server, dict[str, Any]], writer: Writer, running: Running
) -> None:
    server, database = mortal
    server.signal(signal.SIGKILL)
    writer.write(call())
    running(database)
    wait_for(lambda: heartbeat.latest(writer.directory))
    server.start()
    wait_for(lambda: written(database) == 1)


def test_of_two_ledgers_one_works_and_the_other_follows(
    database: dict[str, Any], writer: Writer, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "rotation.ledger")
    first = running(database)
    writer.write(call())
    wait_for(lambda: first.written == 1)
    second = running(database)
    wait_for(lambda: "another ledger reads this journal: waiting until it ends" in said(caplog, "INFO"))
    with pytest.raises(Held):
        Ledger(Journal(writer.directory), database).once(patience=0.1)
    writer.write(call())
    wait_for(lambda: first.written == 2)
    assert second.written == 0
    first.stop()
    writer.write(call())
    wait_for(lambda: first.written + second.written == 3)
    writer.write(call())
    wait_for(lambda: second.written >= 1)
    assert written(database) == 4


def test_ledgers_of_different_journals_share_a_database(
    database: dict[str, Any], writer: Writer, tmp_path: Path, running: Running
) -> None:
    there = Writer(tmp_path / "elsewhere", boot="19a9e0000005678")
    there.write(call())
    there.close()
    first = running(database)
    writer.write(call())
    wait_for(lambda: first.written == 1)
    assert Ledger(Journal(there.directory), database).once() == 1
    assert written(database) == 2


def test_a_ledger_that_was_overtaken_reads_its_place_again(
    database: dict[str, Any], writer: Writer, sql: psycopg.Connection, running: Running
) -> None:
    ledger = running(database)
    writer.write(call())
    wait_for(lambda: ledger.written == 1)
    size = writer.path.stat().st_size
    writer.write(call())
    wait_for(lambda: ledger.written == 2)
    sql.execute('UPDATE rotation_journalfile SET "offset" = %s', [size])
    writer.write(call())
    wait_for(lambda: ledger.written >= 3)
    wait_for(lambda: written(database) == 3)


def test_a_ledger_in_front_of_a_frozen_database_can_be_stopped(
    mortal: tuple[Server, dict[str, Any]], writer: Writer, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rotation.ledger.loop.DRAIN", 0.3)
    server, database = mortal
    ledger = running(database)
    writer.write(call())
    wait_for(lambda: ledger.written == 1)
    server.signal(signal.SIGSTOP)
    try:
        writer.write(call())
        ledger.stop()
        wait_for(lambda: not [t for t in threading.enumerate() if t.name == "a ledger"], ceiling=20)
    finally:
        server.signal(signal.SIGCONT)
    assert Ledger(Journal(writer.directory), database).once() == 1
    assert written(database) == 2


def test_a_database_that_only_reads_is_waited_for(
    database: dict[str, Any],
    writer: Writer,
    sql: psycopg.Connection,
    running: Running,
    caplog: pytest.LogCaptureFixture,
) -> None:
    switch = f'ALTER DATABASE "{database["NAME"]}" SET default_transaction_read_only = '
    writer.write(call())
    sql.execute(switch + "on")
    try:
        running(database)
        wait_for(lambda: said(caplog, "WARNING"))
    finally:
        sql.execute(switch + "off")
    wait_for(lambda: written(database) == 1)
    assert "read-only" in said(caplog, "WARNING")[0]


def test_the_command_drains_on_sigterm_and_says_that_it_lives(
    database: dict[str, Any], writer: Writer, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"postgresql:///{database['NAME']}?host={database['HOST']}&user={database['USER']}"
    environment = {**os.environ, "ROTATION_JOURNAL_DIR": str(writer.directory), "DATABASE_URL": url}
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "ledger"]
    settings.ROTATION_JOURNAL_DIR = writer.directory
    with pytest.raises(CommandError, match="No ledger is at work"):
        call_command("ledger", "--check")
    writer.write(*(call() for _ in range(10)))
    once = subprocess.run([*command, "--once"], env=environment, capture_output=True, text=True, check=False)
    assert once.stdout == "10 lines written, 0 set aside.\n", once.stderr
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    writer.write(*(call() for _ in range(10)))
    wait_for(lambda: written(database) == 20)
    call_command("ledger", "--check")
    assert capsys.readouterr().out.startswith("reading, 0 bytes behind")
    writer.write(*(call() for _ in range(3000)))
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)
    assert process.returncode == 0
    assert written(database) == 3020
    assert "ledger stopped: 3010 lines written, 0 set aside" in log
