"""Rules that make a provider misbehave, switchable while it runs: which requests they meet, and how often.

Several rules for one request share one draw: 30 % of one and 10 % of another are 40 % together, never both.
What a fault does to an answer stands in `mishaps.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    RATE_LIMIT = "rate_limit"
    UPSTREAM_BUSY = "upstream_busy"
    QUOTA_DAY = "quota_day"
    SERVER_ERROR = "server_error"
    OVERLOADED = "overloaded"
    SLOW = "slow"
    SLOW_FIRST = "slow_first"
    STALL = "stall"
    CUT = "cut"
    TRUNCATE = "truncate"
    MALFORMED = "malformed"
    EMPTY = "empty"
    HTML = "html"
    REDIRECT = "redirect"
    ERROR_IN_200 = "error_in_200"
    ERROR_IN_STREAM = "error_in_stream"
    WRONG_TYPE = "wrong_type"
    KEY_REVOKED = "key_revoked"
    CREDITS_GONE = "credits_gone"
    NO_PERMISSION = "no_permission"
    MODEL_GONE = "model_gone"
    LACKS_TOOLS = "lacks_tools"
    LACKS_IMAGES = "lacks_images"
    LACKS_JSON = "lacks_json"
    TOO_LONG = "too_long"
    CONTENT_POLICY = "content_policy"
    GENERATION_FAILED = "generation_failed"
    REFUSE_CONNECTION = "refuse_connection"
    GARBAGE_BYTES = "garbage_bytes"
    HUGE = "huge"


HINTS = ("", "retry_after", "retry_after_ms", "reset", "text", "none")
WAYS = {"": "", "reset": "reset", "close": "close"}  # cut
FORMS = ("", "json", "shape", "event", "body", "choices", "content", "choice")


class BadRule(ValueError):
    """What is wrong with a rule, naming the field."""


@dataclass(slots=True)
class Rule:
    """`kind`, `model`, `key` (the key, its tail or ""), `account` say whom it meets; "*" is anyone.
    `operation`: "" for calls to a model (what concerns a key or the wire as a whole meets listings and key checks too),
    "*" for everything, else chat, completions, embeddings, transcriptions, models or key.
    `seconds`: the hint's or the delay's, simulated. `after`: events (or half a body) that still go out.
    `from_`, `until`: simulated seconds since the world began, or epoch seconds. `hits` counts what it did.
    """

    fault: Fault
    kind: str = "*"
    operation: str = ""
    model: str = "*"
    key: str = ""
    account: str = ""
    probability: float = 1.0
    times: int | None = None
    from_: float | None = None
    until: float | None = None
    status: int = 0
    hint: str = ""
    seconds: float | None = None
    after: int | None = None
    way: str = ""
    form: str = ""
    size: int = 0
    message: str = ""
    id: int = 0
    hits: int = 0

    def meets(self, kind: str, operation: str, model: str, key: str, account: str) -> bool:
        return (
            self.kind in {"*", kind}
            and self._concerns(operation)
            and self.model in {"*", model}
            and (not self.key or key == self.key or key.endswith(self.key))
            and (not self.account or self.account == account)
        )

    def _concerns(self, operation: str) -> bool:
        if self.operation:
            return self.operation in {"*", operation}
        return operation not in {"models", "key"} or self.fault in {Fault.KEY_REVOKED, Fault.REFUSE_CONNECTION}

    def live(self, now: float, start: float) -> bool:
        if self.times is not None and self.hits >= self.times:
            return False
        since = now if self.from_ is None else _instant(self.from_, start)
        until = now + 1 if self.until is None else _instant(self.until, start)
        return since <= now < until

    def told(self) -> dict[str, Any]:
        return {
            ("from" if field_.name == "from_" else field_.name): getattr(self, field_.name) for field_ in fields(self)
        }


@dataclass(slots=True)
class Faults:
    """The rules in force, first come first served."""

    rules: list[Rule] = field(default_factory=list)
    _last: int = 0

    def add(self, rules: Iterable[Rule]) -> None:
        for rule in rules:
            self._last += 1
            rule.id = self._last
            self.rules.append(rule)

    def clear(self, rule_id: int | None = None) -> None:
        """All, or the one."""
        self.rules = [] if rule_id is None else [rule for rule in self.rules if rule.id != rule_id]

    def pick(
        self, *, kind: str, operation: str, model: str, key: str, account: str, now: float, start: float, draw: float
    ) -> Rule | None:
        """The rule that meets this request, counted as a hit. `draw` in [0, 1)."""
        reached = 0.0
        for rule in self.rules:
            if not rule.meets(kind, operation, model, key, account) or not rule.live(now, start):
                continue
            reached += rule.probability
            if draw < reached:
                rule.hits += 1
                return rule
        return None

    def hidden(self, kind: str, now: float, start: float) -> set[str]:
        """Models a listing does not show, because they are gone for everybody."""
        return {
            rule.model
            for rule in self.rules
            if rule.fault is Fault.MODEL_GONE
            and rule.kind in {"*", kind}
            and rule.probability >= 1
            and not rule.key
            and rule.live(now, start)
        }


def read_rules(given: Any) -> list[Rule]:
    """From parsed JSON: a rule, a list of rules, or {"rules": [...]}. Raises BadRule."""
    if isinstance(given, Mapping):
        given = given["rules"] if "rules" in given else [given]
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
    _check(values)
    return Rule(**values)


def _check(values: Mapping[str, Any]) -> None:
    for name in ("kind", "operation", "model", "key", "account", "hint", "way", "form", "message"):
        if not isinstance(values.get(name, ""), str):
            raise BadRule(f"{name} must be text")
    for name in ("probability", "from_", "until", "seconds"):
        if not _number(values.get(name, 0)):
            raise BadRule(f"{name.rstrip('_')} must be a number from 0 up")
    for name in ("times", "status", "after", "size"):
        if not _number(values.get(name, 0)) or isinstance(values.get(name), float):
            raise BadRule(f"{name} must be a whole number from 0 up")
    if values.get("probability", 1) > 1:
        raise BadRule("probability must be at most 1")
    for name, allowed in (("hint", HINTS), ("way", WAYS), ("form", FORMS)):
        if values.get(name, "") not in allowed:
            raise BadRule(f"{name} must be one of {', '.join(word for word in allowed if word)}")
    if values.get("status") and not 200 <= values["status"] <= 599:
        raise BadRule("status must be from 200 to 599")


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12


def _instant(given: float, start: float) -> float:
    return given if given >= 1e9 else start + given
