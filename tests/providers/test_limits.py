"""Limits out of headers and texts, each kind's headers in its own sense."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.providers import PROVIDERS
from rotation.providers.base import Limit
from rotation.providers.sentences import prose, spent
from tests.providers.cases import NOW

DAY, HOUR, MINUTE, SECOND = 86_400.0, 3600.0, 60.0, 1.0


def headers(name: str = "requests", **values: str) -> dict[str, str]:
    return {f"x-ratelimit-{key}-{name}": value for key, value in values.items()}


def limits(kind: str, status: int, heads: dict[str, str], body: object = None) -> list[Limit]:
    return PROVIDERS[kind].limits(status, heads, orjson.dumps(body) if body else b"", NOW)


def test_groq_tells_requests_per_day_tokens_per_minute_and_audio_per_hour() -> None:
    heads = {
        **headers(limit="14400", remaining="14397", reset="18s"),
        **headers("tokens", limit="6000", remaining="5987", reset="130ms"),
        **headers("audio-seconds", limit="7200", remaining="7000", reset="100s"),
    }
    assert limits("groq", 200, heads) == [
        Limit("requests", 14400, DAY, 14397),
        Limit("tokens", 6000, MINUTE, 5987),
        Limit("audio_seconds", 7200, HOUR, 7000),
    ]


@pytest.mark.parametrize(
    ("limit", "remaining", "reset", "window"),
    [
        ("500", "499", "120ms", MINUTE),
        ("500", "498", "239ms", MINUTE),
        ("30000", "29999", "2ms", MINUTE),
        ("50000", "49999", "2ms", MINUTE),
        ("10000", "9999", "6ms", MINUTE),
        ("10000", "9999", "8.64s", DAY),
        ("1000", "955", "1h3m23.442s", DAY),
        ("1000", "952", "1h8m26.585s", DAY),
        ("200", "199", "7m12s", DAY),
        ("200", "198", "7m30s", DAY),
        ("3", "0", "1m0s", MINUTE),
    ],
)
def test_openai_s_window_is_inferred_from_its_reset(limit: str, remaining: str, reset: str, window: float) -> None:
    found = limits("openai", 200, headers(limit=limit, remaining=remaining, reset=reset))
    assert found == [Limit("requests", float(limit), window, float(remaining))]


def test_a_window_that_cannot_be_told_is_not_guessed() -> None:
    assert limits("openai", 200, headers(limit="500", remaining="500", reset="0s")) == []
    assert limits("openai", 200, headers(limit="500")) == [Limit("requests", 500, MINUTE)]
    assert limits("openai", 200, headers(limit="500", reset="1s")) == [Limit("requests", 500, MINUTE)]
    assert limits("openai", 200, headers(limit="500", remaining="9")) == [Limit("requests", 500, MINUTE, 9)]


@given(
    used=st.integers(1, 400), limit=st.sampled_from([200, 500, 1000, 10_000]), day=st.booleans(), part=st.floats(0, 0.9)
)
def test_a_continuously_refilled_bucket_gives_its_window_away(used: int, limit: int, day: bool, part: float) -> None:
    """`remaining` is rounded down while `reset` is exact, so a request's share may already be back."""
    window, used = (DAY if day else MINUTE), min(used, limit)
    reset = max((used - part) / limit * window, 0.001)
    heads = headers(limit=str(limit), remaining=str(limit - used), reset=f"{reset:.3f}s")
    assert limits("openai", 200, heads)[0].window == window


def test_openai_s_project_limits_count_where_they_are_tighter() -> None:
    heads = {
        **headers("tokens", limit="30000", remaining="29000"),
        **headers("project-tokens", limit="10000", remaining="9"),
    }
    assert limits("openai", 200, heads) == [Limit("tokens", 10_000, MINUTE, 9)]


def test_together_counts_by_the_second() -> None:
    heads = {
        "retry-after": "2",
        "x-ratelimit": "false",
        "x-ratelimit-limit": "1",
        "x-ratelimit-remaining": "1",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "1000",
        "x-ratelimit-reset": "2",
    }
    assert limits("together", 200, heads) == [Limit("requests", 1, SECOND, 1), Limit("tokens", 1000, SECOND, 1000)]


def test_together_s_prose_is_read_too() -> None:
    sixty = {"error": {"message": "You have been rate limited. Your rate limit is 60 queries per minute. Please"}}
    assert limits("together", 429, {}, sixty) == [Limit("requests", 1, SECOND, source="text")]
    nine = {
        "error": {
            "message": "The maximum rate limit for this model is 9.0 queries per minute and 180000 tokens per minute."
        }
    }
    assert limits("together", 429, {}, nine) == [
        Limit("requests", 9, MINUTE, source="text"),
        Limit("tokens", 180_000, MINUTE, source="text"),
    ]


def test_a_generic_server_may_name_its_windows() -> None:
    heads = {
        **headers("requests-day", limit="14400", remaining="14399", reset="18058.280732154846"),
        **headers("tokens-minute", limit="60000", remaining="59000", reset="58.28"),
        **headers("requests-hour", limit="900", remaining="899"),
    }
    assert limits("generic", 200, heads) == [
        Limit("requests", 900, HOUR, 899),
        Limit("requests", 14400, DAY, 14399),
        Limit("tokens", 60000, MINUTE, 59000),
    ]
    assert limits("generic", 200, headers("tokens", limit="5", remaining="4")) == [Limit("tokens", 5, MINUTE, 4)]


