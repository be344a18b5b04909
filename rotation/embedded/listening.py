"""Ports and listening sockets: one clear line when a port is taken."""

from __future__ import annotations

import contextlib
import os
import socket
import time

WILDCARDS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared, not bound


class PortTaken(RuntimeError):
    """The address cannot be had; the message says what to set."""


def bound(host: str, port: int) -> socket.socket:
    """A TCP socket on the first address `host` stands for; raises OSError when it cannot be had."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    tcp = socket.socket(family, kind, protocol)
    try:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind(address)
    except OSError:
        tcp.close()
        raise
    return tcp


def listen(host: str, port: int, patience: float = 0.0) -> socket.socket:
    """Raises PortTaken, after `patience` seconds when an earlier owner may just be ending."""
    if not 0 <= port < 65536:
        raise PortTaken(f"PORT={port} is not a port: it must be from 1 to 65535 (0: any free one).")
    until = time.monotonic() + patience
    while True:
        try:
            tcp = bound(host, port)
        except OSError as problem:
            if time.monotonic() < until:
                time.sleep(0.1)
                continue
            why = os.strerror(problem.errno) if problem.errno and problem.errno > 0 else str(problem)
            raise PortTaken(f"port {port} of {host} cannot be used: {why}. Set PORT (or HOST) to another.") from None
        tcp.listen(2048)
        return tcp


def url_of(listening: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listening.getsockname()[:2]
    host = "127.0.0.1" if host in WILDCARDS else host
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def free_port(kept: int | None) -> int:
    """`kept` if it is still free on loopback, else another one."""
    if kept and 0 < kept < 65536:
        with contextlib.suppress(OSError), bound("127.0.0.1", kept):
            return kept
    with bound("127.0.0.1", 0) as tcp:
        port: int = tcp.getsockname()[1]
    return port
