"""OpenRouter: many providers behind one account, free models limited per account, errors with typed metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rotation.core.failures import Failure, FailureKind
from rotation.providers import limits, listings, requests
from rotation.providers.base import KeyReport, Limit, Listed, Outgoing
from rotation.providers.complaints import Complaint
from rotation.providers.envelope import complaint, read_complaint
from rotation.providers.errors import inside
from rotation.providers.model_names import family, type_of
from rotation.providers.openai_like import NO_OPTIONS, OpenAILike
from rotation.providers.redact import plain
from rotation.providers.wire import bare, lowered, parse

FREE = ":free"
_FREE_PER_MINUTE = 20.0
_FREE_PER_DAY = 50.0  # until ten dollars were bought once
_FREE_PER_DAY_PAID = 1000.0

# what a refusal calls its limit -> window, and the documented number for when it gives none
_FREE_LIMITS: tuple[tuple[re.Pattern[str], float, float], ...] = (
    (re.compile(r"free-models-per-day-high-balance"), limits.DAY, _FREE_PER_DAY_PAID),
    (re.compile(r"free-models-per-day|\Aopenrouter_free_tier_daily\Z"), limits.DAY, _FREE_PER_DAY),
    (re.compile(r"free-models-per-min|\Aopenrouter_free_tier_per_minute\Z"), limits.MINUTE, _FREE_PER_MINUTE),
)


class OpenRouter(OpenAILike):
    """Options besides the common ones: `referer`, `title` (how the account's activity page calls us), `max_tokens`
    (sent for paid models when the client gives none: without it the credit check assumes the model's largest)."""

    kind = "openrouter"
    asks_usage = False  # asked through `usage`, below

    def shape(self, body: dict[str, Any], model: str, options: Mapping[str, Any]) -> None:
        asked = body.get("usage")
        body["usage"] = {**asked, "include": True} if isinstance(asked, dict) else {"include": True}
        most = options.get("max_tokens")
        if most and not model.endswith(FREE) and not ("max_tokens" in body or "max_completion_tokens" in body):
            body["max_tokens"] = int(most)

    def headers(self, options: Mapping[str, Any]) -> Mapping[str, str]:
        return {
            "http-referer": requests.header_text(options.get("referer")) or "http://localhost",
            "x-title": requests.header_text(options.get("title")) or "Rotation",
        }

    def key_check(self, base_url: str, secret: str) -> Outgoing:
        """The listing is public and proves nothing; `/key` needs a good key."""
        return requests.get(f"{base_url.rstrip('/')}/key", requests.authorised(secret, self.headers(NO_OPTIONS)))

    def read_key_check(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> KeyReport:
        if not 200 <= status < 300:
            return KeyReport(self.classify(status, headers, body, now))
        try:
            parsed = parse(bare(body))
        except ValueError:
            parsed = None
        about = parsed.get("data") if isinstance(parsed, dict) else None
        if isinstance(about, dict):
            return _report(about)
        if complaint(parsed):
            return KeyReport(inside(parsed, now))
        return KeyReport(Failure(FailureKind.OVERLOADED, "answered the key check with something else", status))

    def limits(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> list[Limit]:
        """Only refusals tell: free models count per account and over all of them. The limits of an upstream behind
        it are nobody's here."""
        found = None if 200 <= status < 300 else read_complaint(bare(body))
        named = _named(found) if found else None
        if found is None or named is None:
            return []
        window, documented = named
        told = {**lowered(headers), **found.headers}
        limit = limits.number(told.get("x-ratelimit-limit")) or documented
        return [_free(limit, window, limits.number(told.get("x-ratelimit-remaining")), "text")]

    def read_listing(self, body: bytes) -> list[Listed]:
        return [_listed(entry) for entry in listings.entries(body)]


def _named(found: Complaint) -> tuple[float, float] | None:
    """The window and the documented number of the free limit a refusal names."""
    for name in (found.message[:200], *sorted(found.words)):
        for pattern, window, documented in _FREE_LIMITS:
            if pattern.search(name):
                return window, documented
    return None


def _free(limit: float, window: float, remaining: float | None, source: str) -> Limit:
    return Limit("requests", limit, window, remaining, per_account=True, free_only=True, source=source)


def _report(about: Mapping[str, Any]) -> KeyReport:
    """A key's own page. Never having bought anything proves the small daily limit; having bought proves nothing."""
    free_tier = about.get("is_free_tier")
    daily = listings.fields(about.get("free_model_daily_requests"))
    limit, left = _count(daily.get("limit")), _count(daily.get("remaining"))
    told = [_free(_FREE_PER_MINUTE, limits.MINUTE, None, "key")]
    if limit:
        told.append(_free(limit, limits.DAY, left, "key"))
    elif free_tier is True:
        told.append(_free(_FREE_PER_DAY, limits.DAY, None, "key"))
    return KeyReport(
        None,
        tuple(told),
        credit_left=_usd(about.get("limit_remaining")),
        free_tier=free_tier if isinstance(free_tier, bool) else None,
        label=plain(about.get("label")),
    )


def _count(value: Any) -> float | None:
    return float(value) if type(value) is int and 0 <= value < 10**9 else None


def _usd(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9 else None


def _listed(entry: dict[str, Any]) -> Listed:
    shape, best = listings.fields(entry.get("architecture")), listings.fields(entry.get("top_provider"))
    pricing, supported = listings.fields(entry.get("pricing")), listings.texts(entry.get("supported_parameters"))
    inputs, outputs = listings.texts(shape.get("input_modalities")), listings.texts(shape.get("output_modalities"))
    prices = [listings.price(pricing.get(side)) for side in ("prompt", "completion")]
    return Listed(
        model=entry["id"],
        name=plain(entry.get("name")) or entry["id"],
        family=family(entry["id"]),
        context=listings.tokens(entry.get("context_length"), best.get("context_length")),
        max_output=listings.tokens(best.get("max_completion_tokens")),
        input_modalities=inputs or ("text",),
        output_modalities=outputs or ("text",),
        type=type_of(entry["id"], outputs),
        tools=listings.offers(supported, "tools"),
        json_schema=listings.offers(supported, "structured_outputs"),
        reasoning="reasoning" in supported or bool(entry.get("reasoning")),
        price_in=prices[0],
        price_out=prices[1],
        free=entry["id"].endswith(FREE) and not any(prices),
        expires=plain(entry["expiration_date"]) if "expiration_date" in entry else None,
        raw=entry,
    )
