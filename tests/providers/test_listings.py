"""Listings, old and new, and the ones that are refused whole."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.providers import PROVIDERS
from rotation.providers.base import Listed
from rotation.providers.listings import price, tokens
from tests.providers.cases import FIXTURES, fixture


def listed(kind: str, name: str) -> dict[str, Listed]:
    return {entry.model: entry for entry in PROVIDERS[kind].read_listing(fixture(kind, f"listing_{name}.json"))}


def test_openrouter_s_listing_of_2025() -> None:
    found = listed("openrouter", "2025")
    free = found["acme/sun-3.3-70b-instruct:free"]
    assert (free.name, free.family, free.context, free.max_output) == (
        "Acme: Sun 3.3 70B (free)",
        "acme",
        131_072,
        None,
    )
    assert (free.free, free.price_in, free.price_out, free.tools, free.json_schema) == (True, 0.0, 0.0, True, False)
    vision = found["acme/sun-vision"]
    assert (vision.free, vision.price_in, vision.price_out, vision.max_output) == (False, 3e-7, 1.1e-6, 8192)
    assert (vision.input_modalities, vision.tools, vision.json_schema) == (("text", "image"), False, True)
    assert vision.reasoning


def test_a_variable_price_is_not_cheap_and_a_zero_price_not_free() -> None:
    found = listed("openrouter", "2025")
    assert (found["openrouter/auto"].price_in, found["openrouter/auto"].free) == (None, False)
    assert found["openrouter/auto"].tools is None
    assert (found["openrouter/stealth"].price_in, found["openrouter/stealth"].free) == (0.0, False)


def test_openrouter_s_listing_of_2026() -> None:
    found = listed("openrouter", "2026")
    assert found["acme/sun-4:free"].expires == "2026-12-31"
    assert found["acme/sun-4:free"].reasoning
    assert (found["acme/sun-4"].expires, found["acme/sun-4"].price_out) == ("", 3.2e-6)
    assert found["acme/sun-4:batch"].type == "other"
    assert found["acme/sun-4"].raw["pricing"]["overrides"]


def test_groq_s_listing_leaves_out_what_is_not_active_and_tells_the_kinds_apart() -> None:
    found = listed("groq", "2025")
    assert {model: entry.type for model, entry in found.items()} == {
        "sun-3.3-70b-versatile": "chat",
        "whisper-large-v3": "transcription",
        "playai-tts": "speech",
        "acme/sun-guard-4-12b": "moderation",
    }
    chat = found["sun-3.3-70b-versatile"]
    assert (chat.context, chat.max_output, chat.tools, chat.price_in, chat.free) == (131_072, 32_768, None, None, False)


def test_groq_s_listing_of_2026_tells_prices_and_features() -> None:
    found = listed("groq", "2026")
    sun = found["acme/sun-oss-120b"]
    assert (sun.name, sun.price_in, sun.price_out) == ("Acme Sun", 1.5e-7, 6e-7)
    assert (sun.tools, sun.json_schema, sun.reasoning, sun.input_modalities) == (True, True, True, ("text", "image"))
    assert [entry.type for entry in found.values()] == ["chat", "speech", "transcription"]
    assert [entry.output_modalities for entry in found.values()] == [("text",), ("speech",), ("transcription",)]


def test_openai_s_mixed_list_is_sorted_by_id() -> None:
    assert {model: entry.type for model, entry in listed("openai", "2025").items()} == {
        "gpt-4o-mini": "chat",
        "gpt-4-0613": "chat",
        "text-embedding-3-small": "embedding",
        "whisper-1": "transcription",
        "gpt-4o-mini-tts": "speech",
        "dall-e-3": "image",
        "omni-moderation-latest": "moderation",
        "gpt-3.5-turbo-instruct": "other",
        "o1-pro": "other",
        "gpt-realtime": "other",
        "gpt-5-codex": "other",
    }
    assert listed("openai", "2026")["gpt-4"].expires == "2026-10-23"
    assert listed("openai", "2026")["gpt-5.6-luna"].expires is None


def test_together_s_prices_per_million_become_prices_per_token() -> None:
    found = listed("together", "2025")
    assert found["acme/Sun-3.3-70B-Instruct-Turbo"].price_in == 8.8e-7
    assert (found["acme/Sun-4-Scout"].price_in, found["acme/Sun-4-Scout"].price_out) == (1.8e-7, 5.9e-7)
    assert (found["nim/acme/dedicated"].price_in, found["nim/acme/dedicated"].free) == (0.0, False)
    whisper = found["openai/whisper-large-v3"]
    assert (whisper.type, whisper.context, whisper.input_modalities) == ("transcription", None, ("audio",))
    assert found["acme/flow"].type == "image"
    assert found["acme/flow"].name == "Flow"
    assert [entry.type for entry in listed("together", "2026").values()] == ["chat", "transcription", "other"]
    assert listed("together", "2026")["acme/Sun-K3"].price_out == 1.5e-5


@pytest.mark.parametrize(
    ("name", "model", "context"),
    [
        ("ollama", "llama3.2:latest", None),
        ("ollama_native", "gemma3:1b", None),
        ("vllm", "acme/Sun-8B", 32_768),
        ("llamacpp", "acme/Sun-2B-GGUF", 16_384),
        ("llamacpp_old", "sun.gguf", 4096),
    ],
)
def test_local_servers_list_in_their_own_ways(name: str, model: str, context: int | None) -> None:
    found = listed("generic", name)
    assert list(found) == [model]
    assert (found[model].context, found[model].free, found[model].type) == (context, False, "chat")


def test_a_server_without_models_lists_none() -> None:
    assert listed("generic", "ollama_empty") == {}


@pytest.mark.parametrize("kind", PROVIDERS)
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"<!doctype html><title>Sign in</title>", "a page, not JSON: Sign in"),
        (b"upstream connect error", "not JSON"),
        (b'{"data":[{"id":"a"},{"id":', "broken or cut off"),
        (b'"models"', "no list"),
        (b"{}", "no list"),
        (b'{"data":{"id":"a"}}', "no list"),
        (b'{"data":[{"id":"a"},"b"]}', "entry 2 of the listing has no id"),
        (b'{"data":[{"id":""}]}', "no id"),
        (b'{"data":[{"id":5}]}', "no id"),
        (b'{"data":[{"id":"a\\u0000b"}]}', "control characters"),
        (b'{"data":[{"id":"a\\nb"}]}', "control characters"),
        (b'{"error":{"message":"Invalid API Key sk-abcdefghijkl"}}', "an error: Invalid API Key [hidden]"),
        (b'{"error":"Unauthorized"}', "an error: Unauthorized"),
        (orjson.dumps({"data": [{"id": "x" * 256}]}), "256 characters"),
        (
            orjson.dumps({"data": [{"id": "a/b"}, {"id": "<script>alert(1)</script>"}]}),
            "entry 2 of the listing has an id",
        ),
        (orjson.dumps({"data": [{"id": " padded "}]}), "blanks no model id has"),
        (orjson.dumps({"data": [{"id": "\u202egpt"}]}), "control characters"),
    ],
)
def test_a_broken_listing_is_refused_whole_with_one_clear_line(kind: str, body: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]*$") as refusal:
        PROVIDERS[kind].read_listing(body)
    assert words in str(refusal.value)


def test_a_listing_beyond_belief_is_refused() -> None:
    body = orjson.dumps([{"id": f"m{n}"} for n in range(100_000)])
    with pytest.raises(ValueError, match="100000 entries"):
        PROVIDERS["together"].read_listing(body)


@pytest.mark.parametrize("kind", PROVIDERS)
def test_doubles_are_left_out_and_padding_is_forgiven(kind: str) -> None:
    found = PROVIDERS[kind].read_listing(b'\xef\xbb\xbf\n  {"data":[{"id":"b"},{"id":"a"},{"id":"b"}]}\n')
    assert [entry.model for entry in found] == ["b", "a"]


@pytest.mark.parametrize(
    ("value", "per", "expected"),
    [
        ("0.00000045", 1, 4.5e-7),
        ("0", 1, 0.0),
        (0, 1, 0.0),
        (0.18000000000000002, 10**6, 1.8e-7),
        (3, 10**6, 3e-6),
        ("-1", 1, None),
        (-1, 1, None),
        (None, 1, None),
        (True, 1, None),
        ("free", 1, None),
        ("NaN", 1, None),
        ([], 1, None),
        ("Infinity", 1, None),
        (float("inf"), 1, None),
        (float("nan"), 1, None),
        ("5", 1, None),
        ("1e-7", 1, 1e-7),
    ],
)
def test_prices_are_per_token_or_unknown(value: object, per: int, expected: float | None) -> None:
    assert price(value, per=per) == expected


def test_token_counts_are_sensible_or_unknown() -> None:
    assert tokens(None, 0, -5, "9", True, 8192) == 8192
    assert tokens(4096.0) == 4096
    assert tokens(10**12, 1.5, None) is None


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "architecture",
    "pricing",
    "top_provider",
    "context_length",
    "context_window",
    "supported_parameters",
    "type",
    "name",
    "meta",
    "active",
    "expiration_date",
    "shutdown_date",
    "supported_features",
    "input_modalities",
    "display_name",
    "output_modalities",
    "max_model_len",
]


@given(kind=st.sampled_from(sorted(PROVIDERS)), entry=st.dictionaries(st.sampled_from(FIELDS), ANY, max_size=8))
def test_odd_fields_of_an_entry_do_not_break_the_listing(kind: str, entry: dict[str, object]) -> None:
    body = json.dumps({"data": [{**entry, "id": "a/b"}]}).replace("NaN", "null").replace("Infinity", "9").encode()
    for found in PROVIDERS[kind].read_listing(body):
        assert found.model == "a/b"


def test_every_listing_on_file_can_be_read() -> None:
    for kind in PROVIDERS:
        for path in (FIXTURES / kind).glob("listing_*.json"):
            PROVIDERS[kind].read_listing(path.read_bytes())
