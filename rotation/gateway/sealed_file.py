"""A small sealed file of the data folder: what a start needs while the database is away. Whole, or not there."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings

from rotation import sealing


def path_of(purpose: str) -> Path:
    return Path(settings.ROTATION_HOME) / f"{purpose}.sealed"


def write(purpose: str, text: str) -> None:
    """Raises OSError."""
    path = path_of(purpose)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(sealing.seal(text, purpose))
    draft.replace(path)


def read(purpose: str) -> str:
    """Raises OSError, UnicodeError or `sealing.Locked`."""
    return sealing.unseal(path_of(purpose).read_text(), purpose)
