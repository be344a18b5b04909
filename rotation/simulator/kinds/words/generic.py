"""A llama.cpp-like server's words for every trouble."""

from __future__ import annotations

from collections.abc import Mapping

from rotation.simulator.kinds.errors import Row, Rows
from rotation.simulator.oops import Trouble

ROWS: Rows = {
    Trouble.NO_KEY: Row(401, "Invalid API Key", type="authentication_error"),
    Trouble.BAD_KEY: Row(401, "Invalid API Key", type="authentication_error"),
    Trouble.NOT_PERMITTED: Row(403, "This key may not use {o.model}", type="permission_error"),
    Trouble.NO_MODEL: Row(404, "model '{o.model}' not found", type="not_found_error"),
    Trouble.MODEL_GONE: Row(404, "model '{o.model}' not found", type="not_found_error"),
    Trouble.LIMIT: Row(429, "Too many requests", type="rate_limit_error"),
    Trouble.BUSY: Row(
        503,
        "server busy, please try again.  maximum pending requests exceeded",
        type="unavailable_error",
    ),
    Trouble.OVERLOADED: Row(503, "Loading model", type="unavailable_error"),
    Trouble.SERVER: Row(500, "Internal Server Error", type="server_error"),
    Trouble.CREDIT: Row(402, "Insufficient Balance", type="unknown_error"),
    Trouble.LACKS: Row(500, type="server_error"),
    Trouble.TOO_LONG: Row(
        400,
        ("the request exceeds the available context size. try increasing the context size or enable context shift"),
        type="exceed_context_size_error",
    ),
    Trouble.TOO_LARGE: Row(413, "Payload too large"),
    Trouble.POLICY: Row(400, "Content blocked by policy", type="content_policy_violation"),
    Trouble.GENERATION: Row(500, "Failed to parse tool call", type="server_error"),
    Trouble.BAD_REQUEST: Row(400),
    Trouble.NOT_FOUND: Row(404, "File Not Found", type="not_found_error"),
    Trouble.NOT_ALLOWED: Row(404, "File Not Found", type="not_found_error"),
}

# what is said about a feature a model lacks: the message
LACKS: Mapping[str, str] = {
    "tools": "tools param requires --jinja flag",
    "json": "response_format of this type is not supported",
    "images": "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
}
