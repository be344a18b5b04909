"""One database connection that holds the journal's lock and knows how far each file has been read.

Everything it believes dies with the connection: whoever opens the next session takes the lock first and reads the
offsets after, so a frozen session that comes back to life cannot be in two minds with its successor.
It decides nothing about failures: that is `loop.py`; whose fault one is, `is_data_error` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, LiteralString, Self
from uuid import uuid4

import psycopg
from psycopg import Connection

from rotation.ledger.batch import Batch, prepare, write, write_calls
from rotation.ledger.rows import call_of
from rotation.ledger.watch import Watch

CONNECT_TIMEOUT = 3
PATIENCE = 30.0  # seconds any statement or batch may take, seen from here
OPTIONS = "-c statement_timeout=25000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=60000 -c TimeZone=UTC"
KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
DJANGOS = frozenset({"pool", "assume_role", "isolation_level", "server_side_binding"})  # options not meant for libpq
LOCK_SPACE = 0x526F_7461_7469_6F6E  # "Rotation": keeps our advisory locks apart from other programs'
DATA_ERRORS = frozenset({"21", "22", "23", "54"})  # SQLSTATE classes a value can be guilty of

DONE: LiteralString = """
    INSERT INTO rotation_journalfile (name, "offset", done_at) VALUES (%s, %s, now())
    ON CONFLICT (name) DO UPDATE SET done_at = excluded.done_at"""
FORGET: LiteralString = """
    DELETE FROM rotation_journalfile WHERE done_at < now() - interval '1 day' AND NOT name = ANY(%s)"""


class Held(RuntimeError):
    """Another ledger reads this journal."""


def parameters(database: Mapping[str, Any]) -> dict[str, Any]:
    """psycopg's arguments for an entry of Django's DATABASES."""
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    given = {name: database[setting] for name, setting in named.items() if database.get(setting)}
    extra = {name: value for name, value in database.get("OPTIONS", {}).items() if name not in DJANGOS}
    options = f"{extra.get('options', '')} {OPTIONS}".strip()
    ours = {"connect_timeout": CONNECT_TIMEOUT, "options": options, "application_name": "rotation ledger"}
    return {**KEEPALIVE, **extra, **given, **ours}


def is_data_error(error: Exception) -> bool:
    """Whether a value is to blame. Everything else (no connection, no table, a full disk) passes by waiting."""
    state = getattr(error, "sqlstate", None)
    if state:
        return str(state)[:2] in DATA_ERRORS
    return isinstance(error, (psycopg.DataError, psycopg.IntegrityError, UnicodeError, OverflowError))


class Session:
    """Use `open`; then `write` batches until something is raised, then `close`."""

    def __init__(self, connection: Connection, watch: Watch) -> None:
        self.connection = connection
        self.offsets: dict[str, int] = {}
        self._watch = watch

    @classmethod
    def open(cls, database: Mapping[str, Any], identity: int, names: Iterable[str], watch: Watch) -> Self:
        """Connect, take the lock, read the offsets. Raises Held, psycopg.Error."""
        session = cls(psycopg.connect(**parameters(database), autocommit=True), watch)
        try:
            session._begin(identity, list(names))
        except BaseException:
            session.close()
            raise
        return session

    def _begin(self, identity: int, names: list[str]) -> None:
        with self._watch.over(self.connection):
            lock = (identity ^ LOCK_SPACE) % 2**63
            got = self.connection.execute("SELECT pg_try_advisory_lock(%s)", [lock]).fetchone()
            if got != (True,):
                raise Held
            prepare(self.connection)
            rows = self.connection.execute(
                'SELECT name, "offset" FROM rotation_journalfile WHERE name = ANY(%s)', [names]
            )
            self.offsets = dict(rows.fetchall())

    def write(self, batch: Batch) -> None:
        """One transaction; afterwards the offsets stand behind the batch. Raises Overtaken, psycopg.Error."""
        with self._watch.over(self.connection):
            write(self.connection, batch)
        self.offsets.update({name: end for name, (_, end) in batch.spans.items()})

    def done(self, name: str, names: list[str]) -> None:
        """Notes that a file was read to its end and may go. `names`: those that are there; their offsets are kept."""
        with self._watch.over(self.connection), self.connection.transaction():
            self.connection.execute(DONE, [name, self.offsets.get(name, 0)])
            self.connection.execute(FORGET, [names])

    def takes_calls(self) -> bool:
        """Whether an unremarkable call could be written; nothing is kept. Tells a bad line from a bad database."""
        attempt = {"id": str(uuid4()), "provider": 0, "deployment": 0, "account": 0, "key": 0, "outcome": "ok"}
        call = call_of({"id": str(uuid4()), "at": datetime.now(UTC).timestamp(), "attempts": [attempt]})
        try:
            with self._watch.over(self.connection), self.connection.transaction(force_rollback=True):
                write_calls(self.connection.cursor(), [call])
        except psycopg.Error as error:
            if not is_data_error(error):
                raise
            return False
        return True

    def close(self) -> None:
        self.connection.close()
