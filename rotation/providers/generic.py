"""Any other OpenAI-compatible server: Ollama, LM Studio, vLLM, llama.cpp, Cerebras, DeepSeek and whoever comes.

It takes the shapes of all of them, and believes nothing about prices, freedom or limits that was not said.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rotation.providers import limits, listings
from rotation.providers.base import Limit, Listed
from rotation.providers.model_names import family, type_of
from rotation.providers.openai_like import OpenAILike
from rotation.providers.redact import plain


class Generic(OpenAILike):
    kind = "generic"
    renames = MappingProxyType({"eos": "stop", "eos_token": "stop", "stop_sequence": "stop"})

    def header_limits(self, headers: Mapping[str, str]) -> list[Limit]:
        return limits.by_window(headers) or limits.inferred(headers)

    def read_listing(self, body: bytes) -> list[Listed]:
        """`data` is everybody's (llama.cpp has `models` beside it), `models` alone is Ollama's own form."""
        found = listings.entries(body, places=("data", "models"), ids=("id", "model", "name"))
        return [_listed(entry) for entry in found]


def _listed(entry: dict[str, Any]) -> Listed:
    meta, pricing = listings.fields(entry.get("meta")), listings.fields(entry.get("pricing"))
    features = listings.texts(entry.get("supported_features")) or listings.texts(entry.get("supported_parameters"))
    inputs, outputs = listings.texts(entry.get("input_modalities")), listings.texts(entry.get("output_modalities"))
    return Listed(
        model=entry["id"],
        name=plain(entry.get("name")) or entry["id"],
        family=family(entry["id"]),
        context=listings.tokens(*(entry.get(name) for name in _CONTEXTS), meta.get("n_ctx"), meta.get("n_ctx_train")),
        max_output=listings.tokens(entry.get("max_completion_tokens"), entry.get("max_output_length")),
        input_modalities=inputs or ("text",),
        output_modalities=outputs or ("text",),
        type=type_of(entry["id"], outputs),
        tools=listings.offers(features, "tools"),
        json_schema=listings.offers(features, "structured_outputs", "json_schema"),
        reasoning="reasoning" in features,
        price_in=_price(pricing.get("prompt")),
        price_out=_price(pricing.get("completion")),
        raw=entry,
    )


_CONTEXTS = ("max_model_len", "context_window", "context_length", "max_context_length")


def _price(value: Any) -> float | None:
    """Texts are per token, as OpenRouter and Groq write them; of a bare number the unit is not known."""
    return listings.price(value) if isinstance(value, str) else None
