"""The folder where one installation keeps everything it may not lose, and the lock that makes it one installation."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from rotation.embedded import lodging
from rotation.embedded.postgres import LONGEST_SOCKET_PATH


class AlreadyRunning(RuntimeError):
    """Another `up` holds this home; the message says where it answers."""


@dataclass(slots=True)
class Home:
    """Paths of one installation. `lock()` before anything is written."""

    path: Path
    _lock: IO[str] | None = field(default=None, repr=False)

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def running(self) -> Path:
        """Addresses of the children, for any other command that is started meanwhile."""
        return self.path / "running.env"

    def lock(self) -> None:
        """Makes the folder and takes its lock until this process ends; raises AlreadyRunning."""
        if not self.path.exists():
            # As root, Postgres runs as somebody who must pass through; every file in here has its own narrow rights.
            self.path.mkdir(parents=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        self.logs.mkdir(exist_ok=True, mode=0o700)
        self._lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.seek(0)
            where = self._lock.read().strip() or "it is still starting"
            self.unlock()
            raise AlreadyRunning(f"Rotation already runs from {self.path} ({where}).") from None

    def unlock(self) -> None:
        """The end of the process does it too."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def say_where(self, url: str) -> None:
        """Leaves the address for a second start to tell."""
        if self._lock is None:
            raise RuntimeError("lock() comes first")
        self._lock.truncate(0)
        self._lock.write(f"{url}, process {os.getpid()}")
        self._lock.flush()

    def announce(self, addresses: Mapping[str, str]) -> None:
        """Writes `running.env`."""
        text = "".join(f"{name}='{value}'\n" for name, value in addresses.items())
        self._write(self.running, text)

    def socket(self, name: str) -> Path:
        """A path for a unix socket: in here, or in a private folder of the temporary one when that is too long."""
        inside = self.path / name
        if len(str(inside)) <= LONGEST_SOCKET_PATH:
            return inside
        short = hashlib.sha256(str(self.path).encode()).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"rotation-{os.geteuid()}-{short}"
        lodging.make_private(folder, None)
        return folder / name

    def remember(self, name: str, value: Any) -> None:
        """Keeps a small fact over restarts, readable by its owner only."""
        self._write(self.path / f"{name}.json", json.dumps(value))

    def recall(self, name: str) -> Any:
        """What `remember` kept, None when there is nothing (or nothing readable)."""
        try:
            return json.loads((self.path / f"{name}.json").read_text())
        except (OSError, ValueError):
            return None

    def _write(self, path: Path, text: str) -> None:
        draft = path.with_name(f"{path.name}.draft")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        draft.replace(path)
