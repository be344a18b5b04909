"""Where Postgres lives when we are root: it refuses to run as root, so it is lodged with an ordinary user.

Nothing foreign is touched: no user is made, no folder of anybody else is opened up. When the lodger cannot
reach the programs or the data folder, both get a private place under /var/lib/rotation.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LODGERS = ("postgres", "nobody")
PRIVATE = Path("/var/lib/rotation")


class NoLodging(RuntimeError):
    """We are root and there is nobody to run Postgres as."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The ordinary user who runs Postgres for root."""

    name: str
    uid: int
    gid: int


def owner() -> Owner | None:
    """None for an ordinary user, who runs Postgres as himself."""
    if os.geteuid() != 0:
        return None
    for name in LODGERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(name, entry.pw_uid, entry.pw_gid)
    raise NoLodging("Postgres does not run as root and there is no user postgres or nobody: start as another user.")


def identity(who: Owner | None) -> dict[str, Any]:
    """Arguments for subprocess."""
    return {} if who is None else {"user": who.uid, "group": who.gid, "extra_groups": []}


def make_private(folder: Path, who: Owner | None) -> None:
    """A folder only `who` (and root) can enter. One that somebody else owns is refused, not taken over."""
    wanted = os.geteuid() if who is None else who.uid
    try:
        folder.mkdir(parents=True, mode=0o700)
        if who is not None:
            os.chown(folder, who.uid, who.gid)
    except FileExistsError:
        if folder.is_symlink() or folder.stat().st_uid != wanted:
            raise NoLodging(f"{folder} belongs to somebody else: move it away or set ROTATION_HOME.") from None
    folder.chmod(0o700)


def give(file: Path, who: Owner | None) -> None:
    """A file in the lodger's folder is to be the lodger's."""
    if who is not None:
        os.chown(file, who.uid, who.gid)


def _can(who: Owner, *command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, cwd="/", check=False, **identity(who)).returncode == 0
    except OSError:
        return False


def reachable_folder(folder: Path, who: Owner) -> Path:
    """`folder` if the lodger can come to its parent, else a place of its own, kept in a file beside `folder`.

    The place has a name nobody else has: whoever deletes his home gets a new database, not the old one's rows
    without the secrets they were sealed with.
    """
    note = folder.with_suffix(".place")
    if note.exists():
        return Path(note.read_text())
    nearest = folder.parent
    while not nearest.exists():
        nearest = nearest.parent
    if _can(who, "/bin/sh", "-c", 'cd -- "$0"', str(nearest)):
        return folder
    place = _private_parent() / f"data-{secrets.token_hex(5)}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(str(place))
    return place


def reachable_programs(programs: Path, who: Owner) -> Path:
    """`programs` if the lodger can run them where they lie, else a private copy (31 MB, made once)."""
    if _can(who, str(programs / "postgres"), "--version"):
        return programs
    install = programs.parent
    size = (programs / "postgres").stat()
    copy = _private_parent() / f"programs-{_short(install)}-{size.st_size}-{int(size.st_mtime)}"
    inside = copy / install.parent.name / install.name / "bin"
    if not copy.exists():
        _copy_install(install, copy)
    return inside


def _copy_install(install: Path, copy: Path) -> None:
    draft = copy.with_name(f"{copy.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    skip = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(install, draft / install.parent.name / install.name, symlinks=True, ignore=skip)
    libraries = install.parent.parent / f"{install.parent.name}.libs"  # the programs look for ../../../<name>.libs
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name)
    for folder, _, _ in os.walk(draft):
        Path(folder).chmod(0o755)
    try:
        draft.rename(copy)
    except OSError:
        shutil.rmtree(draft)  # another start made it meanwhile


def _private_parent() -> Path:
    PRIVATE.mkdir(parents=True, exist_ok=True, mode=0o711)
    return PRIVATE


def _short(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:10]
