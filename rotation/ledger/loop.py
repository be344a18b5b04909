"""The ledger: reads the journal, writes batches, and waits out whatever the database does.

A failure is one of three: the database cannot write now (wait, try again, say so once), one line cannot be written
by any database (halve the batch until it stands alone, set it aside), or another ledger is at work (wait).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from rotation.ledger.batch import Overtaken, batch_of
from rotation.ledger.files import Entry, Journal
from rotation.ledger.heartbeat import Heartbeat
from rotation.ledger.session import PATIENCE, Held, Session, is_data_error
from rotation.ledger.watch import Watch

logger = logging.getLogger("rotation.ledger")

POLL = 0.15  # seconds between two looks at the directory
HELD_POLL = 0.3
BACKLOG = 64 * 1024  # bytes left unread that are worth the next batch at once
FIRST_WAIT, LONGEST_WAIT = 0.25, 5.0
DRAIN = 8.0  # seconds a stopping ledger may take: service managers kill after ten


class Refused(RuntimeError):
    """The database refuses even an unremarkable call: no line is to blame."""


@dataclass(slots=True)
class Outage:
    """A time in which nothing could be written."""

    since: float
    wait: float = FIRST_WAIT


class Ledger:
    """Reads one journal into one database, in one thread. `database` is an entry of Django's DATABASES."""

    def __init__(self, journal: Journal, database: Mapping[str, Any], *, patience: float = PATIENCE) -> None:
        self.journal = journal
        self.database = database
        self.written = 0
        self.bad = 0
        self._watch = Watch(patience)
        self._heartbeat = Heartbeat(journal.directory)
        self._session: Session | None = None
        self._offsets: Mapping[str, int] = {}  # the last session's, also while there is none
        self._outage: Outage | None = None
        self._held = False
        self._stopping = False

    def run(self) -> None:
        """Until `stop`; then what is there is still written, if the database lets it."""
        logger.info("ledger started: reading %s", self.journal.directory)
        last = False
        while not last:
            last = self._stopping
            while self._round():
                pass
        self.close()
        logger.info("ledger stopped: %d lines written, %d set aside", self.written, self.bad)

    def once(self, *, patience: float = 5.0) -> int:
        """Writes what is there now; returns how many lines. Raises Refused, psycopg.Error, Held after `patience`."""
        until = time.monotonic() + patience
        try:
            while self._step_when_free(until):
                pass
        finally:
            self.close()
        return self.written

    def _step_when_free(self, until: float) -> bool:
        try:
            return self._step(self._opened())
        except Held:  # by a ledger at work, or by one just killed that the server still believes in
            if time.monotonic() > until:
                raise
            self._pause(POLL)
            return True

    def stop(self) -> None:
        """Asks `run` to end. Safe in a signal handler: it takes no lock."""
        self._stopping = True
        self._watch.hurry(DRAIN)

    def close(self) -> None:
        self._drop()
        self._watch.close()

    def _round(self) -> bool:
        """One step, with whatever becomes of it, and the pause after it. Whether the next should follow at once."""
        try:
            wrote = self._step(self._opened())
        except Held:
            self._wait_for_the_other()
            return False
        except Overtaken as overtaken:
            logger.info("another ledger was quicker with %s: reading again how far it got", overtaken)
            self._drop()
            return not self._stopping
        except (psycopg.Error, Refused, OSError) as error:
            self._suffer(error)
            return False
        behind = self._beat("reading")
        if wrote and (behind > BACKLOG or self._stopping):
            return True
        self._recover()
        self._pause(POLL)
        return False

    def _opened(self) -> Session:
        if self._session is None:
            names = self.journal.names()
            self._session = Session.open(self.database, self.journal.identity(), names, self._watch)
            self._offsets = self._session.offsets
            self._held = False
        return self._session

    def _step(self, session: Session) -> bool:
        """One batch, and the files that end with it. Whether there was anything to write."""
        entries = self.journal.read(session.offsets)
        if entries:
            self._write(session, entries)
        for name in self.journal.finished(session.offsets):
            session.done(name, self.journal.names())
            self.journal.remove(name)
        return bool(entries)

    def _write(self, session: Session, entries: Sequence[Entry]) -> None:
        try:
            self._commit(session, entries)
        except Exception as error:
            if not is_data_error(error):
                raise
            self._halve(session, entries, error)

    def _halve(self, session: Session, entries: Sequence[Entry], error: Exception) -> None:
        """Finds the line a batch failed on. Both halves keep their order and have their own transaction."""
        if len(entries) > 1:
            middle = len(entries) // 2
            self._write(session, entries[:middle])
            self._write(session, entries[middle:])
        elif session.takes_calls():
            self._commit(session, entries, one_line(error))
        else:
            raise Refused(one_line(error)) from error

    def _commit(self, session: Session, entries: Sequence[Entry], why: str = "") -> None:
        batch = batch_of(entries, why)
        for entry, reason in batch.bad:
            self.journal.set_aside(entry, reason)
        session.write(batch)
        self.written += len(entries) - len(batch.bad)
        self.bad += len(batch.bad)
        if batch.bad:
            first, reason = batch.bad[0]
            told = (len(batch.bad), self.journal.bad, first.file, first.start, reason)
            logger.warning("set %d unusable journal line(s) aside in %s; the first: %s at byte %d: %s", *told)

    def _suffer(self, error: Exception) -> None:
        self._drop()
        if self._outage is None:
            self._outage = Outage(time.monotonic())
            logger.warning("no row can be written (%s): the journal keeps them; trying again", one_line(error))
        self._beat("waiting")
        self._pause(self._outage.wait)
        self._outage.wait = min(self._outage.wait * 2, LONGEST_WAIT)

    def _recover(self) -> None:
        if self._outage:
            gone = time.monotonic() - self._outage.since
            self._outage = None
            logger.info("rows are written again: caught up after %.0f s", gone)

    def _wait_for_the_other(self) -> None:
        if not self._held:
            logger.info("another ledger reads this journal: waiting until it ends")
        self._held = True
        self._pause(HELD_POLL)

    def _beat(self, state: str) -> int:
        behind = self.journal.behind(self._offsets)
        self._heartbeat.beat(state, behind=behind, written=self.written, bad=self.bad)
        return behind

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, POLL))

    def _drop(self) -> None:
        if self._session:
            self._session.close()
            self._session = None


def one_line(error: BaseException) -> str:
    """An error's first line, for logs: psycopg's go on over several."""
    return (str(error).strip() or type(error).__name__).split("\n", 1)[0][:300]
