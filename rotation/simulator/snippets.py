"""Finds the small program a question asks for."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from rotation.simulator import programs

_WANTED = re.compile(r"\b(function|code|program|script|method|implement|python|def)\b", re.IGNORECASE)
_NAME = re.compile(r"(?:called|named)\s+[`'\"]?([A-Za-z_]\w*)|`([A-Za-z_]\w*)\s*\(|\bdef ([A-Za-z_]\w*)", re.IGNORECASE)

# the first whose words all stand in the question is meant
_PROGRAMS: tuple[tuple[tuple[str, ...], Callable[..., Any]], ...] = (
    (("palindrom",), programs.is_palindrome),
    (("prime",), programs.is_prime),
    (("fibonacci",), programs.fibonacci),
    (("factorial",), programs.factorial),
    (("reverse", "list"), programs.reverse_list),
    (("reverse",), programs.reverse_string),
    (("binary search",), programs.binary_search),
    (("sort",), programs.sort_items),
    (("two", "sum"), programs.two_sum),
    (("fizz",), programs.fizzbuzz),
    (("vowel",), programs.count_vowels),
    (("greatest common",), programs.gcd),
    (("gcd",), programs.gcd),
    (("anagram",), programs.are_anagrams),
    (("duplicate",), programs.without_duplicates),
    (("even",), programs.even_numbers),
    (("maximum",), programs.largest),
    (("largest",), programs.largest),
    (("fahrenheit",), programs.to_fahrenheit),
    (("sum",), programs.total),
    (("add",), programs.add),
    (("hello",), programs.hello),
)


def snippet(text: str) -> str | None:
    """A fenced Python function under the name the question gives it.

    None when no code is asked for, or none that is known here.
    """
    if not _WANTED.search(text):
        return None
    lowered = text.lower()
    for words, program in _PROGRAMS:
        if all(word in lowered for word in words):
            usual = program.__name__
            named = _NAME.search(text)
            wanted = next((name for name in named.groups() if name), usual) if named else usual
            source = re.sub(rf"\b{usual}\b", wanted, _source(program))
            return f"```python\n{source}\n```"
    return None


@cache
def _source(program: Callable[..., Any]) -> str:
    return inspect.getsource(program).rstrip()
