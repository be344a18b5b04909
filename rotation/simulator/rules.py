"""Reads fault rules from what the control plane was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from rotation.simulator.faults import Fault, Rule
from rotation.simulator.kinds import KINDS

HINTS = ("", "retry_after", "retry_after_ms", "reset", "text", "none")
WAYS = ("", "reset", "close")
KINDS_OR_ALL = ("*", *KINDS)
FORMS = ("", "json", "shape", "event", "body", "choices", "content", "choice", "answer")


class BadRule(ValueError):
    """What is wrong with a rule, naming the field."""


_TEXTS = ("kind", "operation", "model", "key", "account", "hint", "way", "form", "message", "code")
_NUMBERS = ("probability", "from_", "until", "seconds")
_WHOLE = ("times", "status", "after", "size")


def read_rules(given: Any) -> list[Rule]:
    """From parsed JSON: a rule, a list of rules, or {"rules": [...]}. Raises BadRule."""
    if isinstance(given, Mapping):
        given = given.get("rules", [given])
    if not isinstance(given, list):
        raise BadRule("send a rule or a list of rules")
    return [_read_rule(rule) for rule in given]


def _read_rule(given: Any) -> Rule:
    if not isinstance(given, Mapping):
        raise BadRule("a rule is an object")
    known = {("from" if field_.name == "from_" else field_.name) for field_ in fields(Rule)} - {"id", "hits"}
    if unknown := set(given) - known:
        raise BadRule(f"no such field in a rule: {', '.join(sorted(map(str, unknown)))}")
    if given.get("fault") not in set(Fault):
        raise BadRule(f"fault must be one of {', '.join(Fault)}")
    values = {("from_" if name == "from" else name): value for name, value in given.items() if value is not None}
    values["fault"] = Fault(given["fault"])
    _check_types(values)
    _check_words(values)
    return Rule(**values)


def _check_types(values: Mapping[str, Any]) -> None:
    for name in _TEXTS:
        if not isinstance(values.get(name, ""), str):
            raise BadRule(f"{name} must be text")
    for name in (*_NUMBERS, *_WHOLE):
        value = values.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
            raise BadRule(f"{name.rstrip('_')} must be a number from 0 up")
        if name in _WHOLE and isinstance(value, float):
            raise BadRule(f"{name} must be a whole number")


def _check_words(values: Mapping[str, Any]) -> None:
    if values.get("probability", 1) > 1:
        raise BadRule("probability must be at most 1")
    if values.get("kind", "*") not in KINDS_OR_ALL:
        raise BadRule(f"kind must be one of {', '.join(KINDS_OR_ALL)}")
    for name, allowed in (("hint", HINTS), ("way", WAYS), ("form", FORMS)):
        if values.get(name, "") not in allowed:
            raise BadRule(f"{name} must be one of {', '.join(word for word in allowed if word)}")
    if values.get("status") and not 200 <= values["status"] <= 599:
        raise BadRule("status must be from 200 to 599")
