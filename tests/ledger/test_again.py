"""What was set aside is read once more, exactly once, whenever the command is killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command

from rotation.ledger import again, batch
from rotation.ledger.clean import Unfit
from rotation.ledger.files import Journal
from rotation.ledger.lines import encode
from tests.ledger.journals import Writer, call

TRIP = {"t": "breaker", "at": 1_763_640_000.0, "scope": "deployment:1", "before": "closed", "after": "open",
        "until": None, "opens": 1, "reason": "", "request": None}  # fmt: skip
COUNTS = """SELECT (SELECT count(*) FROM rotation_request), (SELECT sum(calls) FROM rotation_callday),
    (SELECT count(*) FROM rotation_trip)"""


@pytest.fixture
def set_aside(writer: Writer, once: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three lines that an older ledger could not read, and one that is damaged for good."""

    def cannot(*_: Any) -> Any:
        raise Unfit("a shape nobody thought of")

    with monkeypatch.context() as broken:
        broken.setattr(batch, "call_of", cannot)
        broken.setattr(batch, "EVENTS", {"breaker": (cannot, ())})
        writer.write(call(), call(error="Grüße\u0000 <b>"), TRIP)
        writer.write_bytes(b"00000000 {}\n")
        assert once().bad == 4


def test_lines_set_aside_are_rows_after_the_mend_and_damage_stays(
    set_aside: None, directory: Path, once: Any, sql: psycopg.Connection
) -> None:
    assert again.put_back(Journal(directory)) == 4
    assert (once().written, once().written) == (3, 0)
    assert sql.execute(COUNTS).fetchall() == [(2, 2, 1)]
    (left,) = (directory / "bad").iterdir()
    assert left.read_bytes().count(b"\n") == 1


def test_killed_in_between_nothing_is_read_twice(
    set_aside: None, directory: Path, once: Any, sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            again.put_back(Journal(directory))
    once()
    again.put_back(Journal(directory))
    once()
    assert sql.execute(COUNTS).fetchall() == [(2, 2, 1)]


def test_a_prompt_does_not_lie_in_a_file_of_lines_set_aside(writer: Writer, once: Any, directory: Path) -> None:
    writer.write(call(prompt="sealed-but-still", id="nonsense"))
    assert once().bad == 1
    assert b"sealed-but-still" not in b"".join(p.read_bytes() for p in (directory / "bad").iterdir())


def test_the_command_says_what_it_put_back(tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.ROTATION_JOURNAL_DIR = tmp_path
    call_command("ledger", "--again")
    bad = tmp_path / "bad" / "x-000000.jsonl"
    bad.write_bytes(b'{"start": 0, "end": 9, "why": "?", "line": {"t": "call"}}\nnot json at all\n')
    call_command("ledger", "--again")
    assert capsys.readouterr().out.splitlines() == [
        "No line is set aside.", "2 lines that were set aside are read once more by the ledger.",
    ]  # fmt: skip
    (back,) = tmp_path.glob("*.jsonl")
    assert back.read_bytes() == encode({"t": "call"}) + b"not json at all\n"
