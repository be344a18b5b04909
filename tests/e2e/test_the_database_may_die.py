"""Postgres is killed and then frozen under load: no call fails, no row is lost, none is doubled.

The whole installation as `up` starts it; three ledgers (client, provider, database) are compared by request id.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import httpx2
import psycopg
import pytest
from dotenv import dotenv_values

from tests.embedded.running import Up
from tests.embedded.waiting import mentioning, until

pytestmark = [pytest.mark.xdist_group("up"), pytest.mark.timeout(400)]

PER_SECOND = 40
FROZEN = 6.0  # seconds: longer than every timeout a careless call path would have
BUSY = {"kind": "openai", "fault": "overloaded", "probability": 0.2}
CHAIN = ["sim-generic/llama3.2:latest"]  # no plan of theirs limits them, and one in five calls has to rotate


class Load:
    """Calls at a steady rate from a thread of its own, until stopped; every answer is kept."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key
        self.answers: list[tuple[int, str]] = []
        self.slowest = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(120)

    def goes_on(self, count: int) -> None:
        """Until so many more calls were answered."""
        enough = len(self.answers) + count
        until(lambda: len(self.answers) >= enough, f"{count} more answers", 60)

    async def _run(self) -> None:
        headers = {"authorization": f"Bearer {self.key}"}
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=50)
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60, limits=limits) as client,
            asyncio.TaskGroup() as calls,
        ):
            while not self._stop.is_set():
                calls.create_task(self._one(client))
                await asyncio.sleep(1 / PER_SECOND)

    async def _one(self, client: httpx2.AsyncClient) -> None:
        body = {
            "model": "sim-openai/gpt-4o-mini",
            "models": CHAIN,
            "messages": [{"role": "user", "content": "Say hello."}],
        }
        started = time.monotonic()
        reply = await client.post(f"{self.url}/v1/chat/completions", json=body)
        self.slowest = max(self.slowest, time.monotonic() - started)
        self.answers.append((reply.status_code, reply.headers.get("x-request-id", "")))


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rotation-db-"))
    folder.chmod(0o711)
    yield folder / "home"
    for pid in mentioning(str(folder)):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder)


def control(sim: str, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(sim + path, data=data, method=method), timeout=60) as reply:
        return json.loads(reply.read())


def written(url: str) -> dict[str, int]:
    """Request id -> attempts, as the database has them; empty while it cannot be asked."""
    try:
        with psycopg.connect(url, connect_timeout=3) as link:
            rows = link.execute("SELECT request_id, count(*) FROM rotation_attempt GROUP BY request_id").fetchall()
            calls = link.execute("SELECT id FROM rotation_request").fetchall()
    except psycopg.OperationalError:
        return {}
    attempts = {str(request): int(count) for request, count in rows}
    assert len(calls) == len({call for (call,) in calls})
    return {str(call): attempts.get(str(call), 0) for (call,) in calls}


def processes_of(postgres: int) -> list[int]:
    """The postmaster and every backend of it."""
    children = Path(f"/proc/{postgres}/task/{postgres}/children").read_text().split()
    return [postgres, *map(int, children)]


def test_postgres_killed_and_then_frozen_under_load_costs_no_call_and_no_row(home: Path) -> None:
    up = Up(home, "--json")
    try:
        told = up.welcome()
        running = dotenv_values(home / "running.env")
        sim, database = str(running["ROTATION_SIMULATOR_URL"]), str(running["DATABASE_URL"])
        control(sim, "POST", "/_sim/settings", {"speed": 50.0, "limits": False})
        control(sim, "PUT", "/_sim/faults", [BUSY])
        control(sim, "POST", "/_sim/reset", {})
        control(sim, "PUT", "/_sim/faults", [BUSY])
        with Load(told["url"], told["client_key"]) as load:
            load.goes_on(100)
            killed = up.children()["postgres"]
            os.kill(killed, signal.SIGKILL)
            until(lambda: up.children().get("postgres", killed) != killed, "another Postgres", 60)
            load.goes_on(200)
            until(lambda: written(database), "a database that answers", 60)
            freeze(up.children()["postgres"], load)
            load.goes_on(100)
        statuses = Counter(status for status, _ in load.answers)
        assert statuses == {200: len(load.answers)}
        ids = {request for _, request in load.answers}
        until(lambda: len(written(database)) >= len(ids), "every row", 90)
        upstream = Counter(entry["request_id"] for entry in control(sim, "GET", "/_sim/ledger")["entries"])
        rows = written(database)
        assert set(rows) == ids
        assert rows == dict(upstream)
        assert up.end() == 0
    finally:
        up.end(signal.SIGKILL)


def freeze(postmaster: int, load: Load) -> None:
    """SIGSTOP, calls, SIGCONT. Half of the calls of the frozen time must have been answered within it."""
    frozen = processes_of(postmaster)
    before = len(load.answers)
    for pid in frozen:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(FROZEN)
    finally:
        for pid in frozen:
            with contextlib.suppress(ProcessLookupError):  # a session that was about to end
                os.kill(pid, signal.SIGCONT)
    assert len(load.answers) - before > FROZEN * PER_SECOND / 2
