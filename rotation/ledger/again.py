"""Set-aside lines, put back to be read once more: after a mend, what nobody could use may be rows after all.

What lies in `bad/` becomes a journal file of its own, which any ledger, one at work too, reads by the usual rules. Its
name is made of what it holds, so that killed in the middle and begun anew it is the same file, read as far as it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import orjson

from rotation.ledger.files import Journal
from rotation.ledger.lines import encode

TAKEN = ".again"  # what is being put back: the ledger may begin the file of that name anew meanwhile


def put_back(journal: Journal) -> int:
    """Every line of `bad/` into new journal files; how many. What still cannot be used is set aside again."""
    lines = 0
    for path in sorted(journal.bad.glob(f"*.jsonl{TAKEN}")):  # left by one that was killed
        lines += _carry(journal, path)
    for path in sorted(journal.bad.glob("*.jsonl")):
        taken = path.with_name(path.name + TAKEN)
        path.rename(taken)
        lines += _carry(journal, taken)
    return lines


def _carry(journal: Journal, taken: Path) -> int:
    lines = list(_lines(taken.read_bytes()))
    whole = b"".join(lines)
    name = f"{taken.name.removesuffix(f'.jsonl{TAKEN}')}-{crc32(whole):08x}.jsonl"
    draft = journal.directory / f".{name}.{os.getpid()}"
    if lines:
        draft.write_bytes(whole)
        draft.chmod(0o600)
        draft.replace(journal.directory / name)
    taken.unlink()
    return len(lines)


def _lines(kept: bytes) -> Iterator[bytes]:
    """The journal lines in a file of `bad/`: a record that could not be written, or the text of a damaged line."""
    for row in kept.splitlines():
        try:
            line = orjson.loads(row)["line"]
        except (orjson.JSONDecodeError, KeyError, TypeError):  # the disk was full, or somebody edited it
            line = row.decode("utf-8", "backslashreplace")
        yield encode(line) if isinstance(line, dict) else str(line).replace("\n", " ").encode() + b"\n"
