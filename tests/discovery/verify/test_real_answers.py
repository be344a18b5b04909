"""What models really say, right and wrong, in their many ways: the graders know the one from the other.

Every table holds answers as they come out of small and large models: explained before or after, boxed, in bold, with
thoughts aloud, in fences, with digits and commas of other languages, with what a chat template left behind.
"""

from __future__ import annotations

import textwrap

import pytest

from rotation.discovery.verify import grading, programs
from rotation.discovery.verify.causes import Cause
from rotation.discovery.verify.replies import Answer

PASSED = 3


def passed(grader: grading.Grader, text: str) -> bool:
    return grader(Answer(text)).score >= PASSED


SUM = grading.number(85, "58 + 27")
RIGHT_SUMS = [
    "85", " 85\n", "85.", "**85**", "`85`", "$85$", "$$85$$", "\\(85\\)", "\\boxed{85}", "$\\boxed{85}$", "= 85",
    "The answer is 85.", "The sum of 58 and 27 is 85.", "58 + 27 = 85", "58 + 27 = **85**", "$58 + 27 = 85$",
    "Answer: 85", "**Answer:** 85", "The final answer is \\boxed{85}.", "85 (58 + 27)",
    "85 (because 50 + 20 = 70 and 8 + 7 = 15)", "85\n\nExplanation: 50 + 20 = 70, 8 + 7 = 15.",
    "The answer is 85, because 50 + 20 = 70 and 8 + 7 = 15.", "58 + 27 = 85. To check: 85 - 27 = 58.",
    "Eight plus seven is 15, carry 1; five and two and one are 8: 85", "<think>58 + 27 = 75? No, 85.</think>85",
    "<think>\n85\n</think>\n\n85", "<thinking>carry the 1</thinking>\n85", "[THINK]58 and 27[/THINK]85",
    "◁think▷8 + 7 = 15◁/think▷85", "<reasoning>8 + 7</reasoning>\n\n85",
    "<|channel|>analysis<|message|>58 + 27 is 85<|end|><|start|>assistant<|channel|>final<|message|>85",
    "85<|im_end|>", "85</s>", "85<|eot_id|>", "85<end_of_turn>", "８５", "٨٥", "85.0", "85,0", "85 ✅", "→ 85",
    "\u200b85", "Result: 85", "So the result is 85!", "The sum equals 85.", "Sure! The answer is:\n\n85",
    "```\n85\n```", "> 85", "58+27\n= 58+20+7\n= 78+7\n= 85", "85\n",
    "Let's see.\n58 + 27 = 75\nWait, 58 + 27 = 85.\n\n**85**", "*85*",
    "The answer is **85**.\n\nLet me know if you need anything else (24/7)!", "The number is 85",
    "~85~".replace("~", "_"), "85\n\n(I added 58 and 27.)", "Here is the sum: 85", "58 + 27 is 85.",
    "58 + 27 equals 85.", "The total is 85", "# 85",
]  # fmt: skip
WRONG_SUMS = [
    "", "84", "58 + 27", "58", "27", "I cannot do sums.", "8.5", "185", "-85", "850",
    "85 is what 58 + 28 makes; it is 86", "58 + 27 = 75", "The answer is 75.", "\\boxed{75}", "85? No: 75",
    "Between 80 and 90", "<think>85</think>75", "85,5", "<think>58 + 27 = 85", "eighty",
    "58 + 27 = 85? No. 58 + 27 = 86", "8 5 0", "5885", "85e3", "85km2", "0.85", "1/85", "85 and then 90",
    "The answer is 85.5", "58 + 27 = 5827",
]  # fmt: skip


@pytest.mark.parametrize("text", RIGHT_SUMS, ids=range(len(RIGHT_SUMS)))
def test_a_right_sum_is_right_however_it_is_told(text: str):
    assert passed(SUM, text)


@pytest.mark.parametrize("text", WRONG_SUMS, ids=range(len(WRONG_SUMS)))
def test_a_wrong_sum_is_wrong_however_it_is_told(text: str):
    assert not passed(SUM, text)


