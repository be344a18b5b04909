"""Graders: from an answer to a score of 0..5 with its reason. Deterministic, bounded, and they never raise.

5 is what was asked for; 4 is right with words around it; from 3 on a trial is passed; 0 is wrong or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import orjson

from rotation.discovery.verify.causes import Cause
from rotation.discovery.verify.conclusions import chosen, counted
from rotation.discovery.verify.marks import LOOKED_AT, Grade, folded, said, shown, wrong
from rotation.discovery.verify.replies import Answer

Grader = Callable[[Answer], Grade]
BRIEF = 60  # words: a longer answer to a short question talks
_WORD = re.compile(r"\w+")


def number(right: int, claim: str = "") -> Grader:
    """A whole number, alone or as what the answer comes to (`conclusions`); `claim` is the sum that was asked for."""

    def grade(answer: Answer) -> Grade:
        text = folded(said(answer))
        if text.strip(" .*`$\\boxed{}()=\"'") == str(right):
            return Grade(5)
        return _around(text) if counted(said(answer), claim) == right else wrong(answer, str(right))

    return grade


def name(right: str, among: Collection[str], claim: str = "") -> Grader:
    """One of several names, alone or as what the answer comes to; `claim` is what is said of the right one."""

    def grade(answer: Answer) -> Grade:
        if chosen(said(answer), among, claim) != right.casefold():
            return wrong(answer, right)
        return Grade(5) if len(said(answer).split()) == 1 else _around(said(answer))

    return grade


def _around(text: str) -> Grade:
    return Grade(4 if len(text.split()) <= BRIEF else 3, "right, with words around it")


def in_order(right: Sequence[str], among: Collection[str]) -> Grader:
    """These words of a known set, in this order, and no others of it."""

    def grade(answer: Answer) -> Grade:
        known = set(among)
        told = [word for word in _WORD.findall(said(answer).lower()) if word in known]
        expected = " and ".join(right)
        if told == list(right):
            return Grade(5 if len(said(answer).split()) <= 4 else 4)
        if len(told) > 1 and told[-len(right) :] == list(right):
            return Grade(3, "right at the end of a longer answer")
        return wrong(answer, expected, score=1 if set(right) <= set(told) else 0)

    return grade


def tool(wanted: str, argument: str, values: Sequence[str]) -> Grader:
    """Calls of one tool, one for each of the values."""

    def grade(answer: Answer) -> Grade:
        if not answer.calls:
            reason = f"it took the tools and answered in words instead of calling one: {shown(said(answer))}"
            return Grade(0, reason, Cause.FEATURE_MISSING)
        given = [arguments_of(text) for called, text in answer.calls if called == wanted]
        if not given:
            return Grade(1, f"it called {shown(answer.calls[0][0])}, not {wanted}", Cause.WRONG_ANSWER)
        if None in given:
            return Grade(1, f"the arguments it called {wanted} with are no JSON object", Cause.FEATURE_MISSING)
        told = [folded(str((one or {}).get(argument, ""))) for one in given]
        hit = _met([folded(value) for value in values], told)
        if hit == len(values):
            return Grade(5 if len(answer.calls) == len(values) else 4)
        return _too_few(hit, len(given), argument, values)

    return grade


def _met(values: Sequence[str], told: Sequence[str]) -> int:
    """How many values stand in a call of their own: one call that names all of them is not several at once."""
    left = list(told)
    for value in values:
        call = next((one for one in left if value in one), None)
        if call is not None:
            left.remove(call)
    return len(told) - len(left)


def _too_few(hit: int, calls: int, argument: str, values: Sequence[str]) -> Grade:
    if len(values) > 1 and calls == 1:
        return Grade(1, f"it made one call where {len(values)} were asked for at once", Cause.FEATURE_MISSING)
    if hit > 1:
        return Grade(3, f"{hit} of {len(values)} calls were right")
    return Grade(2, f"its {argument} was not {' or '.join(values)}", Cause.WRONG_ANSWER)


def arguments_of(text: str) -> dict[str, Any] | None:
    """A JSON object, None for anything else, however it is made."""
    try:
        found = orjson.loads(text[:LOOKED_AT].encode("utf-8", "replace"))
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def document(right: Mapping[str, Any]) -> Grader:
    """A JSON object with exactly these keys, of these types, with these values."""

    def grade(answer: Answer) -> Grade:
        text = said(answer)
        found = arguments_of(text)
        if found is None:
            fenced = arguments_of(re.sub(r"^```\w*\s*|\s*```$", "", text))
            bad = wrong(answer, "JSON", cause=Cause.FEATURE_MISSING)
            if bad.cause == Cause.CUT_SHORT or not text:
                return bad
            broken = "stands inside a code fence" if fenced else "is no JSON object"
            return Grade(2 if fenced else 0, f"it took the schema, but its answer {broken}: {shown(text)}", bad.cause)
        if set(found) != set(right) or any(not _like(found[key], value) for key, value in right.items()):
            told = ", ".join(shown(str(key)) for key in list(found)[:6])
            return Grade(1, f"the JSON does not follow the schema; its keys are {told}", Cause.FEATURE_MISSING)
        bad_values = [key for key, value in right.items() if not _same(found[key], value)]
        if not bad_values:
            return Grade(5)
        reason = f"by the schema, but with a wrong {' and '.join(bad_values)}"
        if len(bad_values) > 2:
            return Grade(2, reason, Cause.WRONG_ANSWER)
        return Grade(4 if len(bad_values) == 1 else 3, reason)

    return grade


def _like(found: Any, value: Any) -> bool:
    """Whether it is of the schema's type: 3.0 is an integer to JSON Schema (6.1.1), true is none."""
    if type(value) is int and type(found) is float:
        return found.is_integer()
    return type(found) is type(value)


