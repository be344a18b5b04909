"""What is left of every quota, kept in a small file of the data folder, so that a restart does not take a day's quota
for full again.

A file and not the database, because it must be written while that is away and read before anything else is; sealed,
because a start believes it. The limits themselves are not taken from here: what an operator has lifted stays lifted.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

import orjson
from django.conf import settings

from rotation import sealing
from rotation.core.quota import Quota

log = logging.getLogger("rotation.gateway")

PURPOSE = "levels"


def picture(quotas: Mapping[str, Quota]) -> bytes:
    """How all of them stand. Quick: for the event loop, which alone may read them."""
    return orjson.dumps({scope: quota.to_list() for scope, quota in quotas.items()})


def keep(pictured: bytes) -> None:
    """Write it down, sealed; for any other thread. Trouble is logged, not raised."""
    path = kept_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(sealing.seal(pictured.decode(), PURPOSE))
        draft.replace(path)
    except OSError as error:
        log.warning("what is left of the quotas could not be kept in %s: %s", path, error)


def kept() -> dict[str, Quota]:
    """How they stood when they were last written down; empty when nothing can be read."""
    try:
        rows = orjson.loads(sealing.unseal(kept_file().read_text(), PURPOSE))
        return {scope: Quota.from_list(saved) for scope, saved in rows.items()}
    except (OSError, sealing.Locked, ValueError, KeyError, TypeError, AttributeError):
        return {}


def kept_file() -> Path:
    return Path(settings.ROTATION_HOME) / "levels.sealed"