def test_thoughts_that_never_end_are_an_answer_cut_short():
    told = SUM(Answer("<think>58 + 27, that is 85, or is it", finish="length"))
    assert (told.score, told.cause) == (0, Cause.CUT_SHORT)


TALLEST = grading.name("Mira", ["Mira", "Hugo", "Lena", "Tomas"], "tallest")
RIGHT_NAMES = [
    "Mira", "mira", "MIRA", "Mira.", "**Mira**", "*Mira*", "`Mira`", '"Mira"', "“Mira”", "Mira!", "\\boxed{Mira}",
    "$\\boxed{\\text{Mira}}$", "Answer: Mira", "**Answer:** Mira", "The answer is Mira.", "The tallest is Mira.",
    "Mira is the tallest.", "**Mira** is the tallest.", "The tallest person is **Mira**.", "Tallest: Mira",
    "Mira is the tallest, since Mira is taller than Hugo and Hugo is taller than Lena.",
    "Mira\n\nExplanation: Mira > Hugo > Lena > Tomas", "Mira\n(Mira > Hugo > Lena > Tomas)",
    "Hugo is taller than Lena, Mira is taller than Hugo. So Mira", "Lena < Hugo < Mira",
    "Tomas, Lena, Hugo, and then Mira", "Let's order them.\nMira > Hugo > Lena > Tomas.\nThe tallest is Mira.",
    "<think>Hugo? no, Mira</think>Mira", "[THINK]Hugo is taller than Lena[/THINK]\nMira", "Mira<|im_end|>",
    "Mira</s>", "So the tallest one is Mira!", "1. Mira > Hugo\n2. Hugo > Lena\n3. Lena > Tomas\n\n**Mira**",
    "Based on this, the tallest of them is Mira, not Hugo.", "Mira must be the tallest: Tomas is the shortest.",
    "The answer is:\n\nMira", "# Mira", "> Mira", "- Mira", "Mira is therefore the tallest; Lena is in between.",
    "Ｍｉｒａ", "Name: Mira",
]  # fmt: skip
WRONG_NAMES = [
    "", "Hugo", "The tallest is Hugo.", "Hugo is the tallest, taller than Mira.", "Mira, not Hugo", "I do not know.",
    "Miranda", "Mira is taller than Hugo.", "Mira > Hugo > Lena > Tomas", "Everybody", "\\boxed{Hugo}",
    "<think>Mira</think>Hugo", "<think>Mira is the tallest", "Mira? No. The tallest is Lena.",
    "Hugo\n\nExplanation: Hugo > Lena > Mira", "Mira\nHugo\nLena\nTomas", "The shortest is Tomas", "Zora",
    "Mira is the tallest? No, Hugo is the tallest.", "name",
]  # fmt: skip


@pytest.mark.parametrize("text", RIGHT_NAMES, ids=range(len(RIGHT_NAMES)))
def test_a_right_name_is_right_however_it_is_told(text: str):
    assert passed(TALLEST, text)


@pytest.mark.parametrize("text", WRONG_NAMES, ids=range(len(WRONG_NAMES)))
def test_a_wrong_name_is_wrong_however_it_is_told(text: str):
    assert not passed(TALLEST, text)


def calls(*cities: str, tool: str = "get_weather") -> Answer:
    return Answer(
        "", tuple((tool, city if city.startswith(("{", "[", '"')) else f'{{"city": "{city}"}}') for city in cities)
    )


MALMO = grading.tool("get_weather", "city", ["Malmö"])
THREE = grading.tool("get_weather", "city", ["Paris", "Oslo", "Malmö"])


@pytest.mark.parametrize(
    "answer",
    [
        calls("Malmö"), calls("malmö"), calls("Malmo"), calls("Malmo\u0308"), calls("Malmö, Sweden"), calls("MALMÖ"),
        calls('{"city":"Malm\\u00f6"}'), calls('{"city": "Malmö", "unit": "celsius"}'), calls("Malmö", "Malmö"),
        calls('{"city": ["Malmö"]}'),
    ],
    ids=range(10),
)  # fmt: skip
def test_a_right_call_of_a_tool(answer: Answer):
    assert MALMO(answer).score >= PASSED


