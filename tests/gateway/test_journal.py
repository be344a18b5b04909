"""Whatever happens to the disk: no call fails by it, lines keep their order, and what was lost is counted."""

from __future__ import annotations

import fcntl
import logging
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rotation.gateway import journal as module
from rotation.gateway.journal import Journal
from rotation.ledger.lines import Bad, decode


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    kept = Journal(tmp_path / "journal", file_bytes=1000)
    yield kept
    kept.close()


def files(journal: Journal) -> list[Path]:
    return sorted(journal.directory.glob("*.jsonl"))


def lines(journal: Journal) -> list[dict[str, Any] | Bad]:
    """Every line of every file, in order, as the ledger would read them."""
    return [decode(line) for path in files(journal) for line in path.read_bytes().splitlines(keepends=True)]


def numbers(journal: Journal) -> list[int]:
    return [line["n"] for line in lines(journal) if isinstance(line, dict)]


def locked(path: Path) -> bool:
    """Whether somebody writes to this file, asked as the ledger asks."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def full(journal: Journal, *, room: int = 0) -> Iterator[None]:
    """A disk with so many bytes left: files of this process cannot grow any further."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = files(journal)[-1].stat().st_size if files(journal) else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


HOSTILE: list[Any] = [
    "plain", "new\nline\r\n", "\x00", "\ud800 alone", "😀" * 3000, float("nan"), float("inf"), 2**70, b"bytes",
    {"a": [1, {"b": None}]},
]  # fmt: skip


def test_every_line_decodes_whatever_stands_in_it(journal: Journal) -> None:
    for text in HOSTILE:
        journal.write({"t": "call", "text": text})
    found = lines(journal)
    assert len(found) == len(HOSTILE)
    assert all(isinstance(line, dict) and line["t"] == "call" for line in found)
    assert isinstance(found[0], dict)
    assert found[0]["text"] == "plain"


def test_a_new_file_begins_when_the_current_one_is_full_and_files_sort_by_time(journal: Journal) -> None:
    for n in range(60):
        journal.write({"t": "call", "n": n, "text": "x" * 40})
    assert len(files(journal)) > 3
    assert all(path.stat().st_size <= 1000 for path in files(journal))
    assert numbers(journal) == list(range(60))


def test_a_line_longer_than_a_file_has_a_file_of_its_own(journal: Journal) -> None:
    for n, length in enumerate((10, 5000, 10)):
        journal.write({"t": "call", "n": n, "text": "x" * length})
    assert numbers(journal) == [0, 1, 2]
    assert len(files(journal)) == 3


def test_only_the_current_file_is_locked_and_none_after_the_end(journal: Journal) -> None:
    for n in range(40):
        journal.write({"t": "call", "n": n, "text": "x" * 40})
    *finished, current = files(journal)
    assert finished
    assert not any(locked(path) for path in finished)
    assert locked(current)
    journal.close()
    assert not locked(current)


def test_files_are_for_their_owner_only(journal: Journal) -> None:
    journal.write({"t": "call"})
    assert stat.S_IMODE(files(journal)[0].stat().st_mode) == 0o600


def test_two_journals_in_one_directory_do_not_share_a_file(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from rotation.gateway.journal import Journal;"
        "Journal(Path(sys.argv[1])).write({'t': 'call', 'n': 1})"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, timeout=60)
    mine = Journal(tmp_path)
    mine.write({"t": "call", "n": 2})
    mine.close()
    assert len(files(mine)) == 2
    assert sorted(numbers(mine)) == [1, 2]


# a full disk


def test_what_cannot_be_written_waits_in_memory_and_is_written_in_order_later(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    journal.write({"t": "call", "n": 0})
    with full(journal):
        for n in range(1, 6):
            journal.write({"t": "call", "n": n})
        assert not journal.flush()
        assert numbers(journal) == [0]
    journal.write({"t": "call", "n": 6})
    assert numbers(journal) == list(range(7))
    assert journal.flush()
    assert journal.dropped == 0
    complaints = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len(complaints) == 1
    assert "1 lines wait in memory, 0 dropped" in complaints[0]


def test_what_waits_is_written_without_another_call(journal: Journal) -> None:
    with full(journal):
        journal.write({"t": "call", "n": 1})
        journal.write({"t": "call", "n": 2})
    assert journal.flush()
    assert numbers(journal) == [1, 2]


def test_closing_writes_what_waits(journal: Journal) -> None:
    with full(journal):
        journal.write({"t": "call", "n": 1})
    journal.close()
    assert numbers(journal) == [1]


@pytest.mark.parametrize("room", [1, 9, 20])
def test_a_torn_line_stands_alone_and_is_written_anew(journal: Journal, room: int) -> None:
    journal.write({"t": "call", "n": 0})
    with full(journal, room=room):
        journal.write({"t": "call", "n": 1})
    journal.write({"t": "call", "n": 2})
    found = lines(journal)
    assert numbers(journal) == [0, 1, 2]
    assert [line for line in found if isinstance(line, Bad)] == [found[1]]
    assert not files(journal)[0].read_bytes().endswith(b"\n")


def test_memory_is_bounded_the_oldest_lines_go_first_and_are_counted(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_BYTES", 1000)
    with full(journal):
        for n in range(100):
            journal.write({"t": "call", "n": n})
        assert journal._waiting_bytes <= 1000
    assert journal.flush()
    kept = numbers(journal)
    assert 10 < len(kept) < 60
    assert kept == list(range(100 - len(kept), 100))
    assert journal.dropped == 100 - len(kept)
    assert journal._waiting_bytes == 0


def test_a_directory_that_cannot_be_made_is_waited_for(tmp_path: Path) -> None:
    blocked = tmp_path / "journal"
    blocked.write_text("a file stands here")
    journal = Journal(blocked)
    for n in range(3):
        journal.write({"t": "call", "n": n})
    blocked.unlink()
    journal.write({"t": "call", "n": 3})
    assert numbers(journal) == [0, 1, 2, 3]
    journal.close()


def test_waiting_for_a_disk_opens_no_more_files(tmp_path: Path) -> None:
    blocked = tmp_path / "journal"
    blocked.write_text("a file stands here")
    journal = Journal(blocked)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for n in range(20):
        journal.write({"t": "call", "n": n})
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    journal.close()


def test_a_file_somebody_else_has_locked_is_passed_over_and_never_waited_for(journal: Journal) -> None:
    """A ledger that was frozen just as it looked, or a namesake made in the same millisecond."""
    twin = Journal(journal.directory)
    twin._boot = journal._boot
    journal.write({"t": "call", "n": 1})
    twin.write({"t": "call", "n": 2})
    assert numbers(journal) == [1, 2]
    assert len(files(journal)) == 2
    twin.close()
