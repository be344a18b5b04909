"""A Postgres of our own: made once, run as a foreground child on a unix socket, no TCP port, no password to leak.

It only says how (folders, arguments, readiness); starting, watching and stopping is the supervisor's work.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rotation.embedded import lodging
from rotation.embedded.binaries import postgres_bin
from rotation.embedded.lodging import Owner

SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 100  # the kernel stops at 107 bytes
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_connections": "80",
    "max_parallel_workers_per_gather": "0",  # containers often have a tiny /dev/shm
    "jit": "off",
    "wal_level": "minimal",
    "max_logical_replication_workers": "0",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "log_min_messages": "warning",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class PostgresFailed(RuntimeError):
    """Postgres could not be made or started; the message holds its own words."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """One data folder with the programs and the user to run it."""

    data: Path
    programs: Path
    owner: Owner | None
    sockets: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"postgresql:///postgres?host={self.sockets}&user=postgres"

    def argv(self) -> list[str]:
        options = {**SETTINGS, "unix_socket_directories": str(self.sockets), **self.settings}
        pairs = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(self.programs / "postgres"), "-D", str(self.data), *pairs]

    def create(self) -> bool:
        """Makes the data folder and its contents when they are not there (then: True); raises PostgresFailed."""
        for folder in (self.data, self.sockets):
            lodging.make_private(folder, self.owner)
        if (self.data / "PG_VERSION").exists():
            return False
        for left in self.data.iterdir():  # an initdb that was killed half-way
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        made = self.run("initdb", "-D", str(self.data), "-U", "postgres", "--auth=trust", "--encoding=UTF8",
                        "--locale=C.UTF-8", "--no-instructions", "--no-sync")  # fmt: skip
        if made.returncode:
            raise PostgresFailed(f"Postgres could not make {self.data}: {made.stderr.strip() or made.stdout.strip()}")
        return True

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.programs / program), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, cwd="/", check=False, **lodging.identity(self.owner)
        )

    def ready(self) -> bool:
        """Whether connections are taken now."""
        if not (self.sockets / SOCKET_NAME).exists():
            return False
        return self.run("pg_isready", "-q", "-h", str(self.sockets), "-U", "postgres").returncode == 0

    def clear_the_way(self, patience: float = 20.0) -> None:
        """Ends what a killed `up` left running here, and drops pid files whose number a stranger (or a zombie) has.

        Only call it while holding the lock of the home folder: then no living `up` can own these processes. A pid file
        of a process that is gone stays: Postgres knows what to make of it, and checks for old sessions by it.
        """
        pid_file = self.data / "postmaster.pid"
        until = time.monotonic() + patience
        while residents := self._residents():
            late = time.monotonic() > until
            postmaster = _first_number(pid_file)
            for resident in residents if late else residents & {postmaster}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(resident, signal.SIGKILL if late else signal.SIGINT)
            time.sleep(0.05)
        for file in (pid_file, self.sockets / f"{SOCKET_NAME}.lock"):
            owner = _first_number(file)
            if owner is not None and Path(f"/proc/{owner}").exists():
                file.unlink(missing_ok=True)

    def _residents(self) -> set[int]:
        """Processes at home in the data folder: every process of Postgres works from there (Linux)."""
        found = set()
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.readlink(entry / "cwd") == str(self.data):  # noqa: PTH115 - no Path needed, there are thousands
                    found.add(int(entry.name))
        return found


def _first_number(path: Path) -> int | None:
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def at(data: Path, *, settings: Mapping[str, str] | None = None) -> Cluster:
    """The cluster for a data folder; as root lodged with an ordinary user, elsewhere if that one cannot come in."""
    programs = postgres_bin()
    owner = lodging.owner()
    if owner is not None:
        programs = lodging.reachable_programs(programs, owner)
        data = lodging.reachable_folder(data, owner)
    sockets = data
    if len(str(data / SOCKET_NAME)) > LONGEST_SOCKET_PATH:
        short = hashlib.sha256(str(data).encode()).hexdigest()[:12]
        sockets = Path(tempfile.gettempdir()) / f"rotation-{short}"
    return Cluster(data, programs, owner, sockets, {**_by_version(programs), **(settings or {})})


def _by_version(programs: Path) -> dict[str, str]:
    said = subprocess.run([str(programs / "postgres"), "--version"], capture_output=True, text=True, check=False).stdout
    digits = "".join(c if c.isdigit() else " " for c in said).split()
    return {"io_method": "sync"} if digits and int(digits[0]) >= 18 else {}  # three processes fewer