@pytest.mark.parametrize(
    "answer",
    [
        calls("Oslo"), calls("Malmö", tool="book_train"), calls("{}"), calls('{"city": null}'), calls('{"city": 3}'),
        calls('{"location": "Malmö"}'), calls("[1]"), calls('"Malmö"'), calls("{city: Malmö}"),
        Answer("Malmö: 12 degrees"), Answer('{"name": "get_weather", "arguments": {"city": "Malmö"}}'),
        Answer("<tool_call>get_weather</tool_call>"), calls('{"city": "Malmö"'), calls("{" * 60_000),
        calls('{"city": ""}'),
    ],
    ids=range(15),
)  # fmt: skip
def test_a_wrong_call_of_a_tool(answer: Answer):
    assert MALMO(answer).score < PASSED


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (calls("Paris", "Oslo", "Malmö"), True), (calls("Malmö", "Oslo", "Paris"), True),
        (calls("Paris", "Oslo"), True), (calls("Paris, France", "Oslo, Norway", "Malmo, Sweden"), True),
        (calls("Paris", "Oslo", "Malmö", "Oslo"), True), (calls("Paris, Oslo and Malmö"), False),
        (calls("Paris"), False), (calls("Paris", "Paris", "Paris"), False),
        (calls("Paris, Oslo, Malmö", "Paris, Oslo, Malmö"), True),
        (calls('{"city": ["Paris", "Oslo", "Malmö"]}'), False), (calls("Rome", "Bern", "Kyiv"), False),
        (Answer("It is sunny in all three."), False),
    ],
    ids=range(12),
)  # fmt: skip
def test_calls_at_once_are_calls_of_their_own(answer: Answer, right: bool):
    assert (THREE(answer).score >= PASSED) is right


ORDER = grading.document({"customer": "Mira", "city": "Malmö", "item": "river tea", "quantity": 12})
GIVEN = '"customer": "Mira", "city": "Malmö", "item": "river tea"'
ESCAPED = GIVEN.replace("Malmö", "Malm\\u00f6")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (f'{{{GIVEN}, "quantity": 12}}', True), (f'{{"quantity":12,{GIVEN}}}', True),
        (f'\n {{\n{GIVEN},\n"quantity": 12\n}}\n', True), (f'{{{GIVEN}, "quantity": 12.0}}', True),
        (f'{{{ESCAPED}, "quantity": 12}}', True),
        (f'{{{GIVEN.replace("river tea", "River Tea")}, "quantity": 12}}', True),
        (f'{{{GIVEN.replace("Malmö", "Malmo")}, "quantity": 12}}', True),
        (f'<think>JSON</think>{{{GIVEN}, "quantity": 12}}', True), (f'{{{GIVEN}, "quantity": 12}}<|im_end|>', True),
        (f'{{{GIVEN.replace("Mira", "Mr. Mira")}, "quantity": 12}}', True), (f'{{{GIVEN}, "quantity": 13}}', True),
        (f'```json\n{{{GIVEN}, "quantity": 12}}\n```', False), (f'Here it is: {{{GIVEN}, "quantity": 12}}', False),
        (f'{{{GIVEN}, "quantity": 12}} I hope this helps.', False), (f'{{{GIVEN}, "quantity": "12"}}', False),
        (f'{{{GIVEN}, "quantity": 12.5}}', False), (f'{{{GIVEN}, "quantity": true}}', False),
        (f'{{{GIVEN}, "quantity": null}}', False), (f"{{{GIVEN}}}", False),
        (f'{{{GIVEN}, "quantity": 12, "price": 3}}', False), (f'[{{{GIVEN}, "quantity": 12}}]', False),
        (f'{{"order": {{{GIVEN}, "quantity": 12}}}}', False), ("{'customer': 'Mira'}", False),
        (f'{{{GIVEN}, "quantity": 12,}}', False), ('{"customer": "", "city": "", "item": "", "quantity": 0}', False),
        ("", False), ("null", False), ("12", False),
        ('{"customer": "string", "city": "string", "item": "string", "quantity": 12}', False),
        (f'{{{GIVEN}, "quantity": NaN}}', False), (f'{{{GIVEN}, "Quantity": 12}}', False),
        (f'{{{GIVEN}, "quantity": 12', False), (f'{{{GIVEN}, "quantity": 12}} {{}}', False),
    ],
    ids=range(33),
)  # fmt: skip
def test_a_document_by_a_schema(text: str, right: bool):
    assert passed(ORDER, text) is right


