"""`manage.py up` in a process of its own, with what it says and a way to ask it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.embedded.waiting import children_of, until

ROOT = Path(__file__).resolve().parent.parent.parent
PARTS = {
    "postgres": "/postgres -D",
    "valkey": "valkey-server",
    "simulator": "rotation.simulator",
    "gateway": "--fd",
    "dashboard": "--uds",
    "ledger": "manage.py ledger",
    "worker": "celery",
}
OURS = ("DATABASE_URL", "REDIS_URL", "STATIC_ROOT", "ROTATION_HASHED_STATIC", "ROTATION_TEST_FOLDER")
LONG = 120.0  # seconds a start may take while everything else runs at the same time


class Up:
    def __init__(self, home: Path, *arguments: str, **env: str) -> None:
        bare = {name: value for name, value in os.environ.items() if name not in OURS}
        told = {**bare, "ROTATION_HOME": str(home), "ROTATION_VENV": "none", "PORT": "0", **env}
        command = [sys.executable, str(ROOT / "manage.py"), "up", *arguments]
        self.process = subprocess.Popen(command, env=told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.out: list[str] = []
        self.err: list[str] = []
        pipes = ((self.process.stdout, self.out), (self.process.stderr, self.err))
        self.readers = [threading.Thread(target=read, args=both) for both in pipes]
        for reader in self.readers:
            reader.start()

    def welcome(self) -> dict[str, Any]:
        """The one line of JSON, as soon as it is printed."""
        until(lambda: self.out or self.process.poll() is not None, "the welcome", LONG)
        assert self.out, self.said()
        told: dict[str, Any] = json.loads(self.out[0])
        return told

    def said(self) -> str:
        return "".join(self.err)

    def children(self) -> dict[str, int]:
        """Part -> process id, of those that run now."""
        running = children_of(self.process.pid)
        return {part: pid for part, mark in PARTS.items() for pid, command in running.items() if mark in command}

    def complete(self) -> bool:
        return set(self.children()) == set(PARTS)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """The exit code after `number`."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(LONG)
        for reader in self.readers:
            reader.join(LONG)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        return code


def read(pipe: Any, into: list[str]) -> None:
    into.extend(iter(pipe.readline, ""))


def ask(url: str, path: str, body: Any = None, key: str = "") -> tuple[int, str]:
    """Status and text of a GET, or of a POST of JSON; (0, why) when nobody answers."""
    with contextlib.closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)) as link:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        try:
            link.request("POST" if body else "GET", path, json.dumps(body) if body else None, headers)
            reply = link.getresponse()
            return reply.status, reply.read().decode()
        except OSError as problem:
            return 0, str(problem)
