"""Health records (cooldown, breaker, limit, key, deployment, lack, twins) as statements on the control plane's tables.

Each statement is safe to meet an older record after a newer one (several gateways, a backlog): the newer stays.
Each parameter is sanitised here; the statements run in `batch.py`, in the batch's own transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, LiteralString

from rotation.ledger.clean import Unfit, moment, moment_or_none, number, row_id, text, uuid_or_none, whole
from rotation.ledger.rows import SENTENCE, WORD

SCOPE = 120  # longest scope
BREAKER_STATES = ("closed", "open", "half_open", "forced_open", "disabled")
KEY_STATES = ("ready", "suspect", "invalid", "exhausted")
Parameters = dict[str, Any]

COOLDOWN: LiteralString = """
    INSERT INTO rotation_cooldown AS old (scope, until, kind, reason, set_at)
    VALUES (%(scope)s, %(until)s, %(kind)s, %(reason)s, %(at)s)
    ON CONFLICT (scope) DO UPDATE
    SET until = excluded.until, kind = excluded.kind, reason = excluded.reason, set_at = excluded.set_at
    WHERE old.set_at <= excluded.set_at"""

TRIP: LiteralString = """
    INSERT INTO rotation_trip (at, scope, before, after, reason, request_id)
    VALUES (%(at)s, %(scope)s, %(before)s, %(after)s, %(reason)s, %(request)s)"""

BREAKER: LiteralString = """
    INSERT INTO rotation_breakerstate AS old (scope, state, until, opens, changed_at)
    VALUES (%(scope)s, %(after)s, %(until)s, %(opens)s, %(at)s)
    ON CONFLICT (scope) DO UPDATE
    SET state = excluded.state, until = excluded.until, opens = excluded.opens, changed_at = excluded.changed_at
    WHERE old.changed_at <= excluded.changed_at"""

LIMIT: LiteralString = """
    INSERT INTO rotation_learnedlimit AS old (scope, axis, "limit", window_s, source, seen_at)
    VALUES (%(scope)s, %(axis)s, %(limit)s, %(window)s, %(source)s, %(at)s)
    ON CONFLICT (scope, axis, window_s) DO UPDATE
    SET "limit" = excluded."limit", source = excluded.source, seen_at = excluded.seen_at
    WHERE old.seen_at <= excluded.seen_at"""

KEY: LiteralString = """
    UPDATE rotation_key SET state = %(state)s, state_reason = %(reason)s, state_since = %(at)s
    WHERE id = %(key)s AND state <> %(state)s AND (state_since IS NULL OR state_since <= %(at)s)"""

GONE: LiteralString = """
    UPDATE rotation_deployment SET status = 'gone', status_reason = %(reason)s
    WHERE id = %(deployment)s AND status <> 'gone' AND (listed_at IS NULL OR listed_at < %(at)s)"""

LACK: LiteralString = """
    UPDATE rotation_deployment SET lacks = array_append(lacks, %(feature)s)
    WHERE id = %(deployment)s AND NOT %(feature)s = ANY(lacks)"""

#: What the gateway suspects of two accounts is for a person to read, once.
TWINS: LiteralString = """
    INSERT INTO rotation_auditevent (at, actor, door, action, object_type, object_id, about, after)
    SELECT %(at)s, 'gateway', '', 'propose as one account', 'account', %(one)s::text,
        coalesce((SELECT label FROM rotation_account WHERE id = %(one)s), ''), jsonb_build_object(
        'same_as', %(other)s::bigint, 'proofs', %(proofs)s::int, 'against', %(against)s::int,
        'why', 'what either is told of its remaining requests falls by what the other uses')
    WHERE NOT EXISTS (
        SELECT FROM rotation_auditevent
        WHERE object_type = 'account' AND object_id = %(one)s::text AND action = 'propose as one account'
        AND after->'same_as' = to_jsonb(%(other)s::bigint))"""

# At most once a minute per client: nobody reads it more finely, and a busy client is one row.
CLIENT_SEEN: LiteralString = """
    UPDATE rotation_clientkey SET last_used_at = %(at)s
    WHERE id = %(client)s AND (last_used_at IS NULL OR last_used_at < %(at)s - interval '60 seconds')"""


def _cooldown(record: Mapping[str, Any]) -> Parameters:
    return {
        "scope": _scope(record),
        "until": moment(record.get("until")),
        "kind": text(record.get("kind"), WORD),
        "reason": text(record.get("reason"), SENTENCE),
        "at": moment(record.get("at")),
    }


def _breaker(record: Mapping[str, Any]) -> Parameters:
    return {
        "scope": _scope(record),
        "before": _state(record.get("before"), BREAKER_STATES),
        "after": _state(record.get("after"), BREAKER_STATES),
        "until": moment_or_none(record.get("until")),
        "opens": whole(record.get("opens")),
        "reason": text(record.get("reason"), SENTENCE),
        "request": uuid_or_none(record.get("request")),
        "at": moment(record.get("at")),
    }


def _limit(record: Mapping[str, Any]) -> Parameters:
    return {
        "scope": _scope(record),
        "axis": text(record.get("axis"), WORD),
        "limit": number(record.get("limit")),
        "window": number(record.get("window")),
        "source": text(record.get("source"), WORD),
        "at": moment(record.get("at")),
    }


def _key(record: Mapping[str, Any]) -> Parameters:
    return {
        "key": row_id(record.get("key")),
        "state": _state(record.get("state"), KEY_STATES),
        "reason": text(record.get("reason"), SENTENCE),
        "at": moment(record.get("at")),
    }


def _deployment(record: Mapping[str, Any]) -> Parameters:
    _state(record.get("status"), {"gone"})
    return {
        "deployment": row_id(record.get("deployment")),
        "reason": text(record.get("reason"), SENTENCE),
        "at": moment(record.get("at")),
    }


def _lack(record: Mapping[str, Any]) -> Parameters:
    return {"deployment": row_id(record.get("deployment")), "feature": text(record.get("feature"), WORD)}


def _twins(record: Mapping[str, Any]) -> Parameters:
    ids = {name: row_id(record.get(name)) for name in ("one", "other")}
    counts = {name: whole(record.get(name)) for name in ("proofs", "against")}
    return {**ids, **counts, "at": moment(record.get("at"))}


def _state(value: object, known: Collection[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise Unfit(f"unknown state {str(value)[:40]!r}")
    return value


def _scope(record: Mapping[str, Any]) -> str:
    scope = text(record.get("scope"), SCOPE)
    if not scope:
        raise Unfit("no scope")
    return scope


#: Record type -> how to read it, and what it does.
EVENTS: Mapping[str, tuple[Callable[[Mapping[str, Any]], Parameters], tuple[LiteralString, ...]]] = {
    "cooldown": (_cooldown, (COOLDOWN,)),
    "breaker": (_breaker, (TRIP, BREAKER)),
    "limit": (_limit, (LIMIT,)),
    "key": (_key, (KEY,)),
    "deployment": (_deployment, (GONE,)),
    "lack": (_lack, (LACK,)),
    "twins": (_twins, (TWINS,)),
}