def _same(found: Any, value: Any) -> bool:
    return bool(found == value) if isinstance(value, int) else folded(str(found)) == folded(str(value))


def streamed(text: str) -> Grader:
    """This text in several pieces, and a count of tokens."""

    def grade(answer: Answer) -> Grade:
        if text.casefold() not in " ".join(said(answer).casefold().split()):
            return wrong(answer, f"the text {shown(text)}")
        if answer.usage is None:
            return Grade(2, "it streams, but never says how many tokens it used", Cause.FEATURE_MISSING)
        if answer.pieces < 3:
            return Grade(3, f"the stream came in {answer.pieces} piece{'s' * (answer.pieces > 1)}")
        return Grade(5)

    return grade


def found(word: str, tokens: int, context: int | None) -> Grader:
    """A word that was told in a long text."""

    def grade(answer: Answer) -> Grade:
        if word.casefold() in said(answer).casefold():
            return Grade(5 if len(said(answer).split()) <= BRIEF else 4)
        claimed = f"; {context:,} tokens are claimed" if context else ""
        bad = wrong(answer, "the word")
        if bad.cause == Cause.CUT_SHORT:
            return bad
        reason = f"a word told early in {tokens:,} tokens of text was lost{claimed}. It answered {shown(said(answer))}"
        return Grade(0, reason, Cause.SHORT_CONTEXT)

    return grade


def stopped(before: str, halt: str, after: str) -> Grader:
    """What stands before the stop word, and nothing from it on."""

    def grade(answer: Answer) -> Grade:
        text = answer.text[:LOOKED_AT]  # with its thoughts: a stop sequence ends those too
        if halt in text:
            reason = f"the stop sequence {halt} was ignored: it went on with {shown(text[text.index(halt) :])}"
            return Grade(0, reason, Cause.FEATURE_MISSING)
        if after.casefold() in text.casefold():  # it wrote the word otherwise, so there was nothing to stop at
            return wrong(answer, f"“{before} {halt} {after}”")
        return Grade(5) if before.casefold() in text.casefold() else wrong(answer, f"“{before}”")

    return grade


def opened(word: str) -> Grader:
    """The word at the beginning."""

    def grade(answer: Answer) -> Grade:
        text = said(answer)
        bare = text.lstrip(" \"'“”‘’«„*_`#>[(-")
        if bare.startswith(word):
            return Grade(5)
        if bare.casefold().startswith(word.casefold()):
            return Grade(4, "in other letters")
        if answer.finish == "length":
            return wrong(answer, word)
        reason = f"the system prompt asks to begin with {word}, it began with {shown(text)}"
        return Grade(2 if word.casefold() in text.casefold() else 0, reason, Cause.FEATURE_MISSING)

    return grade
