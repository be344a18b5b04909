"""What is left of every quota and of every client key's budget, kept in small files of the data folder, so that a
restart does not take a day's quota for full again.

Files and not the database, because they must be written while that is away and read before anything else is; sealed,
because a start believes them. The limits themselves are not taken from here: what an operator has lifted stays lifted.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import orjson

from rotation import sealing
from rotation.core.quota import Quota
from rotation.gateway import sealed_file
from rotation.gateway.allowance import Allowances

log = logging.getLogger("rotation.gateway")

PURPOSE, SPENT = "levels", "spent"
WORDS = {PURPOSE: "quotas", SPENT: "budgets"}


def picture(quotas: Mapping[str, Quota]) -> bytes:
    """How all of them stand. Quick: for the event loop, which alone may read them."""
    return orjson.dumps({scope: quota.to_list() for scope, quota in quotas.items()})


def keep(pictured: bytes, purpose: str = PURPOSE) -> None:
    """Write it down, sealed; for any other thread. Trouble is logged, not raised."""
    try:
        sealed_file.write(purpose, pictured.decode())
    except OSError as error:
        log.warning("what is left of the %s could not be kept: %s", WORDS[purpose], error)


def kept() -> dict[str, Quota]:
    """How they stood when they were last written down; empty when nothing can be read."""
    try:
        rows = orjson.loads(sealed_file.read(PURPOSE))
        return {scope: Quota.from_list(saved) for scope, saved in rows.items()}
    except (OSError, sealing.Locked, ValueError, KeyError, TypeError, AttributeError):
        return {}


def kept_file() -> Path:
    return sealed_file.path_of(PURPOSE)


def resume(allowances: Allowances) -> None:
    """What client keys had spent when that was last written down; nothing when nothing can be read."""
    try:
        allowances.resume(orjson.loads(sealed_file.read(SPENT)))
    except (OSError, sealing.Locked, ValueError, TypeError):
        return
