"""The journal directory: whole lines, in order, in bounded pieces; damage is told apart from what is still growing."""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pytest

from rotation.ledger import files
from rotation.ledger.files import Entry, Journal
from rotation.ledger.lines import Bad, encode
from tests.ledger.journals import Writer

NAME = "19a9e0000001234-000000.jsonl"


@pytest.fixture
def journal(directory: Path) -> Journal:
    return Journal(directory)


def numbers(entries: list[Entry]) -> list[object]:
    return [entry.record.why if isinstance(entry.record, Bad) else entry.record["n"] for entry in entries]


def test_lines_come_in_the_order_of_names_and_of_writing(journal: Journal, directory: Path) -> None:
    for boot, first in (("b", 2), ("a", 0)):
        writer = Writer(directory, boot)
        writer.write({"n": first}, {"n": first + 1})
        writer.close()
    assert numbers(journal.read({})) == [0, 1, 2, 3]
    assert numbers(journal.read({"a-000000.jsonl": len(encode({"n": 0}))})) == [1, 2, 3]


def test_a_batch_is_bounded_and_the_next_goes_on_where_it_ended(
    journal: Journal, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PIECE", 64)
    monkeypatch.setattr(files, "MOST_BYTES", 200)
    for n in range(100):
        writer.write({"n": n})
    seen: list[object] = []
    offset = 0
    while entries := journal.read({NAME: offset}, 7):
        assert len(entries) <= 7
        assert entries[0].start == offset
        seen += numbers(entries)
        offset = entries[-1].end
    assert seen == list(range(100))


def test_a_line_longer_than_a_piece_is_read_whole(
    journal: Journal, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PIECE", 64)
    writer.write({"n": "x" * 1000}, {"n": 1})
    assert numbers(journal.read({})) == ["x" * 1000, 1]


def test_a_half_written_line_waits_for_its_rest(journal: Journal, writer: Writer) -> None:
    line = encode({"n": 1})
    writer.write({"n": 0})
    writer.write_bytes(line[:12])
    assert numbers(journal.read({})) == [0]
    writer.write_bytes(line[12:])
    assert numbers(journal.read({})) == [0, 1]


def test_a_torn_tail_is_bad_once_its_writer_is_gone(journal: Journal, writer: Writer) -> None:
    writer.write({"n": 0})
    writer.write_bytes(encode({"n": 1})[:-5])
    offset = len(encode({"n": 0}))
    assert journal.read({NAME: offset}) == []
    writer.close()
    torn = journal.read({NAME: offset})
    assert numbers(torn) == ["torn: its writer ended in mid-line"]
    assert torn[0].end == writer.path.stat().st_size


def test_a_damaged_line_does_not_hide_its_neighbours(journal: Journal, writer: Writer) -> None:
    writer.write({"n": 0})
    writer.write_bytes(b"rubbish\n\n\xff\xfe" + encode({"n": 1})[2:])
    writer.write({"n": 2})
    read = numbers(journal.read({}))
    assert (read[0], read[-1]) == (0, 2)
    assert all(isinstance(why, str) for why in read[1:-1])
    assert len(read) == 5


def test_a_flood_without_a_newline_is_bounded(
    journal: Journal, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PIECE", 64)
    monkeypatch.setattr(files, "LONGEST", 256)
    writer.write_bytes(b"x" * 1000 + b"\n" + encode({"n": 1}))
    read = journal.read({})
    assert numbers(read)[-1] == 1
    assert [entry.end - entry.start for entry in read[:3]] == [256, 256, 256]


def test_a_file_is_finished_when_it_is_read_and_its_writer_is_gone(journal: Journal, writer: Writer) -> None:
    writer.write({"n": 0})
    size = writer.path.stat().st_size
    assert journal.finished({NAME: size}) == []
    writer.close()
    assert journal.finished({}) == []
    assert journal.finished({NAME: size}) == [NAME]
    assert journal.finished({NAME: size + 99}) == [NAME], "a tail lost with the power was written to the database"


def test_a_new_empty_file_is_left_to_its_writer(journal: Journal, directory: Path) -> None:
    path = directory / NAME
    path.touch()
    assert journal.finished({}) == []
    os.utime(path, (0, 0))
    assert journal.finished({}) == [NAME]


def test_what_is_set_aside_is_kept_once(journal: Journal) -> None:
    damaged = Entry(NAME, 10, 20, Bad(b"\xff\x00rubbish", "checksum does not match"))
    refused = Entry(NAME, 20, 30, {"t": "call"})
    for _ in range(3):
        for entry in (damaged, refused):
            journal.set_aside(entry, "because")
    kept = [orjson.loads(line) for line in (journal.bad / NAME).read_bytes().splitlines()]
    assert [(k["start"], k["why"], k["line"]) for k in kept] == [
        (10, "because", "\\xff\x00rubbish"),
        (20, "because", {"t": "call"}),
    ]


def test_a_directory_has_an_identity_of_its_own(tmp_path: Path) -> None:
    here, there = Journal(tmp_path / "a"), Journal(tmp_path / "b")
    assert here.identity() == Journal(tmp_path / "a").identity()
    assert here.identity() != there.identity()