STOP = grading.stopped("river", "CLOUD", "stone")


@pytest.mark.parametrize(
    ("text", "score", "cause"),
    [
        ("river", 5, ""), ("river ", 5, ""), ('"river ', 5, ""), ("River", 5, ""),
        ("Sure! Here it is: river", 5, ""), ("<think>The user wants river", 5, ""),
        ("river CLOUD stone", 0, Cause.FEATURE_MISSING), ("", 0, Cause.WRONG_ANSWER),
        ("river CLOUD", 0, Cause.FEATURE_MISSING), ("river cloud stone", 0, Cause.WRONG_ANSWER),
        ("river stone", 0, Cause.WRONG_ANSWER), ("I cannot do that.", 0, Cause.WRONG_ANSWER),
    ],
)  # fmt: skip
def test_a_stop_sequence_is_only_missed_where_it_was_written(text: str, score: int, cause: str):
    told = STOP(Answer(text))
    assert (told.score, told.cause) == (score, cause)


OPENED = grading.opened("RIVER")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("RIVER 7", True), ("RIVER: 7", True), ("**RIVER** 7", True), ('"RIVER" 7', True), ("[RIVER] 7", True),
        ("(RIVER) 7", True), ("River, it is 7", True), ("\n\nRIVER\n7", True), ("‘RIVER’ 7", True),
        ("«RIVER» 7", True), ("- RIVER 7", True), ("<think>RIVER first</think>RIVER 7", True), ("# RIVER\n7", True),
        ("> RIVER 7", True), ("7", False), ("7 RIVER", False), ("The answer is 7", False), ("", False),
        ("Sure! RIVER 7", False), ("RIVE 7", False), ("<think>RIVER</think>7", False),
    ],
)  # fmt: skip
def test_what_the_system_prompt_asks_to_begin_with(text: str, right: bool):
    assert passed(OPENED, text) is right


HALVES = grading.in_order(["red", "blue"], ["red", "green", "blue", "yellow", "black", "white"])


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("red blue", True), ("Red, blue", True), ("red and blue", True), ("**Red** **Blue**", True),
        ("Left: red\nRight: blue", True), ("The left half is red and the right half is blue.", True),
        ("red\nblue", True), ("red/blue", True), ("RED BLUE.", True), ("<think>blue? red?</think>red blue", True),
        ("red | blue", True), ("Red (left), Blue (right)", True), ("red, blue</s>", True),
        ("The picture is red on the left, blue on the right. So: red blue", True), ("red-blue", True),
        ("`red` `blue`", True), ("blue red", False), ("red", False), ("red green", False), ("purple", False),
        ("I cannot see pictures.", False), ("", False), ("red blue green yellow black white", False),
        ("red red", False), ("black and white", False), ("reddish bluish", False),
    ],
)  # fmt: skip
def test_colours_in_their_order(text: str, right: bool):
    assert passed(HALVES, text) is right


