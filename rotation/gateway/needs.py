"""What a chat's payload asks of a model: sizes, features, pictures. Estimates where nobody has counted yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotation.core.targets import Needs

IMAGE_TOKENS = 800  # about a mid-sized picture at OpenAI's and Groq's counting
BYTES_PER_TOKEN = 4


def needs_of(payload: Mapping[str, Any], size: int) -> Needs:
    """What the payload asks of a target; `size` is the body's bytes, four of them counted as a token."""
    images, image_bytes = _images(payload["messages"])
    tools = bool(payload.get("tools"))
    form = payload.get("response_format") or {}
    return Needs(
        prompt_tokens=max(size - image_bytes, 0) // BYTES_PER_TOKEN + images * IMAGE_TOKENS,
        max_output=payload.get("max_completion_tokens") or payload.get("max_tokens"),
        tools=tools,
        parallel_tools=tools and payload.get("parallel_tool_calls") is True,
        json_schema=form.get("type") == "json_schema",
        json_mode=form.get("type") == "json_object",
        images=images,
        image_bytes=image_bytes,
        choices=payload.get("n") or 1,
        stream=bool(payload.get("stream")),
    )


def _images(messages: list[dict[str, Any]]) -> tuple[int, int]:
    """How many pictures the messages hold, and how many bytes of the body they are."""
    count = size = 0
    for message in messages:
        content = message.get("content")
        if type(content) is not list:
            continue
        for part in content:
            if type(part) is dict and part.get("type") == "image_url":
                image = part.get("image_url")
                url = image.get("url") if type(image) is dict else image
                count, size = count + 1, size + (len(url) if type(url) is str else 0)
    return count, size
