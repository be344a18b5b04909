"""What every grader works with: a grade, what an answer really says, and how a piece of it is shown to people."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from rotation.discovery.verify.causes import Cause
from rotation.discovery.verify.replies import Answer

LOOKED_AT = 20_000  # characters
SHOWN = 80
#: How thinking aloud ends: mostly by a tag of one of these names, at Kimi by signs of its own, at gpt-oss by channels.
_TAGS = "think|thinking|thought|thoughts|reasoning|reflection|seed:think"
_END = re.compile(rf"</(?:{_TAGS})>|\[/THINK\]|◁/think▷|<\|channel\|>final<\|message\|>", re.IGNORECASE)
_BEGUN = re.compile(rf"\s*(?:<(?:{_TAGS})>|\[THINK\]|◁think▷|<\|channel\|>analysis<\|message\|>)", re.IGNORECASE)
#: What a badly stripped template leaves at the end.
_LEFT_OVER = re.compile(r"(?:<\|\w{2,20}\|>|</s>|<end_of_turn>|<｜end▁of▁sentence｜>)\Z")


@dataclass(frozen=True, slots=True)
class Grade:
    """`cause` is why it is no full success, "" for one."""

    score: float
    reason: str = ""
    cause: str = ""


def said(answer: Answer) -> str:
    """The answer without what a model thought aloud, bounded; nothing when it never came to an end of thinking."""
    text = answer.text[:LOOKED_AT]
    ends = [found.end() for found in _END.finditer(text)]
    if not ends and _BEGUN.match(text):
        return ""
    return _LEFT_OVER.sub("", (text[ends[-1] :] if ends else text).strip()).strip()


def folded(text: str) -> str:
    """For comparing: no case, no accents, plain digits, quotes and dashes, single spaces."""
    plain = unicodedata.normalize("NFKD", text).translate(_ALIKE)
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).casefold().split())


_ALIKE = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "−": "-", "–": "-", "—": "-"})


def shown(text: str, most: int = SHOWN) -> str:
    """A piece of an answer, fit for one line of a reason."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: most * 3]).split())
    return f"“{line[:most]}…”" if len(line) > most else f"“{line}”"


def wrong(answer: Answer, expected: str, *, cause: str = Cause.WRONG_ANSWER, score: float = 0.0) -> Grade:
    """A bad grade; an answer that ran out of tokens is told as such."""
    text = said(answer)
    if answer.finish == "length":
        return Grade(
            0, f"it used up its tokens before {expected} came, and ended with {shown(text[-SHOWN:])}", Cause.CUT_SHORT
        )
    if not text and not answer.calls:
        return Grade(0, f"it answered nothing where {expected} was wanted", cause)
    return Grade(score, f"{expected} was wanted, it answered {shown(text)}", cause)
