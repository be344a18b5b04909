"""Journals for tests: records in the gateway's shape, and a writer that appends and locks as the gateway does."""

from __future__ import annotations

import fcntl
import os
import random
import time
import uuid
from pathlib import Path
from typing import Any

from rotation.core.failures import FailureKind
from rotation.ledger.lines import encode

NOON = 1_763_640_000.0  # 2025-11-20 12:00 UTC


def attempt(n: int = 1, outcome: str = "ok", **changes: Any) -> dict[str, Any]:
    ok = outcome == "ok"
    base = {
        "id": str(uuid.uuid4()),
        "n": n,
        "provider": 1,
        "deployment": n,
        "account": 3,
        "key": 4,
        "model": f"maker/model-{n}:free",
        "outcome": outcome,
        "status": 200 if ok else 429,
        "blame": None if ok else "account_model",
        "message": "" if ok else "Rate limit exceeded",
        "retry_after": None if ok else 12.5,
        "start_ms": 10.0 * (n - 1),
        "connect_ms": 1.25,
        "first_ms": 120.5 if ok else None,
        "total_ms": 350.25 if ok else 10.0,
        "tokens_in": 11 if ok else 0,
        "tokens_out": 22 if ok else 0,
        "cost": 0.00012 if ok else None,
    }
    return base | changes


def call(attempts: Any = None, **changes: Any) -> dict[str, Any]:
    attempts = [attempt()] if attempts is None else attempts
    base = {
        "t": "call",
        "id": str(uuid.uuid4()),
        "at": NOON,
        "client": 7,
        "op": "chat",
        "asked": "auto",
        "pool": "auto",
        "stream": False,
        "status": 200,
        "outcome": "answered",
        "failure": None,
        "provider": 1,
        "deployment": 2,
        "key": 4,
        "model": "maker/model-2:free",
        "queue_ms": 0.5,
        "first_ms": 130.5,
        "total_ms": 361.0,
        "lost_ms": 10.0 * (len(attempts) - 1),
        "tokens_in": 11,
        "tokens_out": 22,
        "estimated": False,
        "cost": 0.00012,
        "simulated": False,
        "error": "",
        "trace": [{"target": "maker/model-2:free", "deployment": 2, "key": 4, "state": "answered", "why": ""}],
        "attempts": attempts,
    }
    return base | changes


def random_call(chance: random.Random, at: float) -> dict[str, Any]:
    """A call with 1 to 3 attempts, of any outcome, as a busy gateway writes them."""
    kinds = [chance.choice(list(FailureKind)).value for _ in range(chance.randrange(3))]
    outcome = chance.choice(["answered"] * 6 + ["failed", "refused", "cancelled", "interrupted"])
    attempts = [attempt(n, kind, deployment=chance.randrange(1, 6)) for n, kind in enumerate(kinds, 1)]
    if outcome == "answered":
        cost = chance.random() / 1000
        total = chance.lognormvariate(6, 1.5)
        attempts.append(attempt(len(kinds) + 1, cost=cost, total_ms=total, deployment=chance.randrange(1, 6)))
    return call(attempts, at=at, outcome=outcome, simulated=chance.random() < 0.2, internal=chance.random() < 0.1,
                pool=chance.choice(["auto", "fast"]), client=chance.choice([None, 7, 8]))  # fmt: skip


class Writer:
    """Appends whole lines to `<boot>-<seq>.jsonl`, holding the lock a gateway holds."""

    def __init__(self, directory: Path, boot: str = "19a9e0000001234", roll: int = 8 * 1024 * 1024) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.boot, self.roll, self.seq, self.size = directory, boot, roll, 0, 0
        self.fd = self._open()

    @property
    def path(self) -> Path:
        return self.directory / f"{self.boot}-{self.seq:06d}.jsonl"

    def _open(self) -> int:
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
        fcntl.flock(fd, fcntl.LOCK_EX)
        return fd

    def write(self, *records: dict[str, Any]) -> None:
        for record in records:
            self.write_bytes(encode(record))

    def write_bytes(self, line: bytes) -> None:
        if self.size > self.roll:
            self.seq, self.size = self.seq + 1, 0
            older, self.fd = self.fd, self._open()
            os.close(older)
        self.size += os.write(self.fd, line)

    def close(self) -> None:
        """As when the gateway ends: the lock is gone."""
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


def wait_for(condition: Any, ceiling: float = 60.0) -> None:
    until = time.monotonic() + ceiling
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
