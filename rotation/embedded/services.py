"""What `up` runs: each part as a `Service`, and the environment they share."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from rotation.embedded.binaries import valkey_server
from rotation.embedded.child import Service
from rotation.embedded.postgres import Cluster

ROOT = Path(__file__).resolve().parent.parent.parent
DRAIN = 5  # seconds a stream may go on after Ctrl-C
PAGE_QUERY_MS = 15_000


def postgres(cluster: Cluster, env: Mapping[str, str]) -> Service:
    """SIGINT is Postgres's fast shutdown: it ends sessions, writes everything down and goes."""
    return Service(
        "postgres",
        cluster.argv(),
        env,
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGINT,
        patience=20,
        owner=cluster.owner,
        before=cluster.clear_the_way,
    )


def valkey(socket: Path, folder: Path, env: Mapping[str, str]) -> Service:
    """Nothing in it is worth keeping: jobs are idempotent and planned again by the schedule."""
    argv = [str(valkey_server()), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    argv += ["--save", "", "--appendonly", "no", "--dir", str(folder), "--daemonize", "no"]
    argv += ["--maxmemory", "128mb", "--maxmemory-policy", "noeviction"]
    return Service("valkey", argv, env)


def gateway(listening: int, env: Mapping[str, str]) -> Service:
    argv = [sys.executable, "-m", "rotation.serve", "--fd", str(listening)]
    return Service("gateway", argv, _role(env, "gateway"), patience=DRAIN + 3, cwd=ROOT, pass_fds=(listening,))


def dashboard(socket: Path, env: Mapping[str, str]) -> Service:
    told = {**_role(env, "dashboard"), "ROTATION_STATEMENT_TIMEOUT_MS": str(PAGE_QUERY_MS)}
    argv = [sys.executable, "-m", "rotation.serve", "--uds", str(socket)]
    return Service("dashboard", argv, told, patience=DRAIN + 3, cwd=ROOT)


def simulator(port: int, sign: Path, env: Mapping[str, str]) -> Service:
    """Runs as long as the file `sign` says that simulated providers answer."""
    argv = [sys.executable, "-m", "rotation.simulator", "--host", "127.0.0.1", "--port", str(port)]
    return Service("simulator", argv, env, cwd=ROOT, wanted=sign.exists)


def ledger(env: Mapping[str, str]) -> Service:
    return Service("ledger", [sys.executable, str(ROOT / "manage.py"), "ledger"], env, cwd=ROOT)


def worker(schedule: Path, env: Mapping[str, str]) -> Service:
    """Worker and scheduler in one: safe, because `up` runs exactly one."""
    argv = [sys.executable, "-m", "celery", "-A", "rotation.celery", "worker", "-P", "threads", "-c", "4"]
    argv += ["-B", "-s", str(schedule), "-l", "INFO", "--without-gossip", "--without-mingle"]
    return Service("worker", argv, env, patience=15, cwd=ROOT)


def preparation() -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), "prepare", "--json"]


def environment(addresses: Mapping[str, str]) -> dict[str, str]:
    """Ours, with the addresses of the parts."""
    return {**os.environ, **addresses, "PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "rotation.settings"}


def _role(env: Mapping[str, str], role: str) -> dict[str, str]:
    return {"ROTATION_DRAIN_SECONDS": str(DRAIN), **env, "ROTATION_ROLE": role}
