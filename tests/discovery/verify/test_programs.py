"""Code is parsed and looked at; nothing of it ever runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotation.discovery.verify.programs import PROGRAMS, graded, parsed
from rotation.discovery.verify.replies import Answer

FACTORIAL = next(program for program in PROGRAMS if program.stem == "factorial")
GOOD = "def fac_river(n):\n    result = 1\n    for k in range(2, n + 1):\n        result *= k\n    return result"


@pytest.mark.parametrize(
    ("source", "score"),
    [
        (f"```python\n{GOOD}\n```", 5),
        (GOOD, 5),
        (f"Here it is:\n```\n{GOOD}\n```\nIt multiplies.", 5),
        ("def fac_river(n):\n    return 1 if n < 2 else n * fac_river(n - 1)", 5),
        ("import math\ndef fac_river(n: int) -> int:\n    return math.factorial(n)", 5),
        ("def fac_river(n):\n    return 120", 2),
        ("def fac_river(n):\n    print(n)", 2),
        ("def fac_river(n):\n    return n", 2),
        ("def fac_river(n, m):\n    for i in range(n): pass\n    return m", 2),
        ("def factorial(n):\n    return n", 1),
        ("print(5)", 1),
        ("I would multiply all the numbers.", 0),
        ("def fac_river(n:\n    return", 0),
    ],
)
def test_the_structure_of_a_function(source: str, score: float):
    assert graded(Answer(source), "fac_river", FACTORIAL).score == score


def test_nothing_of_it_is_executed(tmp_path: Path):
    mark = tmp_path / "executed"
    evil = (
        f"import pathlib\npathlib.Path({str(mark)!r}).touch()\ndef fac_river(n=__import__('os').abort()):\n    return n"
    )
    graded(Answer(evil), "fac_river", FACTORIAL)
    assert not mark.exists()


@pytest.mark.parametrize("source", ["x = '\\d'", "a is 1", "assert (1, 2)"])
def test_careless_code_is_no_warning_of_ours(source: str):
    assert parsed(source) is not None
