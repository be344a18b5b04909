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

from rotation import prompts
from rotation.core.policy import BALANCED
from rotation.simulator.serve import running
from tests.cast import ALICE, Offer, serving, snapshot_of, wait_for

FIRST, SECOND = "meta-llama/llama-3.3-8b-instruct:free", "meta-llama/llama-3.3-70b-instruct:free"


MARKER = "the-plan-nobody-may-know"


def ask(url: str, **body: Any) -> int:
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=30)
    asked = {"model": "auto", "messages": [{"role": "user", "content": f"hello {MARKER}"}], **body}
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


def everywhere(sql: psycopg.Connection, directory: Path) -> str:
    """Everything that is stored: every row of every table, every byte of every file."""
    query = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'rotation_%'"
    tables = [name for (name,) in sql.execute(query).fetchall()]
    rows = [sql.execute(f'SELECT string_agg(t::text, chr(10)) FROM "{table}" AS t').fetchone() for table in tables]
    files = [path.read_bytes().decode("latin-1") for path in directory.rglob("*") if path.is_file()]
    assert len(tables) >= 40
    return str([*rows, *files])


@pytest.mark.timeout(120)
def test_no_byte_of_a_prompt_is_anywhere_unless_the_operator_wants_it_kept(
    directory: Path, once: Any, sql: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with running(speed=200, limits=False) as sim:
        offers = [Offer("openrouter", FIRST), Offer("openrouter", SECOND)]
        snapshot = snapshot_of(sim.url, offers, policy=replace(BALANCED, patience=0.1))
        with serving(snapshot, directory) as gateway:

            def calls() -> str:
                """One of every end; what is stored, while the journal is there and after the ledger has read it."""
                sim.faults({"fault": "overloaded", "model": FIRST})
                told = [ask(gateway.url), ask(gateway.url, stream=True), ask(gateway.url, model="nobody")]
                told.append(ask(gateway.url, temperature=MARKER))
                assert told == [200, 200, 404, 400]
                before = everywhere(sql, directory)
                once()
                return before + everywhere(sql, directory)

            stored = calls()
            assert MARKER not in stored
            assert '"prompt": ' not in stored
            assert '"prompt":"' not in stored
            sql.execute("INSERT INTO rotation_switch (name, value) VALUES ('keep_prompts', 'true')")
            gateway.loop.call_soon_threadsafe(gateway.gate.adopt, replace(snapshot, switches={"keep_prompts": True}))
            wait_for(lambda: gateway.gate.snapshot.keeps_prompts)
            assert MARKER not in calls(), "sealed"
            kept = sql.execute("SELECT sealed FROM rotation_keptprompt").fetchall()
            assert len(kept) == 2
            assert all(MARKER in str(prompts.unpacked(sealed).body) for (sealed,) in kept)
            sql.execute("UPDATE rotation_switch SET value = 'false'")
            gateway.loop.call_soon_threadsafe(gateway.gate.adopt, snapshot)
            wait_for(lambda: not gateway.gate.snapshot.keeps_prompts)
            stored = calls()
            once()
            assert not any(sealed in everywhere(sql, directory) for (sealed,) in kept)
    assert sql.execute("SELECT count(*) FROM rotation_keptprompt").fetchone() == (0,)
    assert MARKER not in caplog.text
