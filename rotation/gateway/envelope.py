"""Every answer that is not a completion, in OpenAI's error envelope.

`Refusal` is raised by anything that turns a call down before or instead of sending it; the doors render it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

JSON = "application/json"

TYPES: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "invalid_request_error",
    403: "permission_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    408: "timeout_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    429: "rate_limit_error",
    502: "server_error",
    503: "server_error",
    504: "timeout_error",
}


@dataclass(eq=False)  # an exception carries its traceback: it is neither frozen nor shared
class Refusal(Exception):
    """A call turned down. `status` is HTTP; `headers` are added to the answer; `more` joins the error object."""

    status: int
    message: str
    code: str
    param: str | None = None
    type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> bytes:
        return orjson.dumps({"error": error_object(self)})


def error_object(refusal: Refusal) -> dict[str, Any]:
    """`{message, type, param, code}`, and what the refusal adds."""
    kind = refusal.type or TYPES.get(refusal.status, "server_error")
    core = {"message": refusal.message, "type": kind, "param": refusal.param, "code": refusal.code}
    return {**core, **refusal.more}


def internal_error() -> Refusal:
    """500: our own mistake, which is in the log."""
    return Refusal(500, "An internal error; it has been logged.", "internal_error")


def invalid(message: str, *, param: str | None = None, code: str = "invalid_value") -> Refusal:
    """400: the caller can mend it."""
    return Refusal(400, message, code, param)


def error_event(message: str, code: str, *, kind: str = "server_error") -> bytes:
    """The server-sent event that ends a broken stream; every OpenAI client raises on it."""
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return b"data: " + orjson.dumps(body) + b"\n\n"
