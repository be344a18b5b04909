"""Cuts a text into what a stream sends at a time: a word with the white space after it."""

from __future__ import annotations

import re

_PIECE = re.compile(r"\S{1,24}\s*|\s+")


def pieces(text: str) -> list[str]:
    """Joined they are the text."""
    return _PIECE.findall(text)
