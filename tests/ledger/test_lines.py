"""The journal's line: what is written is read again, and damage is always noticed."""

from __future__ import annotations

import math
from decimal import Decimal
from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from rotation.ledger.lines import Bad, decode, encode

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)
RECORDS = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), PLAIN, max_size=8)


@given(RECORDS)
def test_a_record_comes_back_as_it_was_written(record: dict[str, object]) -> None:
    line = encode(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == record
    assert decode(line[:-1]) == record


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.floats(), max_size=6))
def test_hostile_values_never_stop_the_writer(record: dict[str, object]) -> None:
    assert isinstance(decode(encode(record)), dict)


def test_what_json_cannot_say_is_written_as_near_as_it_can() -> None:
    record = {"a": math.nan, "b": "x\ud800y", "c": 2**70, "d": Decimal("0.25"), "e": {1: {"f": ("g",)}}}
    assert decode(encode(record)) == {
        "a": None,
        "b": "x\ufffdy",
        "c": 2**63 - 1,
        "d": "0.25",
        "e": {"1": {"f": ["g"]}},
    }


def test_a_whole_surrogate_pair_is_a_character_and_kept() -> None:
    assert decode(encode({"a": "\ud83d\ude00"})) == {"a": "😀"}


@given(RECORDS, st.data())
def test_one_flipped_bit_is_noticed(record: dict[str, object], data: st.DataObject) -> None:
    line = bytearray(encode(record)[:-1])
    at = data.draw(st.integers(0, len(line) * 8 - 1))
    line[at // 8] ^= 1 << (at % 8)
    assert isinstance(decode(bytes(line)), Bad)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_exception(line: bytes) -> None:
    decode(line)


def test_a_line_that_is_no_record_says_why() -> None:
    assert decode(b"") == Bad(b"", "too short for a line")
    assert decode(b"x" * 20) == Bad(b"x" * 20, "no checksum in front")
    whole = encode({"t": "call"})
    torn = decode(whole[:-4])
    assert isinstance(torn, Bad)
    assert torn.why == "checksum does not match"
    assert decode(b"%08x [1, 2]" % crc32(b"[1, 2]")) == Bad(b"%08x [1, 2]" % crc32(b"[1, 2]"), "not a JSON object")
