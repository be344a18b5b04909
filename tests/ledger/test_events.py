"""Health records change the control plane's tables; an older one never undoes a newer one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from tests.ledger.journals import NOON, Writer, call


@pytest.fixture
def ids(sql: psycopg.Connection) -> dict[str, int]:
    """A provider with one key and one deployment, and a client key."""
    one = "SELECT %s::int"

    def made(statement: str, *values: object) -> int:
        found = sql.execute(statement, values).fetchone() or sql.execute(one, [0]).fetchone()
        assert found is not None
        return int(found[0])

    then = datetime.fromtimestamp(NOON - 86_400, UTC)
    provider = made(
        "INSERT INTO rotation_provider (kind, name, label, base_url, enabled, simulated, priority, options, created_at)"
        " VALUES ('generic', 'p', 'P', 'http://localhost/v1', true, false, 1, '{}', %s) RETURNING id",
        then,
    )
    account = made(
        "INSERT INTO rotation_account (provider_id, label, plan, enabled, verify_share)"
        " VALUES (%s, 'main', '', true, 0.2) RETURNING id",
        provider,
    )
    key = made(
        "INSERT INTO rotation_key (account_id, sealed, last4, fingerprint, label, enabled, state, state_reason,"
        " state_since, source) VALUES (%s, '', '', 'f', '', true, 'ready', '', %s, 'admin') RETURNING id",
        account,
        then,
    )
    deployment = made(
        "INSERT INTO rotation_deployment (provider_id, model_id, label, family, input_modalities, reasoning,"
        " price_source, free, status, status_reason, tags, lacks, missed, created_at)"
        " VALUES (%s, 'm', '', '', '{text}', false, '', true, 'verified', '', '{}', '{}', 0, %s) RETURNING id",
        provider,
        then,
    )
    client = made(
        "INSERT INTO rotation_clientkey (label, prefix, last4, digest, enabled, internal, pools, created_at)"
        " VALUES ('c', 'p', 'l', 'd', true, false, '{}', %s) RETURNING id",
        then,
    )
    return {"key": key, "deployment": deployment, "client": client}


def rows(sql: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    return sql.execute(query).fetchall()


def test_the_later_cooldown_stays_whichever_is_read_first(writer: Writer, once: Any, sql: psycopg.Connection) -> None:
    first = {"t": "cooldown", "at": NOON, "scope": "key:1", "until": NOON + 60, "kind": "rate_limited", "reason": "a"}
    lifted = {"t": "cooldown", "at": NOON + 9, "scope": "key:1", "until": NOON + 9, "kind": "", "reason": "lifted"}
    writer.write(lifted, first)
    once()
    assert rows(sql, "SELECT scope, until, reason FROM rotation_cooldown") == [
        ("key:1", datetime.fromtimestamp(NOON + 9, UTC), "lifted")
    ]


def test_every_trip_is_kept_and_the_state_is_the_latest(writer: Writer, once: Any, sql: psycopg.Connection) -> None:
    base: dict[str, Any] = {
        "t": "breaker",
        "scope": "deployment:1",
        "opens": 1,
        "reason": "5 in a row",
        "request": None,
    }
    writer.write(
        base | {"at": NOON, "before": "closed", "after": "open", "until": NOON + 30},
        base | {"at": NOON + 30, "before": "open", "after": "half_open", "until": None, "request": call()["id"]},
    )
    once()
    assert rows(sql, "SELECT before, after FROM rotation_trip ORDER BY at") == [
        ("closed", "open"),
        ("open", "half_open"),
    ]
    assert rows(sql, "SELECT state, until, opens FROM rotation_breakerstate") == [("half_open", None, 1)]


def test_a_learned_limit_is_one_row_per_window(writer: Writer, once: Any, sql: psycopg.Connection) -> None:
    base = {"t": "limit", "scope": "account:1", "axis": "requests", "source": "header"}
    writer.write(
        base | {"at": NOON, "limit": 30, "window": 60},
        base | {"at": NOON + 1, "limit": 20, "window": 60},
        base | {"at": NOON + 1, "limit": 1000, "window": 86400},
    )
    once()
    assert rows(sql, 'SELECT window_s, "limit" FROM rotation_learnedlimit ORDER BY 1') == [(60, 20), (86400, 1000)]


def test_a_key_a_deployment_and_a_lack_are_noted(
    writer: Writer, once: Any, sql: psycopg.Connection, ids: dict[str, int]
) -> None:
    deployment = ids["deployment"]
    writer.write(
        {"t": "key", "at": NOON, "key": ids["key"], "state": "suspect", "reason": "401"},
        {"t": "deployment", "at": NOON, "deployment": deployment, "status": "gone", "reason": "no such model"},
        {"t": "lack", "at": NOON, "deployment": deployment, "feature": "tools"},
        {"t": "lack", "at": NOON, "deployment": deployment, "feature": "tools"},
        {"t": "key", "at": NOON, "key": 999_999, "state": "invalid", "reason": "of a key that is deleted"},
        {"t": "key", "at": NOON - 10, "key": ids["key"], "state": "ready", "reason": "older"},
    )
    assert once().bad == 0
    assert rows(sql, "SELECT state, state_reason FROM rotation_key") == [("suspect", "401")]
    assert rows(sql, "SELECT status, status_reason, lacks FROM rotation_deployment") == [
        ("gone", "no such model", ["tools"])
    ]


def test_a_deployment_listed_since_is_not_marked_gone_by_an_old_line(
    writer: Writer, once: Any, sql: psycopg.Connection, ids: dict[str, int]
) -> None:
    sql.execute("UPDATE rotation_deployment SET listed_at = %s", [datetime.fromtimestamp(NOON + 1, UTC)])
    writer.write({"t": "deployment", "at": NOON, "deployment": ids["deployment"], "status": "gone", "reason": ""})
    once()
    assert rows(sql, "SELECT status FROM rotation_deployment") == [("verified",)]


def test_a_client_is_seen_at_its_last_call(
    writer: Writer, once: Any, sql: psycopg.Connection, ids: dict[str, int]
) -> None:
    version = rows(sql, "SELECT version FROM rotation_configversion")
    writer.write(call(client=ids["client"], at=NOON + 5), call(client=ids["client"], at=NOON))
    once()
    writer.write(call(client=ids["client"], at=NOON + 30))
    once()
    assert rows(sql, "SELECT last_used_at FROM rotation_clientkey") == [(datetime.fromtimestamp(NOON + 5, UTC),)]
    assert rows(sql, "SELECT version FROM rotation_configversion") == version, "a call is no change of configuration"


def test_two_accounts_that_may_be_one_are_proposed_once(writer: Writer, once: Any, sql: psycopg.Connection) -> None:
    for at, one, other in ((0, 3, 8), (5, 3, 8), (6, 3, 9)):
        writer.write({"t": "twins", "at": NOON + at, "one": one, "other": other, "proofs": 16, "against": 1})
    writer.write({"t": "twins", "at": NOON, "one": "three", "other": 8})
    ledger = once()
    assert (ledger.written, ledger.bad) == (3, 1)
    found = sql.execute(
        "SELECT actor, action, object_type, object_id, after->'same_as', after->'proofs' FROM rotation_auditevent"
    ).fetchall()
    assert found == [("gateway", "propose as one account", "account", "3", other, 16) for other in (8, 9)]
