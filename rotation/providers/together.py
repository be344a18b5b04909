"""Together: a bare array of models priced per million tokens, limits per second, `eos` for `stop`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from rotation.providers import limits, listings
from rotation.providers.base import Limit, Listed
from rotation.providers.complaints import Complaint
from rotation.providers.model_names import family, type_of
from rotation.providers.openai_like import OpenAILike
from rotation.providers.redact import plain
from rotation.providers.requests import OPENROUTER_ONLY

_PER = 1_000_000  # tokens its prices are for
_TYPES = {
    "chat": "chat", "image": "image", "embedding": "embedding", "moderation": "moderation", "rerank": "rerank",
    "audio": "speech", "transcribe": "transcription", "language": "other", "code": "other", "video": "other",
}  # fmt: skip


class Together(OpenAILike):
    kind = "together"
    drops = OPENROUTER_ONLY
    asks_usage = False  # told unasked, in the last chunk or one of its own
    renames = MappingProxyType({"eos": "stop"})

    def spoken(self, fields: Sequence[tuple[str, str]], translate: bool) -> Sequence[tuple[str, str]]:
        """It takes all speech for English unless told otherwise; everybody else listens first."""
        return () if translate or any(name == "language" for name, _ in fields) else (("language", "auto"),)

    def header_limits(self, headers: Mapping[str, str]) -> list[Limit]:
        """Per second, whatever the tier tables say per minute."""
        found = limits.told(headers, "", "requests", limits.SECOND)
        return [*found, *limits.told(headers, "tokens", "tokens", limits.SECOND)]

    def text_limits(self, found: Complaint | None) -> list[Limit]:
        """ "60 queries per minute" is counted as one per second; fewer than one per second stay a minute's."""
        return [_per_second(limit) for limit in super().text_limits(found)]

    def read_listing(self, body: bytes) -> list[Listed]:
        return [_listed(entry) for entry in listings.entries(body)]


def _per_second(limit: Limit) -> Limit:
    if limit.axis != "requests" or limit.window != limits.MINUTE or limit.limit < limits.MINUTE:
        return limit
    return replace(limit, limit=limit.limit / limits.MINUTE, window=limits.SECOND)


def _listed(entry: dict[str, Any]) -> Listed:
    """A price of zero is no promise: such models mostly need a dedicated endpoint."""
    given = entry.get("type")
    type_ = _TYPES.get(given, "other") if isinstance(given, str) else type_of(entry["id"])
    pricing = listings.fields(entry.get("pricing"))
    return Listed(
        model=entry["id"],
        name=plain(entry.get("display_name")) or entry["id"],
        family=family(entry["id"]),
        context=listings.tokens(entry.get("context_length")) if type_ != "transcription" else None,
        input_modalities=("audio",) if type_ == "transcription" else ("text",),
        type=type_,
        price_in=listings.price(pricing.get("input"), per=_PER),
        price_out=listings.price(pricing.get("output"), per=_PER),
        raw=entry,
    )
