"""The gate's life in a process: made when the server starts, fed by the watch, closed when the server stops."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, connection

from rotation.asgi_words import Receive, Send
from rotation.gateway import levels, loading, recall
from rotation.gateway.gate import Gate
from rotation.gateway.journal import Journal
from rotation.gateway.snapshot import Snapshot
from rotation.gateway.watch import UNKNOWN, Watch

log = logging.getLogger("rotation.gateway")

DATABASE_PATIENCE = 5.0  # seconds a start waits for a frozen database before it uses what was kept
SUMMARY = 60.0  # seconds
PROMPTS = 3600.0  # seconds a journal file with prompts in it is written to: it lives little longer than what it holds
LEVELS = 10.0  # seconds between pictures of the quotas: at most so much use is forgotten by a process that is killed
MAX_STALE = 3600.0  # seconds: a kept configuration older than this still starts, but is complained of


_living: WeakKeyDictionary[asyncio.AbstractEventLoop, Life] = WeakKeyDictionary()


class Life:
    """`gate` is None until the first snapshot; `stopping` from the moment the server is told to."""

    def __init__(self) -> None:
        self.gate: Gate | None = None
        self.stopping = False
        self.degraded: list[str] = []
        self._watch: Watch | None = None
        self._chores: list[asyncio.Task[None]] = []
        self._pictured: dict[str, bytes] = {}

    async def lifespan(self, receive: Receive, send: Send) -> None:
        """ASGI's lifespan protocol."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def start(self) -> None:
        """Load the configuration, from the database or from what was kept of it, and begin to watch it."""
        snapshot = await self._first_snapshot()
        loop = asyncio.get_running_loop()
        announce(self)
        if snapshot is not None:
            self._open(snapshot)
        self._watch = Watch(
            UNKNOWN,  # what was lifted before it listened left no version behind: it looks once more
            lambda new: loop.call_soon_threadsafe(self._adopt, new),
            lambda what, scope, more: loop.call_soon_threadsafe(self._lifted, what, scope, more),
        )
        self._watch.start()
        chores = (self._summarise, self._keep_levels, self._leave_no_prompts)
        self._chores = [asyncio.create_task(chore()) for chore in chores]
        gc.collect()
        gc.freeze()  # a full collection with Django loaded pauses 9 ms; what lives now lives for good

    async def stop(self) -> None:
        """Let everything go; running calls have been waited for by the server."""
        self.stopping = True
        for chore in self._chores:
            chore.cancel()
        await self._write_levels()
        if self._watch is not None:
            await asyncio.to_thread(self._watch.stop)
        if self.gate is not None:
            await self.gate.close()

    async def _summarise(self) -> None:
        """One line a minute, and a try to write what the journal still holds in memory."""
        while True:
            await asyncio.sleep(SUMMARY)
            if self.gate is not None:
                self.gate.journal.flush()
                if line := self.gate.summary.line():
                    log.info("the last minute: %s", line)

    async def _leave_no_prompts(self) -> None:
        """A journal file goes when it has been read and is no longer written to."""
        while True:
            await asyncio.sleep(PROMPTS)
            if self.gate is not None and self.gate.snapshot.keeps_prompts:
                self.gate.journal.begin_anew()

    async def _keep_levels(self) -> None:
        """What is left of the quotas, for a start after a death without warning."""
        while True:
            await asyncio.sleep(LEVELS)
            await self._write_levels()

    async def _write_levels(self) -> None:
        if self.gate is None:
            return
        quotas, spent = levels.picture(self.gate.health.limits.quotas), self.gate.allowances.picture()
        for purpose, pictured in ((levels.PURPOSE, quotas), (levels.SPENT, spent)):
            if pictured not in (self._pictured.get(purpose), b"{}", b"[]"):
                self._pictured[purpose] = pictured
                await asyncio.to_thread(levels.keep, pictured, purpose)

    async def _first_snapshot(self) -> Snapshot | None:
        try:
            async with asyncio.timeout(DATABASE_PATIENCE):
                return await asyncio.to_thread(_load)
        except (DatabaseError, OSError, TimeoutError) as error:
            self.degraded = ["db"]
            found = await asyncio.to_thread(loading.kept)
            if found is None:
                log.error("no configuration: the database does not answer (%s) and none was kept", type(error).__name__)
                return None
            snapshot, age = found
            log.warning("the database does not answer; starting with the configuration kept %.0f s ago%s",
                        age, " - it may be out of date" if age > MAX_STALE else "")  # fmt: skip
            return snapshot

    def _open(self, snapshot: Snapshot) -> None:
        self.gate = Gate(snapshot, Journal(settings.ROTATION_JOURNAL_DIR))
        self.gate.health.limits.resume(levels.kept(), self.gate.now())
        levels.resume(self.gate.allowances)
        log.info("gateway open: %d pools, %d deployments, %d keys%s", len(snapshot.pools), len(snapshot.deployments),
                 len(snapshot.secrets), "; providers are simulated" if snapshot.simulated else "")  # fmt: skip

    def _adopt(self, snapshot: Snapshot) -> None:
        self.degraded = []
        if self.gate is None:
            self._open(snapshot)
        else:
            self.gate.adopt(snapshot)

    def _lifted(self, what: str, scope: str, more: Mapping[str, Any]) -> None:
        if self.gate is not None:
            recall.lift(self.gate.health, what, scope, more)


def _load() -> Snapshot:
    try:
        rows = loading.read()
    finally:
        connection.close()
    loading.keep(rows)
    return loading.build(rows)


class Borrowed:
    """A gate for one request of the second door: this loop's own, or one made for it and closed after it."""

    def __init__(self, gate: Gate, *, own: bool) -> None:
        self.gate, self._own = gate, own

    async def close(self) -> None:
        if self._own:
            await self.gate.close()


def announce(life: Life) -> None:
    """From now on this event loop's second door answers from this life's gate."""
    _living[asyncio.get_running_loop()] = life


async def borrow() -> Borrowed:
    """This event loop's living gate; where there is none (a test client, a page process) one from the database."""
    living = _living.get(asyncio.get_running_loop())
    if living is not None and living.gate is not None:
        return Borrowed(living.gate, own=False)
    snapshot = await sync_to_async(lambda: loading.build(loading.read()))()
    return Borrowed(Gate(snapshot, Journal(settings.ROTATION_JOURNAL_DIR)), own=True)


@asynccontextmanager
async def lent() -> AsyncIterator[Gate]:
    """A gate for as long as the block lasts."""
    borrowed = await borrow()
    try:
        yield borrowed.gate
    finally:
        await borrowed.close()