FACTORIAL = next(one for one in programs.PROGRAMS if one.stem == "factorial")
LOOP = "def factorial_maple(n):\n    found = 1\n    for k in range(2, n + 1):\n        found *= k\n    return found"
SELF = "def factorial_maple(n: int) -> int:\n    return 1 if n < 2 else n * factorial_maple(n - 1)"
INNER = (
    "def factorial_maple(n):\n    def go(k, f):\n        return f if k < 2 else go(k - 1, f * k)\n    return go(n, 1)"
)
MATHS = "import math\n\ndef factorial_maple(n):\n    return math.factorial(n)"
USE = "print(factorial_maple(5))  # 120, and a comment longer than many a function, as comments sometimes are"
BODY = LOOP.partition("\n")[2]
DOC = f'def factorial_maple(n):\n    """Returns n!\n\n    >>> factorial_maple(3)\n    6\n    """\n{BODY}'


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (LOOP, True), (SELF, True), (INNER, True), (MATHS, True), (DOC, True), (f"{LOOP}\n\n{USE}", True),
        (f"\n\n{LOOP}\n", True), (f"```python\n{LOOP}\n```", True), (f"```py\n{SELF}\n```", True),
        (f"```\n{LOOP}\n```", True), (f"```Python 3\n{LOOP}\n```", True),
        (f"Here it is:\n\n```python\n{LOOP}\n```\n\nIt multiplies.", True), (f"```python\n{LOOP}", True),
        (f"~~~python\n{LOOP}\n~~~", True), (f"```python\n{SELF}```", True),
        (f"```python\r\n{LOOP}\r\n```".replace("\n", "\r\n"), True), (f"Sure:\n{LOOP}\nThat is all.", True),
        (f"```python\n{SELF}\n```\nUse it like this:\n```python\n{USE}\n{USE}\n```", True),
        (f"{LOOP}\n\nThis multiplies them all.", True),
        (f"```python\nimport math\n```\n```python\n{SELF}\n```", True), (f"<think>{USE}</think>{LOOP}", True),
        (f"{LOOP}<|im_end|>", True),
        (f"```python\n{textwrap.indent(SELF, '    ')}\n```", True),
        (f"1. The code:\n   ```python\n{SELF}\n   ```", True),
        (f"from functools import lru_cache\n\n@lru_cache(None)\n{SELF}", True),
        ("def factorial(n):\n    return 1 if n < 2 else n * factorial(n - 1)", False),
        ("def factorial_maple(n):\n    pass", False), ("def factorial_maple(n):\n    print(n)", False),
        ("def factorial_maple(n):\n    return 120", False), ("120", False), ("", False),
        ("def factorial_maple():\n    return 1", False), ("def factorial_maple(n):\n    return n * (n - 1)", False),
        (USE, False), ("def factorial_maple(a, b):\n    return a * factorial_maple(b)", False),
        ("function factorial_maple(n) { return 1 }", False), ("def factorial_maple(n)\n    return n", False),
        ("I cannot write code.", False), ("```python\nfactorial_maple = 1\n```", False),
        ("def factorial_maple(n):\n    # TODO\n    return n", False), ("```python\n```", False),
        (f"<think>{LOOP}", False),
    ],
    ids=range(42),
)  # fmt: skip
def test_a_program_is_found_in_what_stands_around_it(text: str, right: bool):
    assert (programs.graded(Answer(text), "factorial_maple", FACTORIAL).score >= PASSED) is right


def test_text_repeated_in_a_stream_and_words_found_in_a_long_text():
    repeated, found = grading.streamed("river stone cloud"), grading.found("bakoritu", 6_000, 32_768)
    for text in (
        "river stone cloud",
        '"river stone cloud"',
        "River stone cloud.",
        "river stone\ncloud",
        "**river stone cloud**",
    ):
        assert repeated(Answer(text, usage=5, pieces=4)).score == 5, text
    for text in ("river stone", "river, stone, cloud", "river cloud stone", "", "<think>river stone cloud</think>no"):
        assert repeated(Answer(text, usage=5, pieces=4)).score < PASSED, text
    for text in ("bakoritu", "Bakoritu.", "**BAKORITU**", "The secret word is bakoritu.", "<think>hm</think>bakoritu"):
        assert passed(found, text), text
    for text in ("bakori", "I see no secret word.", "", "<think>bakoritu</think>river", "ba ko ri tu"):
        assert not passed(found, text), text
