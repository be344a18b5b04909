"""Waiting for a condition with a generous ceiling, and looking at processes from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path


def until(condition: Callable[[], object], what: str, ceiling: float = 60.0) -> None:
    deadline = time.monotonic() + ceiling
    while not condition():
        assert time.monotonic() < deadline, f"waited {ceiling:.0f} s in vain: {what}"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Runs, and is not just a zombie nobody has collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def children_of(pid: int) -> dict[int, str]:
    """Direct children with their command lines."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, ValueError):
            continue
        if parent == pid and alive(int(entry.name)):
            found[int(entry.name)] = command
    return found


def mentioning(text: str) -> dict[int, str]:
    """Living processes that have `text` in their command line, their folder or their environment."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        if pid == os.getpid() or not alive(pid):
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            places = (
                command + (entry / "environ").read_bytes().decode(errors="replace") + str((entry / "cwd").readlink())
            )
        except OSError:
            continue
        if text in places:
            found[pid] = command
    return found
