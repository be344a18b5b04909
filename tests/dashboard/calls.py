"""Calls as the journal says them, written by the ledger's own writer; and the texts nobody should trust."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from rotation.ledger.batch import prepare, write_calls
from rotation.ledger.rows import call_of
from rotation.models import Deployment, Key

PASSWORD = "correct horse battery"
HOSTILE = "\"><script>alert('x')</script><img src=x onerror=alert(1)>{{ 7|add:7 }}\u202etxt" + "x" * 9_000


def attempt(
    deployment: Deployment, *, n: int = 1, outcome: str = "ok", start: float = 0.5, total: float = 800, **more: Any
) -> dict[str, Any]:
    """An attempt as the journal says it."""
    key = Key.objects.filter(account__provider=deployment.provider).order_by("pk").first()
    assert key is not None
    ok = outcome == "ok"
    return {
        "id": str(uuid4()), "n": n, "provider": deployment.provider_id, "deployment": deployment.pk,
        "account": key.account_id, "key": key.pk, "model": deployment.model_id, "outcome": outcome,
        "status": 200 if ok else 429, "blame": None if ok else "account_model",
        "message": "" if ok else "Rate limit exceeded", "retry_after": None, "start_ms": start, "connect_ms": 12.0,
        "first_ms": total / 3 if ok else None, "total_ms": total, "tokens_in": 100 if ok else 0,
        "tokens_out": 50 if ok else 0, "cost": 0.0 if ok else None, **more,
    }  # fmt: skip


def call(attempts: Sequence[dict[str, Any]], *, at: datetime | None = None, **more: Any) -> dict[str, Any]:
    """A call as the journal says it, answered by its last attempt if that is ok."""
    last = attempts[-1] if attempts else {}
    ok = last.get("outcome") == "ok"
    return {
        "t": "call", "id": str(uuid4()), "at": (at or timezone.now()).timestamp(), "client": None, "op": "chat",
        "asked": "auto", "pool": "auto", "stream": True, "status": 200 if ok else 503,
        "outcome": "answered" if ok else "failed", "failure": None if ok else last.get("outcome", "overloaded"),
        "provider": last.get("provider"), "deployment": last.get("deployment"), "key": last.get("key"),
        "model": last.get("model", "") if ok else "", "queue_ms": 0.5, "first_ms": last.get("first_ms"),
        "total_ms": sum(a["total_ms"] for a in attempts) + 0.5,
        "lost_ms": sum(a["total_ms"] for a in attempts if a["outcome"] != "ok"),
        "tokens_in": last.get("tokens_in", 0), "tokens_out": last.get("tokens_out", 0), "estimated": False,
        "cost": last.get("cost"), "simulated": True, "error": "" if ok else "nothing answered", "trace": [],
        "attempts": list(attempts), **more,
    }  # fmt: skip


def ledger(records: Iterable[dict[str, Any]]) -> list[UUID]:
    """Writes calls the way the ledger does, in this test's transaction; their ids."""
    calls = [call_of(record) for record in records]
    connection.ensure_connection()
    raw = connection.connection
    prepare(raw)
    with raw.transaction(), raw.cursor() as cursor:
        write_calls(cursor, calls)
    return [one.request.id for one in calls]
