"""`python -m rotation.simulator`: the simulator without anything else, Django included."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8787, help="port to listen on (default 8787)")
    parser.add_argument("--socket", type=Path, help="a unix socket instead of host and port")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same world (default 0)")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times quicker than real (default 1)")
    parser.add_argument("--no-limits", action="store_true", help="let every request through")


def run(*, host: str, port: int, socket: Path | None, seed: int, speed: float, limits: bool) -> str | None:
    """Serves until a signal ends it. Returns one line saying why it could not."""
    from rotation.simulator.app import create  # noqa: PLC0415 - `--help` need not wait for a server
    from rotation.simulator.serve import serve  # noqa: PLC0415

    try:
        serve(create(seed=seed, speed=speed, limits=limits), host=host, port=port, path=socket)
    except (OSError, ValueError) as error:
        return f"The simulator cannot start at {socket or f'{host}:{port}'}: {error}"
    return None


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="rotation.simulator", description="Simulated providers, for tests and drills."
    )
    add_arguments(parser)
    given = parser.parse_args()
    trouble = run(
        host=given.host,
        port=given.port,
        socket=given.socket,
        seed=given.seed,
        speed=given.speed,
        limits=not given.no_limits,
    )
    if trouble:
        parser.exit(1, f"{trouble}\n")


if __name__ == "__main__":
    main()
