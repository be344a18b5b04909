"""An installation of its own for the browser: a database, a home, and the dashboard served as `up` serves it.

Nothing of it runs in the test's process: Playwright keeps an event loop there, in which Django would refuse to work.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

ROOT = Path(__file__).resolve().parents[2]
USERNAME, PASSWORD = "alice", "correct horse battery"


@dataclass(frozen=True)
class Installation:
    """`url` without a slash at its end; `environment` is that of its processes."""

    url: str
    environment: dict[str, str]

    def manage(self, *arguments: str, **more: str) -> str:
        """Runs a command of it; what it printed."""
        return self.program("django", *arguments, **more)

    def program(self, name: str, *arguments: str, **more: str) -> str:
        """Runs a module beside it; what it printed."""
        command = [sys.executable, "-m", name, *arguments]
        done = subprocess.run(
            command,
            env={**self.environment, **more},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sql(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            cursor = connection.execute(query.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def people(self, *names: str) -> None:
        """Exactly these accounts exist, all of them superusers."""
        for table in ("django_admin_log", "rotation_apitoken", "auth_user_groups"):
            self.sql(f"DELETE FROM {table}")
        self.sql("DELETE FROM auth_user WHERE NOT username = ANY(%s)", list(names))
        self.person(*names)

    def person(self, *names: str) -> None:
        """These accounts exist, beside whoever else."""
        known = {name for (name,) in self.sql("SELECT username FROM auth_user")}
        for name in sorted(set(names) - known):
            self.manage(
                "createsuperuser", "--noinput", "--username", name, "--email", "", DJANGO_SUPERUSER_PASSWORD=PASSWORD
            )

    def furnish(self, how: str) -> dict[str, str]:
        """Something of everything (`furnishing.py`): "plain" or "hostile"; the addresses of its pages. Or "remove"."""
        told = self.program("tests.browser.furnishing", how)
        return dict(json.loads(told)) if told.strip() else {}

    def ask(self, asked: str = "auto", *, failed: int = 0) -> str:
        """One call through the simulated rotation, just now, written by the ledger; its id."""
        from rotation.ledger.batch import prepare, write_calls
        from rotation.ledger.rows import call_of

        target = self.sql(
            "SELECT d.provider_id, d.id, k.account_id, k.id, d.model_id FROM rotation_deployment d "
            "JOIN rotation_account a ON a.provider_id = d.provider_id JOIN rotation_key k ON k.account_id = a.id "
            "JOIN rotation_provider p ON p.id = d.provider_id JOIN rotation_placement at ON at.deployment_id = d.id "
            "JOIN rotation_pool o ON o.id = at.pool_id AND o.name = 'auto' "
            "WHERE p.simulated ORDER BY at.position, k.id LIMIT 1"
        )[0]
        record = record_of(target, asked=asked, failed=failed)
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            prepare(connection)
            with connection.transaction(), connection.cursor() as cursor:
                write_calls(cursor, [call_of(record)])
        return str(record["id"])


def record_of(target: tuple[Any, ...], *, asked: str, failed: int) -> dict[str, Any]:
    """A call as the journal says it: `failed` refusals, a wait, an answer."""
    provider, deployment, account, key, model = target
    whom = {"provider": provider, "deployment": deployment, "account": account, "key": key, "model": model}
    tries: list[dict[str, Any]] = []
    clock = 1.0
    for n in range(1, failed + 1):
        tries.append(
            {**whom, "id": str(uuid4()), "n": n, "outcome": "rate_limited", "status": 429, "blame": "account_model",
             "message": "Rate limit exceeded: 60 requests per minute", "start_ms": clock, "connect_ms": 20.0,
             "total_ms": 120.0}
        )  # fmt: skip
        clock += 420.0
    tries.append(
        {**whom, "id": str(uuid4()), "n": failed + 1, "outcome": "ok", "status": 200, "start_ms": clock,
         "connect_ms": 15.0, "first_ms": 320.0, "total_ms": 1400.0, "tokens_in": 1642, "tokens_out": 418, "cost": 0.0}
    )  # fmt: skip
    states = [*("tried" for _ in range(failed)), "answered", "ready", "resting"]
    whys = {"tried": "429: 60 requests per minute", "answered": "next in order", "ready": "would have been next"}
    trace = [
        {"target": f"sim/{model}", "deployment": deployment, "key": key, "state": state,
         "why": whys.get(state, "breaker open, 5 timeouts in a row; probe due in 21 s")}
        for state in states
    ]  # fmt: skip
    return {
        "t": "call", "id": str(uuid4()), "at": (datetime.now(UTC) - timedelta(seconds=2)).timestamp(), "client": None,
        "op": "chat", "asked": asked, "pool": "auto", "stream": True, "status": 200, "outcome": "answered", **whom,
        "queue_ms": 1.0, "first_ms": clock + 320, "total_ms": clock + 1400, "lost_ms": 120.0 * failed,
        "tokens_in": 1642, "tokens_out": 418, "cost": 0.0, "simulated": True, "trace": trace, "attempts": tries,
        "needs": {"prompt_tokens": 1642, "max_output": 418, "tools": True, "stream": True},
        "policy": {"version": 41, "strategy": "ordered", "order": [deployment]},
    }  # fmt: skip


def environment_of(folder: Path, database: str, port: int) -> dict[str, str]:
    home = Path(os.environ["ROTATION_TEST_FOLDER"]) / database
    home.mkdir(mode=0o700, exist_ok=True)
    here, question, options = os.environ["DATABASE_URL"].partition("?")
    return {
        **os.environ,
        "DATABASE_URL": f"{here.rpartition('/')[0]}/{database}{question}{options}",
        "DJANGO_SETTINGS_MODULE": "rotation.settings",
        "ROTATION_HOME": str(home),
        "ROTATION_ROLE": "dashboard",
        "ROTATION_SIMULATOR_URL": "http://127.0.0.1:9",  # nobody is there, and nobody is asked
        "ROTATION_HASHED_STATIC": "1",
        "STATIC_ROOT": str(folder / "static"),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def installed(folder: Path, database: str) -> Iterator[Installation]:
    """Made, filled with two days of history, served; ended and thrown away afterwards."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)'.encode())
        connection.execute(f'CREATE DATABASE "{database}"'.encode())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        made = Installation(f"http://127.0.0.1:{port}", environment_of(folder, database, port))
        made.manage("prepare")
        made.manage("fill_history", "--calls", "2500", "--days", "2")
        serve = [sys.executable, "-m", "rotation.serve", "--fd", str(listener.fileno())]
        with (folder / "dashboard.log").open("wb") as log:
            process = subprocess.Popen(
                serve, env=made.environment, cwd=ROOT, pass_fds=[listener.fileno()], stdout=log, stderr=log
            )
    try:
        wait_until_ready(made, process, folder / "dashboard.log")
        yield made
    finally:
        process.terminate()
        process.wait(30)


def wait_until_ready(made: Installation, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        try:
            with urllib.request.urlopen(f"{made.url}/readyz", timeout=5) as answer:
                assert json.load(answer)["status"] == "ok"
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
