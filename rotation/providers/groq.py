"""Groq: limits per organisation and model, told on every answer; its list mixes chat, whisper, speech and guards."""

from __future__ import annotations

from collections.abc import Mapping

from rotation.providers import limits, listings
from rotation.providers.base import Limit, Listed
from rotation.providers.model_names import family, type_of
from rotation.providers.openai_like import OpenAILike
from rotation.providers.redact import plain
from rotation.providers.requests import OPENROUTER_ONLY


class Groq(OpenAILike):
    """`n` above 1 is left in: it changes the answer, so the provider's 400 is the honest reply."""

    kind = "groq"
    drops = OPENROUTER_ONLY | {
        "logit_bias", "logprobs", "min_p", "reasoning", "repetition_penalty", "top_a", "top_k", "top_logprobs",
    }  # fmt: skip
    asks_usage = False  # told unasked, in x_groq

    def header_limits(self, headers: Mapping[str, str]) -> list[Limit]:
        """Requests per day, tokens per minute, seconds of audio per hour. Requests per minute are in no header."""
        return [
            *limits.told(headers, "requests", "requests", limits.DAY),
            *limits.told(headers, "tokens", "tokens", limits.MINUTE),
            *limits.told(headers, "audio-seconds", "audio_seconds", limits.HOUR),
        ]

    def read_listing(self, body: bytes) -> list[Listed]:
        listed = []
        for entry in listings.entries(body):
            if entry.get("active") is False:
                continue
            features = listings.texts(entry.get("supported_features"))
            pricing = listings.fields(entry.get("pricing"))
            outputs = listings.texts(entry.get("output_modalities"))
            listed.append(
                Listed(
                    model=entry["id"],
                    name=plain(entry.get("name")) or entry["id"],
                    family=family(entry["id"]),
                    context=listings.tokens(entry.get("context_window"), entry.get("context_length")),
                    max_output=listings.tokens(entry.get("max_completion_tokens"), entry.get("max_output_length")),
                    input_modalities=listings.texts(entry.get("input_modalities")) or ("text",),
                    output_modalities=outputs or ("text",),
                    type=type_of(entry["id"], outputs),
                    tools=listings.offers(features, "tools"),
                    json_schema=listings.offers(features, "structured_outputs"),
                    reasoning="reasoning" in features,
                    price_in=listings.price(pricing.get("prompt")),
                    price_out=listings.price(pricing.get("completion")),
                    raw=entry,
                )
            )
        return listed
