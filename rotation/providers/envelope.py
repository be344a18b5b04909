"""The shapes an error comes in, read into one: object, string, flat, in a list, relayed inside another.

It finds what a body says (message, type, code, status, waits) and draws no conclusion from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rotation.providers.complaints import Complaint
from rotation.providers.wire import parse

DEEPEST = 3  # an error relayed by an error relayed by an error
_THREE_DIGITS = re.compile(r"[1-5][0-9]{2}\Z")


def read_complaint(body: bytes) -> Complaint | None:
    """The complaint in a body, or None when it holds no error of any known shape."""
    try:
        return complaint(parse(body))
    except ValueError:
        return None


def complaint(value: Any, depth: int = 0) -> Complaint | None:
    """The complaint in a parsed body, stream event or choice, or None."""
    if isinstance(value, str):
        return _said(value, depth) if value.strip() else None
    if isinstance(value, list):
        return _listed(value, depth)
    return _enveloped(value, depth) if isinstance(value, dict) and depth <= DEEPEST else None


def _enveloped(value: Mapping[str, Any], depth: int) -> Complaint | None:
    inner = value.get("error")
    if isinstance(inner, str) and inner.strip():
        return _titled(inner, value, depth)
    if isinstance(inner, dict) and inner:
        return _fields(inner, depth)
    if isinstance(inner, list) and inner:
        return _listed(inner, depth)
    return _fields(value, depth) if _is_flat(value) else None


def _is_flat(value: Mapping[str, Any]) -> bool:
    if "choices" in value:
        return False
    if value.get("object") == "error" or value.get("error") is True or value.get("type") == "error":
        return True
    if "detail" in value or "errors" in value:
        return True
    return isinstance(value.get("message"), str) and any(name in value for name in ("type", "code", "status", "param"))


def _titled(title: str, value: Mapping[str, Any], depth: int) -> Complaint:
    """`{"error": "text"}`, and `{"error": "code", "message": "text"}`."""
    text = value.get("message")
    if isinstance(text, str) and text.strip():
        return _fields({"code": title, **{k: v for k, v in value.items() if k != "error"}}, depth)
    return _said(title, depth)


def _said(text: str, depth: int) -> Complaint:
    """A bare text; some hold another body as JSON."""
    relayed = _relayed(text, depth) if text.lstrip()[:1] in {"{", "["} else None
    return relayed or Complaint(message=text)


def _listed(values: list[Any], depth: int) -> Complaint | None:
    """A list of errors: the first one speaks; validation errors name their field in `loc`."""
    first = values[0] if values else None
    if isinstance(first, dict) and isinstance(first.get("msg"), str):
        where = [str(part) for part in _each(first.get("loc")) if part != "body"]
        word = _text(first.get("type"))
        message = f"{'.'.join(where)}: {first['msg']}" if where else first["msg"]
        return Complaint(message=message, type=word, param=".".join(where) or None, words=_words(word))
    return complaint(first, depth + 1) if isinstance(first, dict | str) else None


def _fields(value: Mapping[str, Any], depth: int) -> Complaint:
    meta, offer = _mapping(value.get("metadata")), _mapping(value.get("availability"))
    code, kind = value.get("code"), _text(value.get("type")) or _text(value.get("error_type"))
    kind = kind or _text(meta.get("error_type"))
    inner = _message(value, depth)
    headers = {k.lower(): v for k, v in _mapping(meta.get("headers")).items() if isinstance(v, str)}
    named = (value.get("error_type"), meta.get("error_type"), meta.get("limit_source"), offer.get("code"))
    return Complaint(
        message=inner.message,
        type=kind or inner.type,
        code=_id(code) or _id(offer.get("code")) or inner.code,
        param=_text(value.get("param")) or inner.param,
        status=_status(code, value.get("status_code"), value.get("http_status"), value.get("status")) or inner.status,
        words=_words(kind, _id(code), value.get("status"), *named, *_signs(value, meta)) | inner.words,
        waits=(offer.get("retry_after"), meta.get("retry_after_seconds"), value.get("retry_after"), *_delays(value)),
        reset=headers.get("x-ratelimit-reset"),
        retryable=offer.get("retryable") if isinstance(offer.get("retryable"), bool) else None,
        about=_text(_mapping(offer.get("constraint")).get("field")),
        headers=headers,
        relayed=_relayed(meta.get("raw"), depth) or inner.relayed,
    )


def _message(value: Mapping[str, Any], depth: int) -> Complaint:
    """The message may be a text, another error, or a list of validation errors."""
    for name in ("message", "msg", "detail", "errors"):
        found = value.get(name)
        if isinstance(found, str) and found.strip():
            return Complaint(message=found)
        if isinstance(found, dict | list) and found:
            return _nested(found, depth) or Complaint()
    return Complaint()


def _nested(value: Any, depth: int) -> Complaint | None:
    if depth >= DEEPEST:
        return None
    return complaint(value, depth + 1) or (_fields(value, depth + 1) if isinstance(value, dict) else None)


def _relayed(raw: Any, depth: int) -> Complaint | None:
    """An upstream's own body, which providers pass on as a string."""
    if isinstance(raw, dict):
        return complaint(raw, depth + 1)
    if not isinstance(raw, str) or not raw.strip() or depth >= DEEPEST:
        return None
    try:
        found = parse(raw.encode("utf-8", "replace"))
    except ValueError:
        return Complaint(message=raw)
    return complaint(found, depth + 1) or (_fields(found, depth + 1) if isinstance(found, dict) else None)


def _signs(value: Mapping[str, Any], meta: Mapping[str, Any]) -> Iterable[str]:
    """Fields whose mere presence says what happened."""
    if "failed_generation" in value:
        yield "failed_generation"
    if meta.get("reasons") or meta.get("patterns") or "flagged_input" in meta:
        yield "moderation"
    if any("PerDay" in str(_mapping(v).get("quotaId")) for d in _details(value) for v in _each(d.get("violations"))):
        yield "per_day"


def _delays(value: Mapping[str, Any]) -> list[Any]:
    return [detail.get("retryDelay") for detail in _details(value) if detail.get("retryDelay")]


def _details(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [detail for detail in _each(value.get("details"))[:20] if isinstance(detail, dict)]


def _status(*candidates: Any) -> int | None:
    for found in candidates:
        number = int(found) if isinstance(found, str) and _THREE_DIGITS.match(found) else found
        if isinstance(number, int) and not isinstance(number, bool) and 100 <= number <= 599:
            return number
    return None


def _id(code: Any) -> str | None:
    """A code that is a name; numbers are statuses."""
    return code if isinstance(code, str) and code and not code.isdigit() else None


def _words(*values: Any) -> frozenset[str]:
    return frozenset(v.lower()[:100] for v in values if isinstance(v, str) and v)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
