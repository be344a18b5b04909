"""The client's payload made into a request: the model replaced, the rest kept, the address and headers ours alone.

Nothing in a payload may decide where a request goes or with which key: fields that some libraries read that way are
taken out. What one provider refuses is its own table (`drops`), and the names dropped are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson

from rotation.providers.base import Outgoing

# Read by client libraries as addresses, keys or raw parts of a request; and `models`, which asks the gateway
NEVER_SENT = frozenset(
    {"api_base", "base_url", "api_key", "headers", "extra_headers", "extra_body", "extra_query", "models"}
)
# OpenRouter's own extensions: others refuse them or misread them
OPENROUTER_ONLY = frozenset({"provider", "plugins", "route", "transforms", "usage"})
AGENT = "rotation"


def body_of(payload: Mapping[str, Any], model: str, drops: frozenset[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The payload for `model` without what must not or cannot be sent, and the names left out."""
    body = dict(payload)
    names = payload.keys()
    dropped: tuple[str, ...] = ()
    if not (names.isdisjoint(NEVER_SENT) and names.isdisjoint(drops)):
        out = tuple(name for name in payload if name in NEVER_SENT or name in drops)
        for name in out:
            del body[name]
        dropped = tuple(name for name in out if name != "models")
    body["model"] = model
    return body, dropped


def with_usage(body: dict[str, Any]) -> None:
    """Ask for a stream's usage, whatever else the client's stream options say."""
    options = body.get("stream_options")
    kept = options if isinstance(options, dict) else {}
    body["stream_options"] = {**kept, "include_usage": True}


def authorised(secret: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Headers of any request. A server without keys gets no authorization header."""
    headers = {"user-agent": AGENT, **extra}
    if secret:
        headers["authorization"] = f"Bearer {secret}"
    return headers


def post(url: str, headers: dict[str, str], body: dict[str, Any], dropped: tuple[str, ...]) -> Outgoing:
    """A JSON request. Raises ValueError when the payload holds what JSON cannot (lone surrogates, NaN is null)."""
    headers["content-type"] = "application/json"
    if body.get("stream") is True:
        headers["accept"] = "text/event-stream"
        headers["accept-encoding"] = "identity"  # a compressor would hold events back
    else:
        headers["accept"] = "application/json"
    try:
        return Outgoing("POST", url, headers, orjson.dumps(body), dropped)
    except TypeError as error:  # orjson's own error is one
        raise ValueError(f"the payload cannot be written as JSON: {error}") from None


def get(url: str, headers: dict[str, str]) -> Outgoing:
    """A request for a listing or a key check."""
    return Outgoing("GET", url, {**headers, "accept": "application/json"})


@lru_cache(maxsize=256)
def header_text(value: str | None) -> str:
    """An operator's option as a header value: printable ASCII on one line."""
    return "".join(c for c in value if " " <= c <= "~").strip()[:200] if isinstance(value, str) else ""


def names(value: object) -> frozenset[str]:
    """An option that lists parameter names."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return frozenset()
    return frozenset(str(name) for name in value)
