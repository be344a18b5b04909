"""Tells the data plane of changed configuration: LISTEN/NOTIFY, and a poll in case one was missed.

A thread of its own; a dead or frozen database costs it, never a call.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import psycopg
from django.db import DatabaseError, connection

from rotation.gateway import loading
from rotation.gateway.snapshot import Snapshot

log = logging.getLogger("rotation.gateway")

UNKNOWN = -1  # no version the database can have
POLL = 5.0  # seconds
GATHER = 0.05  # changes come in bursts: wait this long for the rest of one
RETRY = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between attempts to reach the database

Lifted = Callable[[str, str, Mapping[str, Any]], object]


class Watch:
    """Calls `publish` with every new snapshot and `lifted` with what a person ended; both from this thread."""

    def __init__(self, known: int, publish: Callable[[Snapshot], object], lifted: Lifted) -> None:
        self._known, self._publish, self._lifted = known, publish, lifted
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rotation-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=POLL)

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                self._listen()
                failures = 0
            except (DatabaseError, psycopg.Error, OSError) as error:
                if failures == 0:
                    log.warning(
                        "configuration cannot be watched (%s); calls go on with what is known", type(error).__name__
                    )
                self._stop.wait(RETRY[min(failures, len(RETRY) - 1)])
                self._known = UNKNOWN  # what was lifted meanwhile left no version behind
                failures += 1
            except Exception:  # whatever it is, it must not be the last change the data plane hears of
                log.exception("the configuration could not be read; calls go on with what is known")
                self._stop.wait(POLL)
            finally:
                connection.close()

    def _listen(self) -> None:
        """Until the connection breaks: look, then wait for a notice or for the poll to be due."""
        connection.ensure_connection()
        wire: psycopg.Connection[object] = connection.connection
        with connection.cursor() as cursor:
            cursor.execute("LISTEN rotation_config; LISTEN rotation_health")
        while not self._stop.is_set():
            self._look()
            due = time.monotonic() + POLL
            while not self._stop.is_set() and time.monotonic() < due:
                notices = list(wire.notifies(timeout=0.25, stop_after=1))
                if notices:
                    self._stop.wait(GATHER)
                    notices += wire.notifies(timeout=0)
                    self._hear(notices)
                    break

    def _look(self) -> None:
        version = loading.version()
        if version != self._known:
            rows = loading.read()
            snapshot = loading.build(rows)
            self._known = snapshot.version
            self._publish(snapshot)
            loading.keep(rows)
            log.info(
                "configuration %d: %d deployments, %d keys",
                snapshot.version,
                len(snapshot.deployments),
                len(snapshot.secrets),
            )

    def _hear(self, notices: list[psycopg.Notify]) -> None:
        for notice in notices:
            if notice.channel == "rotation_health":
                told = orjson.loads(notice.payload)
                self._lifted(str(told.get("what", "")), str(told.get("scope", "")), told)
