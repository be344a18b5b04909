"""Who is the tallest: a simulated model reads "A is taller than B" and puts what is compared in a row."""

from __future__ import annotations

import re
from collections.abc import Collection

_SAID = re.compile(r"\b([\w-]+) is ([a-z]+)er than ([\w-]+)\b")
_ASKED = re.compile(r"\b(?:who|what|which)\b[^.?!]{0,60}?\b(?:the )([a-z]+)est\b", re.IGNORECASE)
_OPPOSITES = (
    "tall short",
    "old young",
    "fast slow",
    "larg small",
    "big small",
    "heavi light",
    "strong weak",
    "long short",
)
_MOST = 60  # comparisons that are read


def extreme(text: str) -> str | None:
    """The one that is most of what is asked for, None where nothing is asked or the row is not complete."""
    asked = _ASKED.search(text)
    if asked is None:
        return None
    wanted = asked[1].lower()
    said = _SAID.findall(text)[:_MOST]
    above = [(high, low) for high, word, low in said if word == wanted]
    above += [(low, high) for high, word, low in said if _opposite(word, wanted)]
    return _only_top(above)


def _opposite(one: str, other: str) -> bool:
    return any({one, other} == set(pair.split()) for pair in _OPPOSITES)


def _only_top(pairs: Collection[tuple[str, str]]) -> str | None:
    """The one nobody stands above."""
    beaten = {low for _, low in pairs}
    tops = {high for high, _ in pairs} - beaten
    return tops.pop() if len(tops) == 1 else None
