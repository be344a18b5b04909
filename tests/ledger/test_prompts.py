"""Prompts are stored only while the operator wants them, and gone the moment he does not."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from rotation.ledger.rows import LONGEST_PROMPT
from tests.ledger.journals import Writer, call

ON = "INSERT INTO rotation_switch (name, value) VALUES ('keep_prompts', 'true')"
KEPT = "SELECT request_id::text, sealed FROM rotation_keptprompt"


def test_a_prompt_is_kept_once_while_the_switch_is_on(writer: Writer, once: Any, sql: psycopg.Connection) -> None:
    told = call(prompt="gAAAA")
    writer.write(told)
    once()
    assert sql.execute(KEPT).fetchall() == []  # never chosen: never kept
    sql.execute(ON)
    later = call(prompt="gBBBB")
    writer.write(later, told, call(), call(prompt="x" * (LONGEST_PROMPT + 1)))
    once()
    assert sql.execute(KEPT).fetchall() == [(later["id"], "gBBBB")]


@pytest.mark.parametrize("end", ["UPDATE rotation_switch SET value = 'false'", "DELETE FROM rotation_switch"])
def test_turned_off_all_are_erased_at_once(end: str, writer: Writer, once: Any, sql: psycopg.Connection) -> None:
    sql.execute(ON)
    writer.write(call(prompt="gAAAA"))
    once()
    sql.execute("INSERT INTO rotation_switch (name, value) VALUES ('status_page', 'true')")
    assert len(sql.execute(KEPT).fetchall()) == 1
    sql.execute(end)
    assert sql.execute(KEPT).fetchall() == []
