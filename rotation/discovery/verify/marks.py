"""What every grader works with: a grade, what an answer really says, and how a piece of it is shown to people."""

from __future__ import annotations

from dataclasses import dataclass

from rotation.discovery.verify.causes import Cause
from rotation.discovery.verify.replies import Answer

LOOKED_AT = 20_000  # characters
SHOWN = 80
_THOUGHTS = ("</think>", "</thinking>")


@dataclass(frozen=True, slots=True)
class Grade:
    """`cause` is why it is no full success, "" for one."""

    score: float
    reason: str = ""
    cause: str = ""


def said(answer: Answer) -> str:
    """The answer without what a model thought aloud, bounded."""
    text = answer.text[:LOOKED_AT]
    lowered = text.lower()
    for end in _THOUGHTS:
        if (place := lowered.rfind(end)) >= 0:
            return text[place + len(end) :].strip()
    return text.strip()


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
