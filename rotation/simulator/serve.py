"""Serves a simulator: for good from the command line, or for the length of a `with` block in a test."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import uvicorn

from rotation.simulator.app import Simulator, create
from rotation.simulator.protocol import OpenProtocol

_STARTS_WITHIN = 10.0
_TICK = 1.0


class _Server(uvicorn.Server):
    """uvicorn that starts and stops without its polling pauses, and does not wait for answers that never end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    async def _serve(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's own, without its words about every start and end."""
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup(sockets)
        await self.main_loop()
        await self.shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        assert self._stopping is not None
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        tasks = list(self.server_state.tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)
        for task in self.server_state.tasks:
            task.cancel()
        for server in self.servers:
            await server.wait_closed()
        for sock in sockets or ():
            sock.close()
        _forget(self.config.uds)
        self._captured_signals.clear()  # they asked for this end and are served: no dying of them afterwards

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        self.stop()

    def stop(self) -> None:
        """From any thread."""
        self.should_exit = True
        if self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._stopping.set)


def _forget(path: str | None) -> None:
    """A unix socket outlives its listener."""
    if path is not None:
        Path(path).unlink(missing_ok=True)


def _server(simulator: Simulator, **where: Any) -> _Server:
    config = uvicorn.Config(
        simulator,
        http=OpenProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        **where,
    )
    server = _Server(config)
    simulator.world.connections = server.server_state.connections
    return server


def serve(simulator: Simulator, *, host: str, port: int, path: Path | None = None) -> None:
    """Until a signal ends it. `path`: a unix socket instead. Raises OSError when the address is taken."""
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    if path is not None:
        _server(simulator, uds=str(path)).run()
        return
    sock = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=1024)
    _server(simulator).run(sockets=[sock])


class Running:
    """A simulator at `url`, steered through its own control plane. Methods raise ValueError when it objects."""

    def __init__(self, url: str, simulator: Simulator) -> None:
        self.url = url
        self.simulator = simulator

    def faults(self, *rules: dict[str, Any]) -> list[dict[str, Any]]:
        """Puts these rules in the place of all others."""
        return self.control("PUT", "/_sim/faults", list(rules))["rules"]  # type: ignore[no-any-return]  # JSON

    def ledger(self, **filters: object) -> list[dict[str, Any]]:
        """Filters: since (a number), kind, model, request_id."""
        return self.control("GET", f"/_sim/ledger?{urlencode(filters)}")["entries"]  # type: ignore[no-any-return]  # JSON

    def reset(self, seed: int | None = None) -> None:
        self.control("POST", "/_sim/reset", {} if seed is None else {"seed": seed})

    def open(self) -> int:
        """Requests being answered now."""
        return self.simulator.world.ledger.open

    def advance(self, seconds: float) -> None:
        self.control("POST", "/_sim/clock", {"advance": seconds})

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Changes: speed, latency, own_calendar, limits, plans."""
        return self.control("POST", "/_sim/settings", changes)

    def catalogue(self, kind: str, *, remove: list[str] | None = None, put: list[dict[str, Any]] | None = None) -> None:
        self.control("POST", "/_sim/catalogue", {"kind": kind, "remove": remove or [], "put": put or []})

    def control(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        address = urlsplit(self.url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=30)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            told: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status >= 400:
            raise ValueError(told["error"])
        return told


@contextlib.contextmanager
def running(
    *, seed: int = 0, speed: float = 20.0, limits: bool = True, start: float | None = None
) -> Iterator[Running]:
    """A simulator in a thread of its own, on a free loopback port, gone without a trace at the end of the block."""
    simulator = create(seed=seed, speed=speed, limits=limits, start=start)
    sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    server = _server(simulator)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, name="simulator", daemon=True)
    thread.start()
    try:
        if not server.ready.wait(_STARTS_WITHIN):
            raise RuntimeError("the simulator did not start")
        yield Running(url, simulator)
    finally:
        server.stop()
        thread.join(10.0)
