"""Nothing that opens a door leaves in a provider's words, and nothing that breaks a database either."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.failures import Failure, FailureKind
from rotation.providers.redact import LONGEST, conceal, plain, redact


@pytest.mark.parametrize(
    "secret",
    [
        "sk-or-v1-3f9ac2d1e0b84756",
        "sk-proj-AbCdEf123456_x-y",
        "gsk_0123456789abcdef",
        "tgp_v1_Abcdefgh1234567",
        "csk-abcdef12345",
        "rk_a1b2c3d4_0123456789012345678901234567890123456789012",
        "AIzaSyA1234567890abcdef",
        "hf_abcdefghijkl",
        "xai-abcdefghij",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "bad-key-**********test",
        "sk-wrong****-key",
    ],
)
@pytest.mark.parametrize(
    "template", ["Bearer {}", "key {} is unknown", "https://x.example/v1?key={}&a=1", '"api_key": "{}"']
)
def test_keys_are_hidden_wherever_they_stand(secret: str, template: str) -> None:
    found = redact(f"Refused: {template.format(secret)}")
    assert secret not in found
    assert secret[6:14] not in found
    assert "[hidden]" in found


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Incorrect API key provided: bad apiKey. You can find your API key at x.", "bad apiKey"),
        ("Authorization: Bearer abc", "abc"),
        ("'authorization': 'Basic dXNlcjpwYXNz'", "dXNlcjpwYXNz"),
        ("see https://user:hunter2@host.example/x", "hunter2"),
        ("GET /v1/models?api-version=1&access_token=t0k3n HTTP", "t0k3n"),
        ("in organization `org_01hxyzabcdefghij`", "01hxyzabcdefghij"),
        ("x-api-key: abcd", "abcd"),
    ],
)
def test_what_surrounds_a_key_stays_readable(text: str, gone: str) -> None:
    found = redact(text)
    assert gone not in found
    assert found.split()[0] == text.split(maxsplit=1)[0]


@pytest.mark.parametrize(
    "text",
    [
        "The model `meta-llama/llama-3.3-70b-instruct:free` does not exist or you do not have access to it.",
        "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29937, Requested 385.",
        "Invalid API key provided. You can find your API key at https://api.together.ai/settings/api-keys.",
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "request 018f9a52-6a39-7cc1-9d8a-0242ac120002 failed; **bold** and basic words, bearer of news",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert redact(text) == text


def test_our_own_secret_goes_whatever_it_looks_like() -> None:
    assert redact("you sent pässword 1 to us", "pässword 1") == "you sent [hidden] to us"
    assert "s%2Fe+c" not in redact("/x?q=s%2Fe%2Bc", "s/e+c")
    failure = Failure(FailureKind.BAD_CREDENTIAL, "unknown key: open-sesame!", 401)
    assert "sesame" not in conceal(failure, "open-sesame!").message
    assert conceal(failure, "other") is failure
    assert conceal(failure, "") is failure


def test_texts_are_cut_and_made_safe_to_store() -> None:
    found = redact("a\x00b\ud800c\x1b[31m\u202ed\r\n" + "x " * 9000)
    assert len(found) == LONGEST
    assert found.endswith("…")
    assert not set("\x00\ud800\x1b\u202e\r") & set(found)
    found.encode()


def test_a_key_at_the_cut_does_not_come_out_in_half() -> None:
    key = "sk-or-v1-" + "f" * 40
    found = redact("Bearer " * 1 + "word " * 795 + " " + key, longest=5000)
    assert "ffff" not in found


@given(st.text(max_size=2000), st.text(max_size=30))
def test_any_text_comes_out_short_and_storable(text: str, secret: str) -> None:
    found = redact(text, secret)
    assert len(found) <= LONGEST
    found.encode()
    assert "\x00" not in found


def test_plain_names_are_one_line_or_nothing() -> None:
    assert plain("rate_limit\n exceeded") == "rate_limit exceeded"
    nothing: list[object] = [None, 5, ["x"], {}, ""]
    assert [plain(value) for value in nothing] == [""] * 5
    assert len(plain("x" * 999)) == 200


@pytest.mark.parametrize(
    "text", ["a" * 4000, "://" * 1300, "'" * 4000, "?key=" * 800, "eyJ" * 1300, "*" * 4000, "sk-" * 1300]
)
def test_hostile_texts_do_not_keep_the_patterns_busy(text: str) -> None:
    assert len(redact(text)) <= LONGEST
