"""Graders give the same score for the same answer, and nothing a model writes makes them stumble."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.discovery.verify import grading, suite
from rotation.discovery.verify.causes import Cause
from rotation.discovery.verify.questions import Facts
from rotation.discovery.verify.replies import Answer, streamed, whole

KNOWN = Facts(context=32_768, tools=True, parallel_tools=True, json_schema=True, images=True)
HOSTILE = [
    "[" * 1_000_000,
    "def f(x):\n    return " + "(" * 100_000,
    "def f(n):\n    return " + "9" * 100_000,
    "-" * 7_000 + "1",
    "x" + ".a" * 3_900,
    "not " * 1_900 + "x",
    "f(" * 49 + "\0",
    "lambda: " * 900 + "1",
    "\u202edef f(n): return n",
    "\ud800 half a character",
    "```python\n" * 2_000,
    "<think>" * 5_000,
    '{"a":' * 100_000,
    "1e999999",
    "\\boxed{" * 3_000,
    "if x:\n" + "".join(" " * n + "if x:\n" for n in range(1, 120)),
]


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("85", 5), ("85.", 5), ("**85**", 5), ("The sum is 85.", 4), ("<think>84? no</think>85", 5), ("185", 0),
        ("84", 0), ("", 0), ("8.5", 0), ("word " * 80 + "85", 3), ("85 and then 90", 0),
    ],
)  # fmt: skip
def test_a_number(text: str, score: float):
    assert grading.number(85)(Answer(text)).score == score


def test_a_name_is_the_last_one_told():
    grade = grading.name("Mira", ["Mira", "Hugo", "Lena"])
    assert [grade(Answer(text)).score for text in ("Mira", "mira!", "Hugo > Lena, so Mira", "Mira, not Hugo")] == [
        5, 5, 4, 0,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("calls", "score", "cause"),
    [
        ([("get_weather", '{"city": "Oslo"}')], 5, ""),
        ([("get_weather", '{"city": "Oslo, Norway"}')], 5, ""),
        ([("get_weather", '{"city": "Rome"}')], 2, Cause.WRONG_ANSWER),
        ([("book_train", "{}")], 1, Cause.WRONG_ANSWER),
        ([("get_weather", "{city: Oslo}")], 1, Cause.FEATURE_MISSING),
        ([], 0, Cause.FEATURE_MISSING),
    ],
)
def test_a_tool_call(calls: list[tuple[str, str]], score: float, cause: str):
    told = grading.tool("get_weather", "city", ["Oslo"])(Answer("I would look out of the window", tuple(calls)))
    assert (told.score, told.cause) == (score, cause)


def test_tools_called_at_once_are_counted():
    three = [("get_weather", f'{{"city": "{city}"}}') for city in ("Oslo", "Lima", "Cairo")]
    grade = grading.tool("get_weather", "city", ["Oslo", "Lima", "Cairo"])
    assert [grade(Answer("", tuple(three[:n]))).score for n in (3, 2, 1)] == [5, 3, 1]


def test_a_document_follows_its_schema_or_does_not():
    grade = grading.document({"city": "Oslo", "quantity": 3})
    told = {
        '{"city": "Oslo", "quantity": 3}': 5,
        '{"city": "Lima", "quantity": 3}': 4,
        '{"city": "Oslo", "quantity": "3"}': 1,
        '{"city": "Oslo", "quantity": 3, "more": 1}': 1,
        '```json\n{"city": "Oslo", "quantity": 3}\n```': 2,
        '{"city": "Oslo", "quan': 0,
    }
    assert {text: grade(Answer(text)).score for text in told} == told


def test_an_answer_that_ran_out_of_tokens_is_told_as_such():
    told = grading.number(7)(Answer("Let me think about this step by", finish="length"))
    assert (told.score, told.cause) == (0, Cause.CUT_SHORT)


def test_the_end_of_an_answer_at_a_stop_sequence():
    grade = grading.stopped("river", "HALT", "cloud")
    assert [grade(Answer(text)).score for text in ("river", "river HALT cloud", "river  cloud", "no")] == [5, 0, 0, 0]


def test_a_stream_without_a_count_is_no_full_success():
    grade = grading.streamed("one two three")
    body = b"".join(
        b"data: " + orjson.dumps({"choices": [{"delta": {"content": text}, "finish_reason": None}]}) + b"\n\n"
        for text in ("one ", "two ", "three")
    )
    usage = b'data: {"choices":[],"usage":{"completion_tokens":3}}\n\n'
    assert grade(streamed(body + usage + b"data: [DONE]\n\n")).score == 5
    assert grade(streamed(body + b"data: [DONE]\n\n")).cause == Cause.FEATURE_MISSING
    assert not streamed(body).whole


def test_a_stream_puts_tool_calls_together():
    parts = [{"index": 0, "function": {"name": "f", "arguments": ""}}]
    parts += [{"index": 0, "function": {"arguments": piece}} for piece in ('{"a"', ": 1}")]
    body = b"".join(
        b"data: " + orjson.dumps({"choices": [{"delta": {"tool_calls": [part]}}]}) + b"\n\n" for part in parts
    )
    assert streamed(body).calls == (("f", '{"a": 1}'),)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_answer_is_too_hostile(text: str):
    """Whatever is asked, it is graded, at once, and with a reason that fits a line."""
    for name in suite.SUITE:
        asked = suite.question(name, KNOWN, "hostile")
        for answer in (Answer(text), Answer(calls=(("get_weather", text), (text, "{}")))):
            grade = asked.grade(answer)
            assert 0 <= grade.score <= 3
            assert len(grade.reason) < 500
            assert grade.reason.isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["choices", "message", "delta", "content", "tool_calls", "function", "name", "usage", "index"]),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_no_body_is_too_strange(body: Any):
    raw = orjson.dumps(body)
    for answer in (whole(raw), whole(raw[:-1]), streamed(b"data: " + raw + b"\n\n"), streamed(raw)):
        assert isinstance(answer.text, str)


@given(st.text(max_size=300), st.sampled_from(sorted(suite.SUITE)), st.integers(0, 5))
def test_every_text_has_a_grade_and_always_the_same(text: str, name: str, seed: int):
    first, again = (suite.question(name, KNOWN, str(seed)).grade(Answer(text)) for _ in range(2))
    assert first == again
    assert 0 <= first.score <= 5
    assert first.score >= 3 or first.cause


@given(st.integers(0, 10_000))
def test_nobody_passes_by_guessing_one_word(seed: int):
    """Of all trials of the reasoning and picture tasks one fixed answer is right seldom enough."""
    rand = random.Random(seed)
    asked = [suite.question("images", KNOWN, f"{rand.random()}") for _ in range(6)]
    assert sum(one.grade(Answer("red, blue")).score >= 3 for one in asked) <= 3
