"""OpenRouter's words for every trouble. Its `code` is the HTTP status, so rows carry none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotation.simulator.kinds.errors import Row, Rows
from rotation.simulator.oops import Oops, Trouble

ROWS: Rows = {
    Trouble.NO_KEY: Row(401, "Missing Authentication header"),
    Trouble.BAD_KEY: Row(401, "User not found."),
    Trouble.NOT_PERMITTED: Row(
        404,
        (
            "No endpoints found matching your data policy (Free model publication). Configure: "
            "https://openrouter.ai/settings/privacy"
        ),
    ),
    Trouble.NO_MODEL: Row(400, "{o.model} is not a valid model ID"),
    Trouble.MODEL_GONE: Row(404, "No endpoints found for {o.model}."),
    Trouble.LIMIT: Row(429),
    Trouble.BUSY: Row(429, "Provider returned error"),
    Trouble.OVERLOADED: Row(503, "Service temporarily unavailable"),
    Trouble.SERVER: Row(500, "Internal Server Error"),
    Trouble.CREDIT: Row(402, "Insufficient credits. Add more using https://openrouter.ai/settings/credits"),
    Trouble.LACKS: Row(404),
    Trouble.TOO_LONG: Row(
        400,
        (
            "This endpoint's maximum context length is {o.context} tokens. However, you requested about "
            "{o.size} tokens ({o.tokens_in} of text input, {o.tokens_max} in the output). Please reduce the "
            'length of either one, or use the "middle-out" transform to compress your prompt automatically.'
        ),
    ),
    Trouble.TOO_LARGE: Row(413, "Request payload too large"),
    Trouble.POLICY: Row(
        403,
        '{o.model} requires moderation. Your input was flagged for "violence". No credits were charged.',
    ),
    Trouble.GENERATION: Row(400, "Provider returned error"),
    Trouble.BAD_REQUEST: Row(400),
    Trouble.NOT_FOUND: Row(404, "Not Found"),
    Trouble.NOT_ALLOWED: Row(405, "Method Not Allowed"),
}

# what is said about a feature a model lacks: the words for it
LACKS: Mapping[str, str] = {
    "tools": "tool use",
    "images": "image input",
    "json": "the requested response format",
}


def metadata(oops: Oops) -> dict[str, Any]:
    """What stands beside the message; {} for most troubles."""
    match oops.what:
        case Trouble.BUSY:
            raw = (
                f"{oops.model} is temporarily rate-limited upstream. Please retry shortly, or add your own key to "
                "accumulate your rate limits: https://openrouter.ai/settings/integrations"
            )
            return {"raw": raw, "provider_name": "Chutes", "is_byok": False}
        case Trouble.POLICY:
            flagged = {"reasons": ["violence"], "flagged_input": oops.detail[:100]}
            return {**flagged, "provider_name": "OpenAI", "model_slug": oops.model}
        case Trouble.GENERATION:
            raw = '{"code":400,"msg":"the model produced an invalid tool call"}'
            return {"raw": raw, "provider_name": "Chutes", "is_byok": False}
        case Trouble.TOO_LONG:
            return {"provider_name": "Chutes"}
    return {}
