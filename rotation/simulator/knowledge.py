"""The little a simulated model knows: small sums, a few facts and functions, and what stands in the prompt itself.

Enough for a first question to get an answer that makes sense, and for verification tasks to have something to grade.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable

from rotation.simulator.comparisons import extreme
from rotation.simulator.snippets import snippet

_SUM = re.compile(r"[-(]?\s*\d[\d\s.,()+*/x×÷^-]*\d\)?|\d+\s*\^\s*\d+")
_WORDED = (
    (re.compile(r"\b(plus)\b"), "+"),
    (re.compile(r"\b(minus)\b"), "-"),
    (re.compile(r"\b(times|multiplied by)\b"), "*"),
    (re.compile(r"\b(divided by|over)\b"), "/"),
)
_ROOT = re.compile(r"square root of (\d+(?:\.\d+)?)", re.IGNORECASE)
_SAY = re.compile(
    r"\b(?:say|reply with|answer with|respond with|repeat|output)(?: exactly| only| just)?(?: the words?)?:? "
    r"[\"“'`]([^\"”'`]{1,200})[\"”'`]",
    re.IGNORECASE,
)
_HELLO = re.compile(r"^\W*(?:say )?(?:hello|hi|hey|good (?:morning|evening|day))\b", re.IGNORECASE)
_NEEDLE = re.compile(
    r"\b(?:secret|magic|hidden|special|access) (code|word|number|key|phrase|password) is:? [\"“'`]?([\w-]{1,60})",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"capital (?:city )?of (?:the )?([A-Za-z ]+)", re.IGNORECASE)
_CAPITALS = {
    "france": "Paris",
    "germany": "Berlin",
    "italy": "Rome",
    "spain": "Madrid",
    "japan": "Tokyo",
    "china": "Beijing",
    "canada": "Ottawa",
    "australia": "Canberra",
    "united kingdom": "London",
    "england": "London",
    "united states": "Washington, D.C.",
    "brazil": "Brasília",
    "india": "New Delhi",
    "poland": "Warsaw",
    "netherlands": "Amsterdam",
}
_OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def known(text: str, history: str = "") -> str | None:
    """The answer to the last question, None when it is beyond a simulation."""
    if wanted := _SAY.search(text):
        return wanted[1]
    return (
        _hidden(text, history) or snippet(text) or extreme(text) or _fact(text) or _calculated(text) or _greeting(text)
    )


def _greeting(text: str) -> str | None:
    return "Hello!" if _HELLO.search(text) else None


def _hidden(text: str, history: str) -> str | None:
    """A secret told somewhere in the conversation, when it is asked for."""
    told = _NEEDLE.search(history)
    return told[2] if told and told[1].lower() in text.lower() and "?" in text else None


def _fact(text: str) -> str | None:
    if capital := _CAPITAL.search(text):
        return _city(capital[1])
    root = _ROOT.search(text)
    return _plain(float(root[1]) ** 0.5) if root else None


def _city(place: str) -> str | None:
    lowered = place.lower().strip()
    return next((city for country, city in _CAPITALS.items() if lowered.startswith(country)), None)


def _calculated(text: str) -> str | None:
    """The value of the first sum in the text that has an operator in it."""
    lowered = text.lower()[:4_000]
    for words, sign in _WORDED:
        lowered = words.sub(sign, lowered)
    for found in _SUM.finditer(lowered):
        expression = re.sub(r"(?<=\d),(?=\d{3})", "", found[0]).replace("x", "*").replace("×", "*").replace("÷", "/")
        if len(expression) > 100 or not re.search(r"\d[\s)]*[-+*/][\s(]*-?\d", expression):
            continue
        try:
            return _plain(_value(ast.parse(expression.strip(), mode="eval").body))
        except (SyntaxError, ValueError, ZeroDivisionError, OverflowError, RecursionError, MemoryError):
            continue
    return None


def _value(node: ast.expr) -> float:
    """Numbers and the four operations; nothing of the text is ever executed."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp) and (operation := _OPERATIONS.get(type(node.op))):
        return operation(_value(node.left), _value(node.right))
    raise ValueError("not a sum")


def _plain(value: float) -> str:
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    return f"{value:.6f}".rstrip("0").rstrip(".")
