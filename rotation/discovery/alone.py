"""One at a time: a listing being taken in, and a look at all lives, each decide on what the other may be changing."""

from __future__ import annotations

from django.db import connection

LOCK = 7_301_020  # advisory lock


def alone() -> None:
    """Waits for its turn, which lasts until the present transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
