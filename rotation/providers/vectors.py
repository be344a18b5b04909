"""A reply to a call for embeddings: good only when it holds vectors, as lists or as base64. The body is passed on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotation.core.failures import Failure, FailureKind
from rotation.providers.base import Answer, Usage
from rotation.providers.envelope import complaint
from rotation.providers.errors import classify, inside
from rotation.providers.redact import plain
from rotation.providers.wire import bare, parse


def read_vectors(status: int, headers: Mapping[str, str], body: bytes, now: float) -> Answer | Failure:
    """The vectors in a reply, or why there are none."""
    if not 200 <= status < 300:
        return classify(status, headers, body, now)
    try:
        parsed = parse(bare(body))
    except ValueError:
        return Failure(FailureKind.OVERLOADED, "answered with something that is not JSON", status)
    if complaint(parsed):
        return inside(parsed, now)
    data = parsed.get("data") if type(parsed) is dict else None
    if type(data) is not list or not data or not all(map(_vector, data)):
        return Failure(FailureKind.OVERLOADED, "answered without vectors", status)
    return Answer(bare(body), _usage(parsed), "stop", plain(parsed.get("model")))


def _vector(entry: Any) -> bool:
    vector = entry.get("embedding") if type(entry) is dict else None
    return isinstance(vector, str | list) and bool(vector)


def _usage(parsed: Mapping[str, Any]) -> Usage | None:
    usage = parsed.get("usage")
    tokens = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return Usage(tokens, 0) if type(tokens) is int and 0 <= tokens < 1e9 else None
