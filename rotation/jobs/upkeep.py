"""The upkeep of the store: days made ahead, and what is past its time let go, raw rows before roll-ups."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg import sql

from rotation import partitions, switches

AT_ONCE = 10_000  # rows deleted by one statement: the ledger's locks are never waited for long
RECORDS_DAYS = 90


def keep_partitions() -> str:
    """Retention is in days: ROTATION_KEEP_DAYS for calls, _MINUTES and _HOURS for the finer roll-ups; days stay."""
    made = partitions.ensure()
    pruned = partitions.prune(settings.ROTATION_KEEP_DAYS, budget_bytes=settings.ROTATION_STORE_BYTES or None)
    past = {
        "rotation_minutestat": settings.ROTATION_KEEP_MINUTES_DAYS,
        "rotation_callminute": settings.ROTATION_KEEP_MINUTES_DAYS,
        "rotation_hourstat": settings.ROTATION_KEEP_HOURS_DAYS,
        "rotation_callhour": settings.ROTATION_KEEP_HOURS_DAYS,
    }
    dropped = sum(_delete(table, "at", days) for table, days in past.items())
    dropped += _delete("rotation_jobrun", "slot", RECORDS_DAYS)
    dropped += erase_prompts()
    gone = f"{len(pruned.partitions)} dropped ({pruned.freed / 1e6:.0f} MB)"
    return f"{len(made)} partitions made, {gone}, {pruned.rows + dropped} older rows deleted"


def erase_prompts() -> int:
    """Those past their days; all of them while the operator wants none kept. How many."""
    chosen = switches.values()
    return _delete("rotation_keptprompt", "at", chosen["keep_prompts_days"] if chosen["keep_prompts"] else -1)


def _delete(table: str, column: str, days: int) -> int:
    """In small steps; how many rows."""
    query = sql.SQL(
        "DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {column} < %s LIMIT %s))"
    ).format(table=sql.Identifier(table), column=sql.Identifier(column))
    before = timezone.now() - timedelta(days=days)
    deleted, step = 0, AT_ONCE
    with connection.cursor() as cursor:
        while step >= AT_ONCE:
            cursor.execute(query, [before, AT_ONCE])
            step = cursor.rowcount
            deleted += step
    return deleted
