"""A simulated model obeys its request and knows a little."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.simulator import programs
from rotation.simulator.answers import Reply, compose
from rotation.simulator.asks import Ask, read
from rotation.simulator.catalogue import Model
from rotation.simulator.kinds.pieces import pieces
from rotation.simulator.knowledge import known
from rotation.simulator.snippets import snippet

MODEL = Model("house/model:free")
THINKER = Model("house/thinker", reasoning=True)


def ask(text: str, *before: dict[str, Any], **fields: Any) -> Ask:
    return read(orjson.dumps({"model": "m", "messages": [*before, {"role": "user", "content": text}], **fields}))


def answer(text: str, *before: dict[str, Any], model: Model = MODEL, **fields: Any) -> Reply:
    return compose(ask(text, *before, **fields), model, "id")[0]


@pytest.mark.parametrize(
    ("question", "right"),
    [
        ("What is 17 * 23?", "391"),
        ("what's 1,234 + 1?", "1235"),
        ("Compute (3+4)*5/2", "17.5"),
        ("What is 12 plus 30?", "42"),
        ("How much is 7 times 8?", "56"),
        ("What is 10 / 4?", "2.5"),
        ("What is the square root of 144?", "12"),
        ("What is the capital of France?", "Paris"),
        ("Say hello.", "Hello!"),
        ("Reply with exactly 'pong'", "pong"),
        ("Explain 10 / 0 to me", None),
        ("The meeting is at 10-12, is it not?", "-2"),
        ("Tell me about rivers", None),
    ],
)
def test_easy_questions_get_right_answers(question: str, right: str | None) -> None:
    assert known(question) == right


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from("+-*"))
def test_sums_are_right(a: int, b: int, sign: str) -> None:
    right = {"+": a + b, "-": a - b, "*": a * b}[sign]
    assert known(f"What is {a} {sign} {b}?") == str(right)


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    known(text, text)


def test_a_secret_told_earlier_is_found_again() -> None:
    hay = {"role": "user", "content": "blah " * 2_000 + "The secret code is ZEBRA-42. " + "blah " * 2_000}
    reply = answer("What is the secret code? Only the code.", hay, {"role": "assistant", "content": "Noted."})
    assert reply.text == "ZEBRA-42"


@pytest.mark.parametrize(
    ("question", "call", "result"),
    [
        ("Write a Python function called check for palindromes", "check('Never odd or even')", True),
        ("Write a function `prime(n)` that tells primes", "[n for n in range(12) if prime(n)]", [2, 3, 5, 7, 11]),
        ("Implement fibonacci in Python", "[fibonacci(n) for n in range(7)]", [0, 1, 1, 2, 3, 5, 8]),
        ("Write a program for the factorial", "factorial(5)", 120),
        ("Python code to reverse a string", "reverse_string('abc')", "cba"),
        ("A function to reverse a list", "reverse_list([1, 2])", [2, 1]),
        ("Write a function for binary search", "binary_search([1, 3, 5, 7], 5)", 2),
        ("Write a function named order to sort numbers", "order([3, 1, 2])", [1, 2, 3]),
        ("Python function for two sum", "two_sum([2, 7, 11], 9)", [0, 1]),
        ("Write FizzBuzz code", "fizzbuzz(15)[-1] + fizzbuzz(5)[2]", "FizzBuzzFizz"),
        ("Write a function that counts vowels", "count_vowels('Education')", 5),
        ("Write a function for the gcd", "gcd(12, 18)", 6),
        ("Write a function that finds anagrams", "are_anagrams('listen', 'silent')", True),
        ("Write a function that removes duplicates", "without_duplicates([1, 1, 2])", [1, 2]),
        ("Write a function that keeps even numbers", "even_numbers([1, 2, 4])", [2, 4]),
        ("Write a function for the maximum", "largest([1, 9, 4])", 9),
        ("A function for fahrenheit", "to_fahrenheit(100)", 212),
        ("Write a function for the sum of a list", "total([1, 2, 3])", 6),
        ("Write a function to add numbers", "add(1, 2)", 3),
        ("Write a hello world program", "hello()", "Hello, world!"),
    ],
)
def test_code_that_is_asked_for_works(question: str, call: str, result: object) -> None:
    code = snippet(question)
    assert code is not None
    assert code.startswith("```python\n")
    space: dict[str, Any] = {}
    exec(code.removeprefix("```python\n").removesuffix("```"), space)
    assert eval(call, space) == result


def test_every_program_is_asked_for_by_some_question() -> None:
    text = pathlib.Path(__file__).read_text(encoding="utf-8")
    names = [name for name, value in vars(programs).items() if callable(value)]
    assert len(names) > 15
    assert [
        name for name in names if name not in text and name not in {"sort_items", "is_palindrome", "is_prime"}
    ] == []


def test_max_tokens_cuts_and_says_so() -> None:
    reply = answer("Tell me about rivers", max_tokens=5)
    assert reply.finish == "length"
    assert len(reply.text or "") == 20
    assert reply.tokens == 5
    assert answer("Tell me about rivers", max_completion_tokens=5).finish == "length"
    assert answer("Tell me about rivers", max_tokens=500).finish == "stop"


def test_stop_sequences_end_the_answer_before_themselves() -> None:
    assert answer("Tell me about rivers", stop="answer").text == "Simulated "
    assert answer("Tell me about rivers", stop=["nowhere", "from"]).text == "Simulated answer "


def test_several_choices_differ() -> None:
    texts = [reply.text for reply in compose(ask("Tell me about rivers", n=3), MODEL, "id")]
    assert len(set(texts)) == 3


def test_a_length_in_words_is_obeyed() -> None:
    assert len((answer("Write 250 words about rivers").text or "").split()) == 250


def test_a_system_prompt_is_obeyed_where_that_is_cheap() -> None:
    loud = {"role": "system", "content": "Always answer in uppercase."}
    assert answer("Say 'ahoy there'", loud).text == "AHOY THERE"
    opening = {"role": "developer", "content": "Begin every answer with 'Arr'."}
    assert (answer("Tell me about rivers", opening).text or "").startswith("Arr Simulated")


def test_only_reasoning_models_think_and_only_with_room() -> None:
    assert answer("Say hello").reasoning == ""
    assert answer("Say hello", model=THINKER).reasoning
    assert answer("Say hello", model=THINKER, max_tokens=16).reasoning == ""


def test_a_question_for_only_the_answer_gets_it_bare() -> None:
    assert answer("What is 2+2?").text == "Simulated answer from house/model:free: 4"
    assert answer("What is 2+2? Reply with only the number.").text == "4"


def test_json_mode_answers_json() -> None:
    told = json.loads(answer("What is 2+2?", response_format={"type": "json_object"}).text or "")
    assert told == {"answer": "4", "model": "house/model:free", "simulated": True}


@pytest.mark.parametrize("nested", [True, False])
def test_a_schema_is_kept_wherever_it_stands(nested: bool) -> None:
    schema = {"type": "object", "properties": {"is_fruit": {"type": "boolean"}}, "required": ["is_fruit"]}
    wanted = {"json_schema": {"name": "x", "schema": schema}} if nested else {"schema": schema}
    told = answer("Is a banana a fruit?", response_format={"type": "json_schema", **wanted}).text or ""
    assert json.loads(told) == {"is_fruit": True}


@given(st.text(max_size=400))
def test_pieces_of_a_text_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


PLACE = {"type": "object", "properties": {"place": {"type": "string"}}}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": PLACE}} for name in ("get_weather", "find_hotel")
]


def test_the_tool_that_is_named_in_the_question_is_called() -> None:
    (call,) = answer("A hotel in Rome please", tools=TOOLS).calls
    assert (call.name, json.loads(call.arguments)) == ("find_hotel", {"place": "Rome"})


def test_both_tools_are_called_when_both_are_named() -> None:
    calls = answer("Weather and hotel in Rome please", tools=TOOLS).calls
    assert [call.name for call in calls] == ["get_weather", "find_hotel"]
    assert len(answer("Weather and hotel in Rome", tools=TOOLS, parallel_tool_calls=False).calls) == 1


def test_tool_choice_is_obeyed() -> None:
    forced = {"type": "function", "function": {"name": "find_hotel"}}
    assert answer("Weather in Rome", tools=TOOLS, tool_choice=forced).calls[0].name == "find_hotel"
    assert answer("Weather in Rome", tools=TOOLS, tool_choice="none").calls == ()
    assert answer("Say hello", tools=TOOLS, tool_choice="required").calls
