"""What every adapter in the registry must do, whoever adds the next one."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson
import pytest

from rotation.core.failures import Failure, FailureKind
from rotation.providers import PROVIDERS
from rotation.providers.base import Answer, KeyReport, Limit, Outgoing
from tests.providers.cases import FIXTURES, NOW, errors, fixture, streams
from tests.providers.reading import read

BASE = "http://127.0.0.1:9/api/v1"
SECRET = "sk-very-secret-0123456789abcdef"
PAYLOAD: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Hi"}]}
KINDS = sorted(PROVIDERS)


def requests(kind: str, secret: str = SECRET, base: str = BASE) -> dict[str, Outgoing]:
    adapter = PROVIDERS[kind]
    return {
        "chat": adapter.chat(base, secret, "acme/sun-1", PAYLOAD),
        "stream": adapter.chat(base, secret, "acme/sun-1", {**PAYLOAD, "stream": True}),
        "listing": adapter.listing(base, secret),
        "key_check": adapter.key_check(base, secret),
    }


def test_the_registry_names_every_kind_by_itself() -> None:
    assert KINDS == ["generic", "groq", "openai", "openrouter", "together"]
    assert all(adapter.kind == kind for kind, adapter in PROVIDERS.items())
    assert {path.name for path in FIXTURES.iterdir()} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_requests_have_the_right_method_address_and_key(kind: str) -> None:
    key_path = "/key" if kind == "openrouter" else "/models"
    expected = {
        "chat": ("POST", "/chat/completions"),
        "stream": ("POST", "/chat/completions"),
        "listing": ("GET", "/models"),
        "key_check": ("GET", key_path),
    }
    for base in (BASE, f"{BASE}/"):
        for name, outgoing in requests(kind, base=base).items():
            method, path = expected[name]
            assert (outgoing.method, outgoing.url) == (method, BASE + path)
            assert outgoing.headers["authorization"] == f"Bearer {SECRET}"
            assert all(header == header.lower() for header in outgoing.headers)
            assert all(value.isprintable() and value.isascii() for value in outgoing.headers.values())
            assert outgoing.headers["user-agent"]
            assert bool(outgoing.body) is (method == "POST")


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_stands_in_a_repr_an_address_or_a_body(kind: str) -> None:
    for outgoing in requests(kind).values():
        assert SECRET not in repr(outgoing)
        assert SECRET not in outgoing.url
        assert SECRET.encode() not in outgoing.body


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_key_no_authorization_is_sent(kind: str) -> None:
    assert not any("authorization" in outgoing.headers for outgoing in requests(kind, secret="").values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_documented_error_is_known(kind: str) -> None:
    assert errors(kind)
    for case in errors(kind):
        body, headers = orjson.dumps(case["body"]), case.get("headers", {})
        failure = PROVIDERS[kind].classify(case["status"], headers, body, NOW)
        assert failure.kind == case["kind"], case["name"]
        assert PROVIDERS[kind].read_answer(case["status"], headers, body, NOW) == failure
        assert all(isinstance(limit, Limit) for limit in PROVIDERS[kind].limits(case["status"], headers, body, NOW))


@pytest.mark.parametrize("kind", KINDS)
def test_errors_mean_the_same_at_every_provider(kind: str) -> None:
    """A generic server may be a proxy in front of any of the others."""
    for other in KINDS:
        for case in errors(other):
            failure = PROVIDERS[kind].classify(case["status"], case.get("headers", {}), orjson.dumps(case["body"]), NOW)
            assert failure.kind == case["kind"], case["name"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_and_a_stream_are_read(kind: str) -> None:
    body = orjson.dumps({"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]})
    assert isinstance(PROVIDERS[kind].read_answer(200, {}, body, NOW), Answer)
    assert streams(kind)
    assert all(read(kind, path.read_bytes())[0] for path in streams(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_a_retry_after_on_a_good_answer_is_no_signal(kind: str) -> None:
    body = orjson.dumps({"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]})
    found = PROVIDERS[kind].read_answer(200, {"retry-after": "2"}, body, NOW)
    assert isinstance(found, Answer)


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_key_and_a_good_one_are_told_apart(kind: str) -> None:
    adapter = PROVIDERS[kind]
    refused = adapter.read_key_check(401, {}, b'{"error":{"message":"Unauthorized"}}', NOW)
    assert refused.failure is not None
    assert refused.failure.kind is FailureKind.BAD_CREDENTIAL
    good = fixture("openrouter", "key_2026.json") if kind == "openrouter" else b'{"data":[{"id":"a"}]}'
    assert adapter.read_key_check(200, {}, good, NOW).failure is None
    for status, body in [(200, b"<html>"), (200, b""), (200, b'{"error":"Unauthorized"}'), (503, b""), (200, b"[1]")]:
        assert isinstance(adapter.read_key_check(status, {}, body, NOW).failure, Failure), body


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_inside_a_key_check_is_told_as_what_it_is(kind: str) -> None:
    report = PROVIDERS[kind].read_key_check(200, {}, b'{"error":{"message":"User not found.","code":401}}', NOW)
    assert report.failure is not None
    assert report.failure.kind is FailureKind.BAD_CREDENTIAL


@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_a_value_that_does_not_change(kind: str) -> None:
    outgoing = requests(kind)["chat"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        outgoing.url = "x"  # type: ignore[misc]  # this is the test
    report = PROVIDERS[kind].read_key_check(401, {}, b"", NOW)
    assert isinstance(report, KeyReport)


def free(limit: float, window: float, remaining: float | None = None) -> Limit:
    return Limit("requests", limit, window, remaining, per_account=True, free_only=True, source="key")


def test_openrouter_s_key_page_tells_tier_credit_and_free_limits() -> None:
    new = PROVIDERS["openrouter"].read_key_check(200, {}, fixture("openrouter", "key_2026.json"), NOW)
    assert (new.label, new.credit_left, new.free_tier) == ("main key", 74.5, False)
    assert new.limits == (free(20, 60), free(1000, 86_400, 0))
    old = PROVIDERS["openrouter"].read_key_check(200, {}, fixture("openrouter", "key_2025.json"), NOW)
    assert (old.credit_left, old.free_tier) == (None, True)
    assert old.limits == (free(20, 60), free(50, 86_400))


def test_having_bought_credits_does_not_prove_the_larger_daily_limit() -> None:
    report = PROVIDERS["openrouter"].read_key_check(
        200, {}, b'{"data":{"is_free_tier":false,"limit":"x","label":7}}', NOW
    )
    assert report.limits == (free(20, 60),)
    assert (report.credit_left, report.label) == (None, "")


def test_a_listing_that_comes_with_limits_tells_them() -> None:
    headers = {"x-ratelimit-limit-tokens": "6000", "x-ratelimit-remaining-tokens": "5000"}
    assert PROVIDERS["groq"].read_key_check(200, headers, b'{"data":[]}', NOW).limits == (
        Limit("tokens", 6000, 60, 5000),
    )
