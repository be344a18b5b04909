"""Rules that make a provider misbehave, switchable while it runs: which requests they meet, and how often.

Several rules for one request share one draw: 30 % of one and 10 % of another are 40 % together, never both.
What a fault does stands in `refusals.py` and `spoilers.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
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


_LACKS = {Fault.LACKS_TOOLS: "tools", Fault.LACKS_IMAGES: "images", Fault.LACKS_JSON: "json"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a rule may look at. `features`: of tools, images, json."""

    kind: str
    operation: str
    model: str
    key: str
    account: str
    features: frozenset[str] = frozenset()


@dataclass(slots=True)
class Rule:
    """`kind`, `model`, `key` (the key, its tail or ""), `account` say whom it meets; "*" is anyone.
    `operation`: "" for calls to a model (what concerns a key or the wire as a whole meets listings and key checks too),
    "*" for everything, else chat, completions, embeddings, transcriptions, models or key.
    `seconds`: the hint's or the delay's, simulated. `after`: events (or half a body) that still go out.
    `message`, `code`, `status` replace the provider's own. `size`: bytes of a huge answer, tokens still affordable.
    `way` (cut): reset or close. `form` says which variant, see `spoilers.py`.
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
    code: str = ""
    id: int = 0
    hits: int = 0

    def meets(self, asked: Asked) -> bool:
        return (
            self.kind in {"*", asked.kind}
            and self._concerns(asked)
            and self.model in {"*", asked.model}
            and (not self.key or asked.key.endswith(self.key))
            and (not self.account or self.account == asked.account)
        )

    def _concerns(self, asked: Asked) -> bool:
        if self.fault in _LACKS and _LACKS[self.fault] not in asked.features:
            return False
        if self.operation:
            return self.operation in {"*", asked.operation}
        return asked.operation not in {"models", "key"} or self.fault in {Fault.KEY_REVOKED, Fault.REFUSE_CONNECTION}

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

    def pick(self, asked: Asked, *, now: float, start: float, draw: float) -> Rule | None:
        """The rule that meets this request, counted as a hit. `draw` in [0, 1)."""
        reached = 0.0
        for rule in self.rules:
            if not rule.meets(asked) or not rule.live(now, start):
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


def _instant(given: float, start: float) -> float:
    return given if given >= 1e9 else start + given
