"""Take out of a provider's text what must not travel: keys, bearer headers, secrets in addresses, odd characters.

Providers echo keys, account names and whole requests in their errors; what is left here may be shown, logged and
stored. It does not judge meaning: classification reads the text before it comes here.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote

from rotation.core.failures import Failure

LONGEST = 500
_READ = 4000  # nothing beyond is looked at: no pattern below is worth running over a megabyte
_HIDDEN = "[hidden]"

# (what must be in the lower-cased text for it to be worth looking, pattern, replacement), in order
_SECRETS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (
        "authorization",
        re.compile(r"(?i)\b(authorization[\"']?\s*[:=]\s*[\"']?)(?:(?:bearer|basic)\s+)?[^\s\"',}]+"),
        rf"\1{_HIDDEN}",
    ),
    ("bearer", re.compile(r"(?i)\b(bearer)\s+(?!realm\b)[A-Za-z0-9._~+/=*-]{6,}"), rf"\1 {_HIDDEN}"),
    ("basic", re.compile(r"\b(Basic)\s+[A-Za-z0-9+/=]{8,}"), rf"\1 {_HIDDEN}"),
    ("key provided:", re.compile(r"(?i)\b(api[ _-]?key provided: ?).{1,200}?(?=\. |\.?$)"), rf"\1{_HIDDEN}"),
    ("key", re.compile(r"(?i)\b((?:x-)?api[_-]?key[\"']?\s*[:=]\s*[\"']?)[^\s\"',}&]+"), rf"\1{_HIDDEN}"),
    ("://", re.compile(r"://[^\s/@:]{1,100}:[^\s/@]{1,200}@"), f"://{_HIDDEN}@"),
    (
        "=",
        re.compile(
            r"(?i)([?&;](?:[a-z0-9_.-]{0,40}(?:key|token|secret|signature|password|credential)|sig|auth)=)[^&;\s\"'<>)]+"
        ),
        rf"\1{_HIDDEN}",
    ),
    (
        "",
        re.compile(r"\b(?:sk|rk|pk|csk|gsk|xai|pplx|nvapi|tgp|hf|fw|sess|r8|ghp|glpat)[-_][A-Za-z0-9_*.…-]{6,}"),
        _HIDDEN,
    ),
    ("sk-", re.compile(r"\bsk-[A-Za-z0-9_*.…-]+"), _HIDDEN),
    ("aiza", re.compile(r"\bAIza[A-Za-z0-9_-]{10,}"), _HIDDEN),
    ("eyj", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)*"), _HIDDEN),
    ("", re.compile(r"\b[0-9a-fA-F]{40,}\b"), _HIDDEN),
    ("***", re.compile(r"\b[A-Za-z0-9]{6,}\*{3,}[A-Za-z0-9]*|\*{4,}[A-Za-z0-9-]*"), _HIDDEN),
    ("", re.compile(r"\b((?:org|user|proj)[-_])[A-Za-z0-9]{12,}"), rf"\1{_HIDDEN}"),
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")  # and direction marks
_NOT_TEXT = re.compile("[\ud800-\udfff\ufffe\uffff]")  # lone surrogates: no encoder takes them


def redact(text: str, *secrets: str, longest: int = LONGEST) -> str:
    """`text` without keys (and without `secrets`, the ones we sent), cut to `longest` characters, safe to store."""
    text = _start(text)
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, _HIDDEN).replace(quote(secret, safe=""), _HIDDEN)
    text = _NOT_TEXT.sub("\ufffd", _CONTROL.sub(" ", text))
    lower = text.lower()
    for sign, pattern, replacement in _SECRETS:
        if sign in lower:
            text = pattern.sub(replacement, text)
    text = text.strip()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def conceal(failure: Failure, secret: str) -> Failure:
    """The failure without the secret that was sent, for an echo no pattern could know."""
    if len(secret) < 4 or (secret not in failure.message and quote(secret, safe="") not in failure.message):
        return failure
    return replace(failure, message=redact(failure.message, secret))


def plain(text: object, longest: int = 200) -> str:
    """A short name (a type, a code, a title) on one line: nothing but a string comes through."""
    return " ".join(redact(text, longest=longest).split()) if isinstance(text, str) else ""


def _start(text: str) -> str:
    if len(text) <= _READ:
        return text
    head = text[:_READ]
    return head[: head.rfind(" ")] if " " in head[-300:] else head  # half a key at the cut would slip through
