"""What an answer comes to when it says more than was asked for: some models explain before it, others after it.

In this order: what is boxed; a last line that is nothing but the answer; what is said of it in so many words ("58 + 27
= 85", "Mira is the tallest"), the last time; a first line that is nothing but the answer; the last one named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from rotation.discovery.verify.marks import folded

T = TypeVar("T")
_BOXED = re.compile(r"\\boxed\{\s*(?:\\text\w{0,9}\{)?([^{}]{1,60})\}")
_NUMBER = re.compile(r"(?<![\w.,/])-?\d{1,15}(?:[.,]\d{1,9}){0,4}(?!\w)")
_ASIDE = re.compile(r"\([^()]{0,200}\)")
_ANSWER = r"(?:answer|result|sum|total)(?: is|\s*:)"
_LABEL = re.compile(rf"(?:so |therefore,? |thus,? )?(?:the )?(?:final |correct )?{_ANSWER}")
_AROUND = " \t.!:=*_`~\"'$#>\\()[]{}"


def counted(text: str, claim: str = "") -> int | None:
    """A whole number; None where it comes to none. `claim`: "58 + 27" in "58 + 27 = 85"."""
    plain = folded(text)
    said = [rf"\b{_ANSWER}[\s*_`$]*(-?\d[\d.,]*)"]
    if claim:
        said.insert(0, rf"(?<!\d){re.escape(claim)}[\s*_`$]*(?:=|is|equals|makes)[\s*_`$]*(-?\d[\d.,]*)")
    numbers = _NUMBER.findall(_ASIDE.sub(" ", plain)) or _NUMBER.findall(plain)
    return _first(text, _whole, [_said(plain, one) for one in said], numbers[-1:])


def chosen(text: str, among: Collection[str], claim: str = "") -> str | None:
    """One of these names, folded; None where it comes to none. `claim`: "tallest" in "Mira is the tallest"."""
    known = {folded(name) for name in among}
    plain, names = folded(text), "|".join(sorted(known))
    said = [rf"\b({names})\b[*_`]* (?:is|was|must be) (?:therefore |thus |clearly )?the [*_`]*{re.escape(claim)}"]
    said.append(rf"{re.escape(claim)}(?: person| one| of (?:them|all|the \w+))?(?: is|:)[\s*_`]*({names})\b")
    told = [word for word in re.findall(r"\w+", plain) if word in known]

    def whole(words: str) -> str | None:
        return words if words in known else None

    return _first(text, whole, [_said(plain, one) for one in said if claim], told[-1:])


def _first(
    text: str, read: Callable[[str], T | None], said: Iterable[Iterable[str]], otherwise: Iterable[str]
) -> T | None:
    """The first of what an answer may come to that can be read as one."""
    lines = [bare for line in text.splitlines() if (bare := _bare(line))]
    boxed = [_bare(one) for one in _BOXED.findall(text)]
    for found in (boxed[-1:], lines[-1:], *said, lines[:1], otherwise):
        for one in found:
            if (value := read(one)) is not None:
                return value
    return None


def _bare(line: str) -> str:
    """A line without what stands around an answer."""
    return _LABEL.sub("", folded(line).strip(_AROUND), count=1).strip(_AROUND)


def _said(plain: str, pattern: str) -> list[str]:
    """What a pattern says of it, the last time."""
    return [found.rstrip(".,") for found in re.findall(pattern, plain)][-1:]


def _whole(told: str) -> int | None:
    """85, 1,085, 85.0 and 85,0 are whole numbers."""
    if re.fullmatch(r"-?\d{1,3}(?:[.,]\d{3})+", told):
        return int(re.sub(r"[.,]", "", told))
    found = re.fullmatch(r"(-?\d{1,15})(?:[.,]0{1,9})?", told)
    return int(found[1]) if found else None
