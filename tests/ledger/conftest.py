"""A Postgres of the ledger tests' own: to be killed, and because the ledger commits beside any test's transaction."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from rotation.embedded import lodging, postgres
from rotation.ledger.files import Journal
from rotation.ledger.loop import Ledger
from rotation.ledger.session import parameters
from tests.ledger.journals import Writer

WRITTEN = """
    rotation_request, rotation_attempt, rotation_minutestat, rotation_hourstat, rotation_daystat, rotation_callminute,
    rotation_callhour, rotation_callday, rotation_clientday, rotation_kindday, rotation_keptprompt, rotation_switch,
    rotation_journalfile, rotation_cooldown, rotation_breakerstate, rotation_trip,
    rotation_learnedlimit, rotation_provider, rotation_clientkey"""


def migrated(name: str, **changes: Any) -> dict[str, Any]:
    """Creates and migrates a database where `changes` say; its entry for DATABASES."""
    home = {**settings.DATABASES["default"], **changes}
    with psycopg.connect(**{**parameters(home), "options": "", "dbname": "postgres"}, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    connections.databases[name] = {**connections.databases["default"], **changes, "NAME": name}
    try:
        call_command("migrate", database=name, verbosity=0)
    finally:
        connections[name].close()
        del connections[name], connections.databases[name]
    return {**home, "NAME": name}


class Server:
    """A Postgres of the test's own, to be killed, frozen and started again."""

    def __init__(self, folder: Path) -> None:
        self.cluster = postgres.at(folder / "postgres", settings=postgres.THROW_AWAY)
        self.cluster.create()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        while not self.cluster.ready():
            if self.process is None or self.process.poll() is not None:
                self.process = subprocess.Popen(
                    self.cluster.argv(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    start_new_session=True,
                    **lodging.identity(self.cluster.owner),
                )
            time.sleep(0.02)

    def signal(self, number: signal.Signals) -> None:
        """To the whole server, backends too."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in (self.process.pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if number is signal.SIGKILL:
            self.process.wait()


@pytest.fixture(scope="session")
def own_server(django_db_blocker: Any) -> Iterator[tuple[Server, dict[str, Any]]]:
    folder = Path(tempfile.mkdtemp(prefix="rotation-ledger-"))
    folder.chmod(0o711)  # as root, Postgres runs as somebody who must come through
    server = Server(folder)
    server.start()
    with django_db_blocker.unblock():
        entry = migrated("ledger", HOST=str(server.cluster.sockets), PORT="", USER="postgres", PASSWORD="")
    yield server, entry
    server.signal(signal.SIGKILL)
    shutil.rmtree(folder)


@pytest.fixture
def mortal(own_server: tuple[Server, dict[str, Any]]) -> tuple[Server, dict[str, Any]]:
    """That server, running, and an empty database on it, as Django would describe it."""
    server, entry = own_server
    server.start()
    with psycopg.connect(**parameters(entry), autocommit=True) as connection:
        connection.execute(f"TRUNCATE {WRITTEN} CASCADE")
    return server, entry


@pytest.fixture
def database(mortal: tuple[Server, dict[str, Any]]) -> dict[str, Any]:
    return mortal[1]


@pytest.fixture
def sql(database: dict[str, Any]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(**parameters(database), autocommit=True) as connection:
        yield connection


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def writer(directory: Path) -> Iterator[Writer]:
    writer = Writer(directory)
    yield writer
    writer.close()


@pytest.fixture
def once(directory: Path, database: dict[str, Any]) -> Any:
    """Runs a fresh ledger over what is there, as after a restart; returns it."""

    def run() -> Ledger:
        ledger = Ledger(Journal(directory), database)
        ledger.once()
        return ledger

    return run
