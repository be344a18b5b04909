"""Is somebody there? Short questions, for the supervisor's start and for health checks of services.

    python -m rotation.embedded.probe http://127.0.0.1:8000/readyz
    python -m rotation.embedded.probe --fresh /data/beat.tick

Standard library only: a health check every few seconds may not cost a second of Django.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from http.client import HTTPConnection as TcpConnection
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE = 0.5
FRESH = 60.0  # seconds


class UnixConnection(TcpConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self.path))


def answers(where: Path | tuple[str, int], path: str = "/readyz", patience: float = PATIENCE) -> bool:
    """Whether GET `path` is answered with 200 by a unix socket, or a host and port."""
    connection = UnixConnection(where) if isinstance(where, Path) else TcpConnection(*where, timeout=patience)
    with contextlib.closing(connection), contextlib.suppress(OSError, HTTPException):
        connection.request("GET", path, headers={"Host": "localhost"})
        return connection.getresponse().status == 200
    return False


def listens(host: str, port: int) -> bool:
    """Whether a connection is taken at all."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), PATIENCE):
        return True
    return False


def fresh(file: Path) -> bool:
    """Whether a file was written to in the last minute."""
    with contextlib.suppress(OSError):
        return time.time() - file.stat().st_mtime < FRESH
    return False


def main(arguments: list[str]) -> int:
    """0 when all is well, 1 when not."""
    match arguments:
        case ["--fresh", file]:
            well = fresh(Path(file))
        case [url]:
            parts = urlsplit(url)
            well = answers((parts.hostname or "", parts.port or 80), parts.path or "/", patience=3.0)
        case _:
            sys.exit(__doc__)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
