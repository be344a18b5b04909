"""The cast of the stories: one simulated world, a gateway in front of it, and who may call.

`snapshot_of` makes a configuration without a database; `serving` runs the real door on a real socket.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from django.conf import settings

from rotation.asgi_words import Receive, Scope, Send
from rotation.core.policy import BALANCED, Policy
from rotation.core.targets import Account, Deployment, Key, Placement, Pool, Provider, Target
from rotation.gateway.clients import Client
from rotation.gateway.clock import Clock
from rotation.gateway.door import Door
from rotation.gateway.gate import Gate
from rotation.gateway.journal import Journal
from rotation.gateway.life import Life
from rotation.gateway.snapshot import Snapshot
from rotation.ledger.lines import decode
from rotation.sealing import Secret

ALICE = "rk_alice000_" + "a" * 43  # may use everything
BOB = "rk_bobbob00_" + "b" * 43  # may use the pool "fast" only
PATHS = {
    "openrouter": "/openrouter/api/v1",
    "groq": "/groq/openai/v1",
    "openai": "/openai/v1",
    "together": "/together/v1",
    "generic": "/generic/v1",
}


@dataclass(frozen=True)
class Offer:
    """One deployment of the cast: a simulated kind's model, with as many keys as accounts and counts say."""

    kind: str
    model: str
    keys: int = 1
    accounts: int = 1
    features: Mapping[str, Any] | None = None
    base_url: str = ""


def digest(plain: str) -> str:
    return hmac.new(settings.ROTATION_PEPPER.encode(), plain.encode(), hashlib.sha256).hexdigest()


def snapshot_of(
    url: str, offers: Iterable[Offer], *, policy: Policy = BALANCED, pool: str = "auto", simulated: bool = True
) -> Snapshot:
    """A configuration of these offers, all placed in one pool in the order given."""
    providers: dict[int, Provider] = {}
    deployments: dict[int, Deployment] = {}
    targets: dict[int, tuple[Target, ...]] = {}
    secrets: dict[int, Secret] = {}
    by_kind: dict[str, int] = {}
    for number, offer in enumerate(offers, 1):
        place = by_kind.setdefault(offer.kind + offer.base_url, len(by_kind) + 1)
        base = offer.base_url or url + PATHS[offer.kind]
        provider = providers.setdefault(
            place, Provider(place, f"sim-{offer.kind}", offer.kind, base, simulated=simulated)
        )
        deployment = Deployment(number, place, offer.model, **dict(offer.features or {}))
        deployments[number] = deployment
        found = []
        for account in range(1, offer.accounts + 1):
            for key in range(1, offer.keys + 1):
                key_id = place * 100 + account * 10 + key
                label = "main" if account == 1 else f"account{account}"
                secrets[key_id] = Secret(f"sk-sim-{offer.kind}-{label}-{key}")
                found.append(
                    Target(
                        deployment, Key(key_id, place * 10 + account), Account(place * 10 + account, place), provider
                    )
                )
        targets[number] = tuple(found)
    placements = tuple(Placement(n, n) for n in deployments)
    pools = {name: Pool(i, name, placements, policy=policy) for i, name in enumerate((pool, "fast"), 1)}
    clients = {digest(ALICE): Client(1, "alice"), digest(BOB): Client(2, "bob", frozenset({"fast"}))}
    return Snapshot(1, providers, deployments, targets, pools, clients, secrets)


class FixedLife(Life):
    """A life without a database: the gate works from the snapshot it is given."""

    def __init__(self, snapshot: Snapshot, journal: Path, speed: float = 1.0) -> None:
        super().__init__()
        self._given, self._journal, self._speed = snapshot, journal, speed

    async def start(self) -> None:
        self.gate = Gate(self._given, Journal(self._journal), clock=Clock(self._speed))


@dataclass
class Serving:
    """A gateway on a socket."""

    url: str
    life: FixedLife
    journal: Path
    loop: asyncio.AbstractEventLoop

    @property
    def gate(self) -> Gate:
        assert self.life.gate is not None
        return self.life.gate

    def records(self, kind: str = "call") -> list[dict[str, Any]]:
        """The journal's records of one kind, in the order they were written."""
        found = []
        for path in sorted(self.journal.glob("*.jsonl")):
            for line in path.read_bytes().splitlines(keepends=True):
                record = decode(line)
                assert isinstance(record, dict), record
                if record["t"] == kind:
                    found.append(record)
        return found


async def nothing_else(scope: Scope, receive: Receive, send: Send) -> None:
    """Behind the door of the cast there is nothing."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"nothing here"})


@contextmanager
def serving(snapshot: Snapshot, journal: Path, *, speed: float = 1.0) -> Iterator[Serving]:
    """The real door under the real server, in a thread with a loop of its own; its clock may run quicker."""
    life = FixedLife(snapshot, journal, speed)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(Door(nothing_else, life), log_config=None, access_log=False, http="httptools")
        server = uvicorn.Server(config)
        loop = uvloop.new_event_loop()

        def run() -> None:
            asyncio.set_event_loop(loop)
            loop.run_until_complete(server.serve(sockets=[listener]))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        wait_for(lambda: server.started)
        try:
            yield Serving(f"http://127.0.0.1:{listener.getsockname()[1]}", life, journal, loop)
        finally:
            server.should_exit = True
            thread.join(timeout=20)


def wait_for(truth: Any, *, seconds: float = 20.0) -> None:
    """Until `truth()` holds; an AssertionError when it never does."""
    ends = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < ends, f"waited {seconds} s in vain"
        time.sleep(0.005)
