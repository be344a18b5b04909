"""Fingerprints of what a start prepares from, so that the next start can skip what is already done."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def of_database() -> str:
    """Changes with every migration, every starter fixture, every schedule, every library."""
    sources = (
        "rotation/migrations/*.py",
        "dashboard/migrations/*.py",
        "rotation/fixtures/*",
        "rotation/starter*.py",
        "rotation/jobs/*.py",
    )
    return _digest(path for pattern in (*sources, "requirements.lock") for path in sorted(ROOT.glob(pattern)))


def of_static_files() -> str:
    """Changes with every style, script and picture, and with the libraries that bring their own."""
    folders = (ROOT / "static", ROOT / "dashboard" / "static")
    files = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
    return _digest((*files, ROOT / "requirements.lock"))


def of_start() -> str:
    """Changes with either: while it is the same, the web may start beside the preparation."""
    return f"{of_database()} {of_static_files()}"


def _digest(paths: Iterable[Path]) -> str:
    made_of = hashlib.sha256()
    for path in paths:
        made_of.update(f"{path.relative_to(ROOT)}\0".encode())
        made_of.update(path.read_bytes())
    return made_of.hexdigest()
