"""Does somebody answer there? Short questions over TCP or a unix socket, for the supervisor's start."""

from __future__ import annotations

import contextlib
import socket
from http.client import HTTPConnection as TcpConnection
from http.client import HTTPException
from pathlib import Path

PATIENCE = 0.5


class UnixConnection(TcpConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self.path))


def answers(where: Path | tuple[str, int], path: str = "/readyz") -> bool:
    """Whether GET `path` is answered with 200 by a unix socket, or a host and port."""
    connection = UnixConnection(where) if isinstance(where, Path) else TcpConnection(*where, timeout=PATIENCE)
    with contextlib.closing(connection), contextlib.suppress(OSError, HTTPException):
        connection.request("GET", path, headers={"Host": "localhost"})
        return connection.getresponse().status == 200
    return False


def listens(host: str, port: int) -> bool:
    """Whether a connection is taken at all."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), PATIENCE):
        return True
    return False
