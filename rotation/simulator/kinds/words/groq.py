"""Groq's words for every trouble."""

from __future__ import annotations

from collections.abc import Mapping

from rotation.simulator.kinds.errors import Row, Rows
from rotation.simulator.oops import Trouble

ROWS: Rows = {
    Trouble.NO_KEY: Row(401, "Invalid API Key", code="invalid_api_key"),
    Trouble.BAD_KEY: Row(401, "Invalid API Key", code="invalid_api_key"),
    Trouble.NOT_PERMITTED: Row(
        403,
        (
            "The model `{o.model}` is blocked at the project level. Please have a project admin enable this "
            "model in the project settings."
        ),
        type="permissions_error",
        code="model_permission_blocked_project",
    ),
    Trouble.NO_MODEL: Row(
        404,
        "The model `{o.model}` does not exist or you do not have access to it.",
        code="model_not_found",
    ),
    Trouble.MODEL_GONE: Row(
        404,
        "The model `{o.model}` does not exist or you do not have access to it.",
        code="model_not_found",
    ),
    Trouble.LIMIT: Row(429, type="tokens", code="rate_limit_exceeded"),
    Trouble.BUSY: Row(
        498,
        "Flex tier capacity exceeded for model `{o.model}`. Please try again later.",
        type="internal_server_error",
        code="capacity_exceeded",
    ),
    Trouble.OVERLOADED: Row(
        503,
        (
            "{o.model} is currently over capacity. Please try again and back off exponentially. Visit "
            "https://groqstatus.com to see if there is an active incident."
        ),
        type="internal_server_error",
    ),
    Trouble.SERVER: Row(500, "Internal Server Error", type="internal_server_error"),
    Trouble.CREDIT: Row(
        402,
        ("Your organization has exceeded its spend limit. Please visit https://console.groq.com/settings/billing."),
        type="billing_error",
        code="blocked_api_access",
    ),
    Trouble.LACKS: Row(400),
    Trouble.TOO_LONG: Row(
        400,
        "Please reduce the length of the messages or completion.",
        code="context_length_exceeded",
        param="messages",
    ),
    Trouble.TOO_LARGE: Row(413, "Request Entity Too Large", code="request_too_large"),
    Trouble.POLICY: Row(
        400,
        "Request blocked: the content was flagged as unsafe.",
        code="content_policy_violation",
    ),
    Trouble.GENERATION: Row(
        400,
        "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
        code="tool_use_failed",
    ),
    Trouble.BAD_REQUEST: Row(400),
    Trouble.NOT_FOUND: Row(
        404,
        (
            "Unknown request URL: {o.method} {o.path}. Please check the URL for typos, or see the docs at "
            "https://console.groq.com/docs/"
        ),
        code="unknown_url",
    ),
    Trouble.NOT_ALLOWED: Row(405, "Method Not Allowed: {o.method} {o.path}", code="method_not_allowed"),
}

# what is said about a feature a model lacks: message and param
LACKS: Mapping[str, tuple[str, str]] = {
    "tools": (
        "`tool calling` is not supported with this model",
        "tool calling",
    ),
    "json": (
        (
            "This model does not support response format `json_schema`. See supported models at "
            "https://console.groq.com/docs/structured-outputs#supported-models"
        ),
        "response_format",
    ),
    "images": (
        "messages[0].content must be a string",
        "messages[0].content",
    ),
}

AXES: Mapping[str, str] = {
    "RPM": "requests per minute (RPM)",
    "RPD": "requests per day (RPD)",
    "TPM": "tokens per minute (TPM)",
    "TPD": "tokens per day (TPD)",
    "ASPH": "seconds of audio per hour (ASPH)",
    "ASPD": "seconds of audio per day (ASPD)",
}