@pytest.mark.parametrize(
    ("text", "axis", "window", "limit", "remaining"),
    [
        ("on tokens per minute (TPM): Limit 12000, Used 4437, Requested 9854. Please", "tokens", MINUTE, 12000, 7563),
        ("on tokens per day (TPD): Limit 100000, Used 97050, Requested 3619. Please", "tokens", DAY, 100_000, 2950),
        ("on requests per minute (RPM): Limit 30, Used 30, Requested 1. Please", "requests", MINUTE, 30, 0),
        ("on requests per day (RPD): Limit 200, Used 201, Requested 1.", "requests", DAY, 200, 0),
        ("on tokens per min (TPM): Limit 30,000, Used 29,937, Requested 385.", "tokens", MINUTE, 30_000, 63),
        ("on requests per min. Limit: 3 / min. Please try again in 20s.", "requests", MINUTE, 3, None),
        ("on seconds of audio per hour (ASPH): Limit 7200, Used 7170, Requested 230.", "audio_seconds", HOUR, 7200, 30),
    ],
)
def test_sentences_tell_axis_and_window(
    text: str, axis: str, window: float, limit: float, remaining: float | None
) -> None:
    body = {
        "error": {"message": f"Rate limit reached for m in organization org-x {text}", "code": "rate_limit_exceeded"}
    }
    expected = [Limit(axis, limit, window, remaining, source="text")]
    assert limits("groq", 429, {}, body) == limits("openai", 429, {}, body) == expected


def test_images_per_minute_are_understood_but_not_counted() -> None:
    body = {"error": {"message": "Rate limit reached on images per min: Limit 5, Used 5, Requested 1."}}
    assert limits("openai", 429, {}, body) == []


def test_headers_and_texts_of_one_refusal_are_both_taken() -> None:
    body = {"error": {"message": "on requests per minute (RPM): Limit 30, Used 30, Requested 1."}}
    assert limits("groq", 429, headers(limit="1000", remaining="900"), body) == [
        Limit("requests", 1000, DAY, 900),
        Limit("requests", 30, MINUTE, 0, source="text"),
    ]


def free(limit: float, window: float, remaining: float | None) -> list[Limit]:
    return [Limit("requests", limit, window, remaining, per_account=True, free_only=True, source="text")]


def test_openrouter_s_free_limits_count_for_the_account_over_all_free_models() -> None:
    def refusal(name: str, **meta: object) -> dict[str, object]:
        return {"error": {"code": 429, "message": f"Rate limit exceeded: {name}", "metadata": meta}}

    told = {"headers": {"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}}
    assert limits("openrouter", 429, {}, refusal("free-models-per-day. Add 10 credits", **told)) == free(50, DAY, 0)
    assert limits("openrouter", 429, {}, refusal("free-models-per-day-high-balance. ")) == free(1000, DAY, None)
    assert limits("openrouter", 429, {"X-RateLimit-Limit": "20"}, refusal("free-models-per-min. ")) == free(
        20, MINUTE, None
    )
    typed = {"error": {"message": "No", "metadata": {"limit_source": "openrouter_free_tier_daily"}}}
    assert limits("openrouter", 429, {}, typed) == free(50, DAY, None)


def test_an_upstream_s_limit_behind_openrouter_is_nobody_s_limit() -> None:
    raw = "on requests per minute (RPM): Limit 30, Used 30, Requested 1."
    body = {"error": {"code": 429, "message": "Provider returned error", "metadata": {"raw": raw}}}
    assert limits("openrouter", 429, {"x-ratelimit-limit": "30"}, body) == []


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_good_answer_s_text_is_not_searched_for_limits(kind: str) -> None:
    text = "your rate limit is 60 queries per minute; on tokens per minute (TPM): Limit 6, Used 6, Requested 1."
    assert limits(kind, 200, {}, {"choices": [{"message": {"content": text}}], "error": {"message": text}}) == []


@pytest.mark.parametrize("kind", PROVIDERS)
@pytest.mark.parametrize("value", ["", "nan", "inf", "-5", "1e99", "many", "0"])
def test_garbage_in_headers_is_no_limit(kind: str, value: str) -> None:
    heads = {
        **headers(limit=value, remaining=value, reset=value),
        **headers("tokens", limit=value),
        "x-ratelimit-limit": value,
    }
    assert limits(kind, 200, heads) == []


@pytest.mark.parametrize("kind", PROVIDERS)
def test_header_names_may_come_in_any_case(kind: str) -> None:
    lower = {**headers("tokens", limit="6000", remaining="1"), "x-ratelimit-limit": "5"}
    upper = {name.title(): value for name, value in lower.items()}
    assert limits(kind, 200, lower) == limits(kind, 200, upper)


def test_more_than_the_limit_holds_is_hopeless_and_the_wait_is_exact() -> None:
    found = spent("on tokens per minute (TPM): Limit 12000, Used 2542, Requested 9855.")
    assert found is not None
    assert not found.hopeless
    assert found.wait == pytest.approx(1.985)
    larger = spent("on tokens per minute (TPM): Limit 6000, Requested 12328, please reduce")
    assert larger is not None
    assert larger.hopeless
    assert larger.wait is None
    nothing = spent("on tokens per minute (TPM): Limit 0, Used 0, Requested 5.")
    assert nothing is not None
    assert nothing.hopeless
    assert nothing.wait is None
    zero = {"error": {"message": "on tokens per minute (TPM): Limit 0, Used 0, Requested 5."}}
    assert limits("groq", 429, {}, zero) == []


@given(st.text(alphabet="onrequstkp limitLUd:.,()0123456789/", max_size=120))
def test_no_sentence_breaks_the_reader(text: str) -> None:
    spent(text)
    prose(text)
