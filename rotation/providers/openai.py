"""OpenAI itself: strict about unknown parameters, one list for all kinds of models, no prices, no context sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rotation.providers import listings
from rotation.providers.base import Listed
from rotation.providers.model_names import family, type_of
from rotation.providers.openai_like import OpenAILike
from rotation.providers.redact import plain
from rotation.providers.requests import OPENROUTER_ONLY, header_text

# Answered by the older completions or the newer responses endpoint, never by chat completions
_NOT_CHAT = re.compile(
    r"(?:davinci|babbage|curie|ada)-\d|-instruct\b|-codex\b|codex-mini|-pro\b|deep-research|computer-use|gpt-(?:4o-)?audio"
)


def _type(model: str) -> str:
    guess = type_of(model)
    return "other" if guess == "chat" and _NOT_CHAT.search(model) else guess


class OpenAI(OpenAILike):
    """Options besides the common ones: `organization`, `project` (sent as OpenAI's headers)."""

    kind = "openai"
    drops = OPENROUTER_ONLY | {
        "include_reasoning", "min_p", "reasoning", "reasoning_format", "repetition_penalty", "top_a", "top_k",
    }  # fmt: skip

    def headers(self, options: Mapping[str, Any]) -> Mapping[str, str]:
        named = (("openai-organization", "organization"), ("openai-project", "project"))
        return {header: text for header, name in named if (text := header_text(options.get(name)))}

    def read_listing(self, body: bytes) -> list[Listed]:
        return [
            Listed(
                model=entry["id"],
                name=entry["id"],
                family=family(entry["id"]),
                type=_type(entry["id"]),
                expires=plain(entry.get("shutdown_date")) or None,
                raw=entry,
            )
            for entry in listings.entries(body)
        ]
