"""Together's words for every trouble."""

from __future__ import annotations

from collections.abc import Mapping

from rotation.simulator.kinds.errors import Row, Rows
from rotation.simulator.oops import Trouble

ROWS: Rows = {
    Trouble.NO_KEY: Row(
        401,
        "Missing API key. You can find your API key at https://api.together.ai/settings/api-keys.",
        code="missing_api_key",
    ),
    Trouble.BAD_KEY: Row(
        401,
        "Invalid API key provided. You can find your API key at https://api.together.ai/settings/api-keys.",
        code="invalid_api_key",
    ),
    Trouble.NOT_PERMITTED: Row(403, "You do not have access to the model {o.model}.", code="permission_denied"),
    Trouble.NO_MODEL: Row(
        404,
        (
            "Unable to access model {o.model}. Please visit https://api.together.ai/models to view the list "
            "of supported models."
        ),
        code="model_not_available",
    ),
    Trouble.MODEL_GONE: Row(
        404,
        (
            "Unable to access model {o.model}. Please visit https://api.together.ai/models to view the list "
            "of supported models."
        ),
        code="model_not_available",
    ),
    Trouble.LIMIT: Row(429, type="model_rate_limit"),
    Trouble.BUSY: Row(
        429,
        "Request was rejected due to dynamic rate limiting on model {o.model}. Please retry shortly.",
        type="dynamic_request_limited",
        code="dynamic_request_limited",
    ),
    Trouble.OVERLOADED: Row(
        503,
        "The server is overloaded. Please try again later.",
        type="service_unavailable",
        code="engine_overloaded",
    ),
    Trouble.SERVER: Row(500, "Internal server error", type="server_error"),
    Trouble.CREDIT: Row(
        402,
        "Credit limit exceeded, please navigate to https://api.together.xyz/settings/billing to add credits.",
        type="credit_limit",
    ),
    Trouble.LACKS: Row(400),
    Trouble.TOO_LONG: Row(
        422,
        (
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= {o.context}. Given: "
            "{o.tokens_in} `inputs` tokens and {o.tokens_max} `max_new_tokens`"
        ),
    ),
    Trouble.TOO_LARGE: Row(413, "Payload too large"),
    Trouble.POLICY: Row(400, "The request was flagged by the safety model.", code="content_policy_violation"),
    Trouble.GENERATION: Row(
        500,
        "The model produced an invalid tool call.",
        type="server_error",
        code="generation_failed",
    ),
    Trouble.BAD_REQUEST: Row(400),
    Trouble.NOT_FOUND: Row(404, "Not found: {o.method} {o.path}", code="not_found"),
    Trouble.NOT_ALLOWED: Row(405, "Method not allowed: {o.method} {o.path}", code="method_not_allowed"),
}

# what is said about a feature a model lacks: message and param
LACKS: Mapping[str, tuple[str, str]] = {
    "tools": (
        "Function calling is not supported by this model.",
        "tools",
    ),
    "json": (
        "JSON mode is not supported by this model.",
        "response_format",
    ),
    "images": (
        "This model does not support image inputs.",
        "messages",
    ),
}
