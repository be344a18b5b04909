"""One child process: how to start it, what it writes, how it ends. It never outlives its parent."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rotation.embedded import lodging
from rotation.embedded.lodging import Owner

PR_SET_PDEATHSIG = 1
LARGEST_LOG = 5 * 1024 * 1024
LONGEST_REST = 15.0
PROVEN = 30.0  # seconds after which a child counts as having started well
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Service:
    """What to run. `stop_signal` asks it to end, `death_signal` is what the kernel sends when we are killed.

    `patience` is how many seconds it may take to end before it is killed; `before` runs ahead of every start. It runs
    as long as `wanted()`, which is asked twice a second.
    """

    name: str
    argv: list[str]
    env: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    patience: float = 10.0
    owner: Owner | None = None
    cwd: Path = Path("/")
    pass_fds: tuple[int, ...] = ()
    before: Callable[[], None] | None = field(default=None, repr=False)
    wanted: Callable[[], bool] = field(default=always, repr=False)


def tie_to_parent(number: signal.Signals) -> None:
    """From now on the kernel sends us `number` when our parent ends (Linux; elsewhere nothing happens)."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, int(number))


def dies_with_parent(number: signal.Signals) -> Callable[[], None]:
    """For subprocess's preexec_fn: the kernel sends `number` when the parent ends, however it ends (Linux)."""
    parent = os.getpid()

    def between_fork_and_exec() -> None:
        tie_to_parent(number)
        if os.getppid() != parent:  # it ended before the line above
            os._exit(1)

    return between_fork_and_exec


class Child:
    """A service with its process. `start`, `ended`, `ask_to_stop` and `kill` never wait."""

    def __init__(self, service: Service, logs: Path) -> None:
        self.service = service
        self.log = logs / f"{service.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.failures = 0
        self.due = 0.0
        self.started = 0.0

    @property
    def running(self) -> bool:
        return self.process is not None

    @property
    def missed(self) -> bool:
        """Wanted, but not there."""
        return self.process is None and self.service.wanted()

    def start(self) -> None:
        """Raises OSError when the program cannot be run."""
        service = self.service
        if service.before is not None:
            service.before()
        self.started = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                service.argv,
                env=dict(service.env),
                cwd=service.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=service.pass_fds,
                preexec_fn=dies_with_parent(service.death_signal),  # noqa: PLW1509 - we are single-threaded
                **lodging.identity(service.owner),
            )

    def ended(self) -> int | None:
        """The exit code of a process that has just ended, once; its orphans are killed. None while it runs."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self._signal_group(signal.SIGKILL)
        self.process = None
        now = time.monotonic()
        self.failures = 1 if now - self.started > PROVEN else self.failures + 1
        self.due = now + self.rest
        return code

    @property
    def rest(self) -> float:
        """Seconds before the next start: 0.1 after the first end, doubling from there."""
        return min(LONGEST_REST, 0.1 * 2.0 ** (self.failures - 1))

    def ask_to_stop(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(self.service.stop_signal)

    def kill(self) -> None:
        if self.process is not None:
            self._signal_group(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def last_words(self, lines: int = 5) -> str:
        """The end of its log, for a message to a person."""
        with contextlib.suppress(OSError), self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 4096))
            return "\n".join(log.read().decode(errors="replace").strip().splitlines()[-lines:])
        return ""

    def keep_log_small(self) -> None:
        """Moves a large log aside. The process keeps appending to the same open file, so it is copied and emptied."""
        with contextlib.suppress(OSError):
            if self.log.stat().st_size > LARGEST_LOG:
                shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
                os.truncate(self.log, 0)

    def _signal_group(self, number: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)
