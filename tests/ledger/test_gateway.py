"""What the gateway writes, the ledger can read: real calls, their rows, nothing set aside."""

from __future__ import annotations

import json
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from rotation.core.policy import BALANCED
from rotation.simulator.serve import running
from tests.cast import ALICE, Offer, serving, snapshot_of, wait_for

FIRST, SECOND = "meta-llama/llama-3.3-8b-instruct:free", "meta-llama/llama-3.3-70b-instruct:free"


def ask(url: str, **body: Any) -> int:
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=30)
    asked = {"model": "auto", "messages": [{"role": "user", "content": "hello"}], **body}
    headers = {"authorization": f"Bearer {ALICE}", "content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(asked), headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


@pytest.mark.timeout(120)
def test_real_calls_become_rows(directory: Path, once: Any, sql: psycopg.Connection) -> None:
    with running(speed=200, limits=False) as sim:
        offers = [Offer("openrouter", FIRST), Offer("openrouter", SECOND)]
        with serving(snapshot_of(sim.url, offers, policy=replace(BALANCED, patience=0.1)), directory) as gateway:
            assert ask(gateway.url) == 200
            assert ask(gateway.url, stream=True) == 200
            sim.faults({"fault": "overloaded", "model": FIRST})
            assert ask(gateway.url) == 200
            sim.faults({"fault": "rate_limit", "model": FIRST}, {"fault": "key_revoked", "model": SECOND})
            ask(gateway.url)
            assert ask(gateway.url, model="no-such-model") == 404
            wait_for(lambda: len(gateway.records()) >= 4)
            calls = gateway.records()
            lines = sum(path.read_bytes().count(b"\n") for path in directory.glob("*.jsonl"))
            ledger = once()
    assert (ledger.bad, ledger.written) == (0, lines)
    stored = sql.execute(
        "SELECT id::text, attempts, outcome, total_ms, trace FROM rotation_request ORDER BY at"
    ).fetchall()
    told = sorted(calls, key=lambda call: call["at"])
    assert stored == [(c["id"], len(c["attempts"]), c["outcome"], c["total_ms"], c["trace"]) for c in told]
    found = sql.execute("SELECT count(*), bool_and(simulated) FROM rotation_attempt").fetchone()
    assert found == (sum(len(call["attempts"]) for call in calls), True)
    rotated = sql.execute("SELECT sum(rotated) FROM rotation_callminute").fetchone()
    assert rotated is not None
    assert rotated[0] >= 1
