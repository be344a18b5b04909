"""Whether anything a live page shows has changed: one cheap query, one short token."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2s
from typing import Any

from dashboard.queries.sums import fetch
from dashboard.span import Span, floored

# Everything that is written by the ledger moves a journal offset or adds to the running minute; what people and jobs
# change moves the configuration's version or adds a row.
STATE = """
    SELECT (SELECT coalesce(sum("offset"), 0) FROM rotation_journalfile WHERE done_at IS NULL),
           (SELECT coalesce(sum(calls), 0) FROM rotation_callminute WHERE at >= %s),
           (SELECT max(version) FROM rotation_configversion),
           (SELECT coalesce(sum(extract(epoch FROM until)), 0) FROM rotation_cooldown),
           (SELECT max(changed_at) FROM rotation_breakerstate),
           (SELECT max(seen_at) FROM rotation_learnedlimit),
           (SELECT count(*) + count(applied_at) + count(undone_at) + count(decided_at)
                   + count(*) FILTER (WHERE state IN ('kept', 'superseded')) FROM rotation_reordering),
           (SELECT max(id) FROM rotation_cataloguechange),
           (SELECT max(id) FROM rotation_jobrun WHERE state <> 'running')"""


def token(*facts: Any) -> str:
    """A short text that differs when the facts do."""
    return blake2s(repr(facts).encode(), digest_size=8).hexdigest()


def everything(now: datetime) -> tuple[Any, ...]:
    """One query: facts of which one moves with whatever is written, by the ledger, a job or a person."""
    return fetch(STATE, [floored(now, timedelta(minutes=1)) - timedelta(minutes=2)])[0]


def state(span: Span) -> str:
    """One query: a token that differs when the page would. The window's own movement counts: bars move with time."""
    return token(span.range.name, floored(span.now, span.range.bar), everything(span.now))
