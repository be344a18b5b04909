"""Serves `rotation.asgi` by uvicorn: `python -m rotation.serve` (HOST and PORT), `--fd N`, or `--uds PATH`.

One process. What it serves is said by ROTATION_ROLE. On SIGTERM it takes no new connection, lets running streams
finish for ROTATION_DRAIN_SECONDS, and ends.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
from pathlib import Path

import django
import uvicorn
from django.conf import settings

from rotation.embedded.listening import bound


def listener(arguments: argparse.Namespace) -> socket.socket:
    """The socket to serve on. A unix socket left over from a killed process is replaced."""
    if arguments.fd is not None:
        return socket.socket(fileno=arguments.fd)
    if arguments.uds is not None:
        with contextlib.suppress(FileNotFoundError):
            arguments.uds.unlink()
        unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            unix.bind(str(arguments.uds))
        finally:
            os.umask(before)
        return unix
    return bound(settings.HOST, settings.PORT)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rotation.settings")
    parser = argparse.ArgumentParser(description=__doc__)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--fd", type=int, help="an open listening socket")
    where.add_argument("--uds", type=Path, help="path of a unix socket")
    arguments = parser.parse_args()
    django.setup()
    pages_only = settings.ROTATION_ROLE == "dashboard"
    config = uvicorn.Config(
        "rotation.asgi:application",
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off" if pages_only else "on",
        log_config=None,
        access_log=False,
        server_header=False,
        # Behind the gateway's own socket only the gateway speaks, and it says who the client is.
        forwarded_allow_ips="*" if arguments.uds is not None else None,
        timeout_graceful_shutdown=settings.ROTATION_DRAIN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener(arguments)])


if __name__ == "__main__":
    main()
