"""Traces are read strictly: usual names, any order; one broken line and the message names it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.replay import trace
from rotation.replay.trace import BrokenTrace, Row

GOOD = (
    b"TIMESTAMP,ContextTokens,GeneratedTokens\n"
    b"2023-11-16 18:17:03.9799600,4808,10\n"
    b"2023-11-16 18:17:04.0319600,3180,8\n"
)


def test_a_public_trace_is_read():
    rows = trace.read(GOOD)
    assert [(row.prompt, row.answer) for row in rows] == [(4808, 10), (3180, 8)]
    assert rows[1].at - rows[0].at == pytest.approx(0.052, abs=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "time,prompt_tokens,completion_tokens\n5,7,9\n",
        "\ufeffCompletion-Tokens;Time;Prompt Tokens\r\n9;5;7\r\n",
        "arrived_at\tinput.tokens\toutput_tokens\tmodel\n5.0\t7\t9.0\tgpt\n\n",
    ],
)
def test_usual_names_and_delimiters_are_known(text):
    assert trace.read(text.encode()) == [Row(5.0, 7, 9)]


@pytest.mark.parametrize(
    ("cell", "at"),
    [
        ("1700158623.5", 1700158623.5),
        ("1700158623500", 1700158623.5),
        ("2023-11-16T18:17:03.5Z", 1700158623.5),
        ("2023-11-16T19:17:03.5+01:00", 1700158623.5),
    ],
)
def test_times_come_in_usual_forms(cell, at):
    assert trace.read(f"time,prompt,answer\n{cell},1,1\n".encode())[0].at == at


def test_a_column_may_say_what_was_streamed():
    rows = trace.read(b"time,prompt,answer,stream\n1,1,1,true\n2,1,1,0\n3,1,1,\n")
    assert [row.stream for row in rows] == [True, False, False]
    assert [a.stream for a in trace.asked(trace.read(GOOD), stream=True)] == [True, True]


def test_calls_alike_in_all_that_both_say_stand_beside_each_other():
    rows = trace.read(b"time,prompt,answer,stream\n1,1,1,true\n1,1,1\n1,1,1,false\n")
    assert [row.stream for row in rows] == [None, False, True]
    assert trace.unpacked(trace.packed(rows)) == rows


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "The first line must name the columns"),
        (b"a,b,c\n1,2,3\n", "no column for time and prompt tokens and answer tokens is among a, b, c"),
        (b"time,prompt,answer\n", "a header and no calls"),
        (
            b"time,prompt,answer\n1,1,1\nx,1,1\n2,-1,1\n3,1\n4,1,1.5\n",
            "4 of 5 lines are broken: line 3: 'x' is no time; line 4: '-1' is no number of prompt tokens",
        ),
        (b"time,prompt,answer\n" + b"nan,1,1\n" * 9, "and 4 more"),
        (b"time,prompt,answer\n1e400,1,1\n", "no time"),
        (b"time,prompt,answer\n1,1e400,1\n", "no number of prompt tokens"),
        (b"time,prompt,answer,stream\n1,1,1,maybe\n", "does not say whether it was streamed"),
        (b"time,prompt,answer\n1,2,3\n\xff\n", "Line 3 is not UTF-8"),
    ],
    ids=["empty", "strange", "no-calls", "broken", "many", "infinite-time", "infinite-tokens", "stream", "binary"],
)
def test_what_is_broken_is_named(raw, words):
    with pytest.raises(BrokenTrace) as broken:
        trace.read(raw)
    assert words in str(broken.value)


def test_a_file_has_a_largest_size(monkeypatch):
    monkeypatch.setattr(trace, "LARGEST", 50)
    with pytest.raises(BrokenTrace, match="a trace may have"):
        trace.read(GOOD)
    monkeypatch.setattr(trace, "LARGEST", 5000)
    monkeypatch.setattr(trace, "MOST", 1)
    with pytest.raises(BrokenTrace, match="cut the file into parts"):
        trace.read(GOOD)


rows = st.lists(
    st.builds(
        Row, st.floats(0, 2e9), st.integers(0, 10**6), st.integers(0, 10**5), st.sampled_from([None, True, False])
    ),
    min_size=1,
    max_size=20,
)


@given(rows)
def test_what_is_kept_is_what_was_read(found):
    assert trace.unpacked(trace.packed(found)) == found


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_words(raw):
    try:
        told = trace.read(b"time,prompt,answer\n" + raw)
    except BrokenTrace as broken:
        told = [Row(0, 0, 0)] if str(broken) else []
    assert told
