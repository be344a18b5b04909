"""An error body becomes a `Failure`: the tables of signals, tried in order, then the hints and the words to keep.

The order is part of the meaning: money before rate limits, "too large" before rate limits, a gone model before
"bad request", a context overflow before "bad request", content policy before a refused key, the status last.
It decides neither what follows from a kind (the failure table does) nor which body is an error (answers, streams).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rotation.core.failures import Failure, FailureKind
from rotation.providers.account_rules import KEY, LIMIT, MONEY
from rotation.providers.complaints import Complaint
from rotation.providers.envelope import complaint, read_complaint
from rotation.providers.hints import wait_hint
from rotation.providers.model_rules import FEATURE, GONE, PERMISSION
from rotation.providers.redact import plain, redact
from rotation.providers.request_rules import CONTEXT, GENERATION, LAST, POLICY, TOO_LARGE
from rotation.providers.rule import READ, Case, Rule
from rotation.providers.sentences import spent
from rotation.providers.wire import bare, html_title, is_html, lowered

RULES: tuple[Rule, ...] = (
    *MONEY, *TOO_LARGE, *GENERATION, *PERMISSION, *FEATURE, *GONE, *CONTEXT, *POLICY, *KEY, *LIMIT, *LAST,
)  # fmt: skip

# A hint does not make a refused request worth repeating: only these kinds keep it
WAITING = frozenset(
    {
        FailureKind.RATE_LIMITED,
        FailureKind.QUOTA_DAY,
        FailureKind.UPSTREAM_BUSY,
        FailureKind.OVERLOADED,
        FailureKind.OUT_OF_CREDIT,
    }
)
# words in a refusal -> the feature another call may need, the more particular first
_FEATURES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), feature)
    for pattern, feature in (
        (r"stream_options", "stream_options"),
        (r"parallel[ _]tool", "parallel_tools"),
        (r"tool|function[ _]?call", "tools"),
        (r"image|vision|multimodal", "images"),
        (r"json_schema|response[ _]format|structured[ _]output|json[ _]mode", "json_schema"),
        (r"audio", "audio"),
        (r"thinking|reasoning", "reasoning"),
        (r"\bstream(?:ing)?\b", "stream"),
    )
)
_QUOTED_NAME = re.compile(r"[`'\"]([A-Za-z][\w.]{0,59})[`'\"]")
_NOT_A_NAME = re.compile(r"\[\d+\]|[^A-Za-z0-9_.]")


def classify(status: int, headers: Mapping[str, str], body: bytes, now: float) -> Failure:
    """What an answer with an error status means. `now` is epoch seconds, for dates in hints."""
    heads = lowered(headers)
    if 300 <= status < 400:
        return Failure(FailureKind.OVERLOADED, "redirect refused", status)
    found = read_complaint(bare(body))
    if found is not None:
        return judge(found, status=status, headers=heads, now=now)
    return _unspoken(status, heads, body, now)


def inside(value: Any, now: float) -> Failure:
    """What an error inside a 200 means: `value` is the body or stream event that holds it."""
    found = complaint(value) or complaint({"error": value}) or Complaint()
    return judge(found, status=found.status if found.status and found.status >= 400 else None, headers={}, now=now)


def in_choice(choice: Mapping[str, Any], now: float) -> Failure | None:
    """The error one choice of an otherwise good reply holds, or None."""
    if error := choice.get("error"):
        return inside({"error": error}, now)
    if choice.get("finish_reason") == "error":
        return Failure(FailureKind.OVERLOADED, "finished with an error that says nothing", 200)
    return None


def judge(found: Complaint, *, status: int | None, headers: Mapping[str, str], now: float) -> Failure:
    """The failure a complaint stands for. `status` None: inside a 200, and it names none itself."""
    case = Case.of(found, status)
    rule = decide(case)
    kind = rule.kind if rule else FailureKind.BAD_REQUEST
    return Failure(
        kind,
        message=redact(found.told) or (f"HTTP {status}" if status else "an error without a word"),
        status=status,
        retry_after=_wait(rule, wait_hint(headers, found, now)) if kind in WAITING else None,
        blame=rule.blame if rule else None,
        type=plain(found.type) or None,
        code=plain(found.code) or None,
        param=plain(found.param) or None,
        feature=_feature(rule, found) if kind is FailureKind.LACKS_FEATURE else None,
    )


def _wait(rule: Rule | None, hint: float | None) -> float | None:
    return min(hint, rule.longest) if rule and rule.longest and hint else hint


_HOPELESS = Rule(FailureKind.TOO_LARGE_FOR_BUDGET)


def decide(case: Case) -> Rule | None:
    """The first row that matches, or None for a request that is bad in no known way."""
    if case.status in {413, 429, None} and (limit := spent(case.complaint.message[:READ])) and limit.hopeless:
        return _HOPELESS
    return next((rule for rule in RULES if rule.matches(case)), None)


def _unspoken(status: int, headers: Mapping[str, str], body: bytes, now: float) -> Failure:
    """No error of any known shape: a page, a line of text, nothing. Then the status speaks, but a 4xx that is not in
    the API's own words (a proxy's page, a wrong path) is not the caller's mistake and another target may do better."""
    page = is_html(body)
    text = html_title(body) if page else body[:READ].decode("utf-8", "replace").strip()
    failure = judge(Complaint(message=text), status=status, headers=headers, now=now)
    strange = page or not text or status in {404, 405}
    if strange and failure.kind in {FailureKind.BAD_REQUEST, FailureKind.NOT_PERMITTED}:
        said = f": {redact(text, longest=200)}" if text else ""
        message = f"answered {status} with {'a page' if page else 'no error body'}{said}"
        return Failure(FailureKind.OVERLOADED, message, status)
    return failure


def _feature(rule: Rule | None, found: Complaint) -> str | None:
    """Which feature is lacking: a name a call's needs know, else the refused parameter's own."""
    if rule and rule.feature:
        return rule.feature
    param = found.param or (found.relayed.param if found.relayed else None) or ""
    general = not param or param.startswith(("messages", "model"))  # says where, not what
    for text in found.texts if general else (param,):
        for pattern, feature in _FEATURES:
            if pattern.search(text[:READ]):
                return feature
    named = _QUOTED_NAME.search(found.message[:READ])
    name = _NOT_A_NAME.sub("", param or (named[1] if named else ""))
    return name.strip(".")[:60] or None
