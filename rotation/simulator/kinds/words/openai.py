"""OpenAI's words for every trouble."""

from __future__ import annotations

from collections.abc import Mapping

from rotation.simulator.kinds.errors import Row, Rows
from rotation.simulator.oops import Trouble

ROWS: Rows = {
    Trouble.NO_KEY: Row(
        401,
        (
            "You didn't provide an API key. You need to provide your API key in an Authorization header "
            "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
        ),
    ),
    Trouble.BAD_KEY: Row(
        401,
        (
            "Incorrect API key provided: {o.key}. You can find your API key at "
            "https://platform.openai.com/account/api-keys."
        ),
        code="invalid_api_key",
    ),
    Trouble.NOT_PERMITTED: Row(401, "You have insufficient permissions for this operation."),
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
    Trouble.BUSY: Row(429, "The engine is currently overloaded, please try again later.", type="server_error"),
    Trouble.OVERLOADED: Row(
        503,
        (
            "That model is currently overloaded with other requests. You can retry your request, or contact "
            "us through our help center at help.openai.com if the error persists."
        ),
        type="server_error",
    ),
    Trouble.SERVER: Row(
        500,
        "The server had an error while processing your request. Sorry about that!",
        type="server_error",
    ),
    Trouble.CREDIT: Row(
        429,
        (
            "You exceeded your current quota, please check your plan and billing details. For more "
            "information on this error, read the docs: "
            "https://platform.openai.com/docs/guides/error-codes/api-errors."
        ),
        type="insufficient_quota",
        code="insufficient_quota",
    ),
    Trouble.LACKS: Row(400),
    Trouble.TOO_LONG: Row(
        400,
        (
            "This model's maximum context length is {o.context} tokens. However, your messages resulted in "
            "{o.tokens_in} tokens. Please reduce the length of the messages."
        ),
        code="context_length_exceeded",
        param="messages",
    ),
    Trouble.TOO_LARGE: Row(
        413,
        "413: Maximum content size limit (26214400) exceeded ({o.size} bytes read)",
        type="server_error",
    ),
    Trouble.POLICY: Row(
        400,
        (
            "Your request was rejected as a result of our safety system. Your prompt may contain text that "
            "is not allowed by our safety system."
        ),
        code="content_policy_violation",
    ),
    Trouble.GENERATION: Row(
        500,
        (
            "The model produced invalid content. Consider modifying your prompt if you are seeing this error "
            "persistently."
        ),
        type="model_error",
    ),
    Trouble.BAD_REQUEST: Row(400),
    Trouble.NOT_FOUND: Row(404, "Invalid URL ({o.method} {o.path})"),
    Trouble.NOT_ALLOWED: Row(
        405,
        "Not allowed to {o.method} on {o.path} (HINT: Perhaps you meant to use a different HTTP method?)",
    ),
}

# what is said about a feature a model lacks: message and param
LACKS: Mapping[str, tuple[str, str]] = {
    "tools": (
        "Unsupported parameter: 'tools' is not supported with this model.",
        "tools",
    ),
    "json": (
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
        "response_format",
    ),
    "images": (
        "Invalid content type. image_url is only supported by certain models.",
        "messages.[0].content.[0].type",
    ),
}

AXES: Mapping[str, str] = {
    "RPM": "requests per min (RPM)",
    "RPD": "requests per day (RPD)",
    "TPM": "tokens per min (TPM)",
    "TPD": "tokens per day (TPD)",
}
