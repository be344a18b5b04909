"""What a client sees of the limits: headers, refusals, and that they end when they said they would."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from rotation.simulator.serve import Running, running
from tests.simulator.asking import MODELS, Client, key

START = 1_761_393_600.0  # 2025-10-25 12:00 UTC


@pytest.fixture
def still() -> Iterator[Running]:
    """A world whose clock stands still but for what a test advances; answers come at once."""
    with running(speed=1e-6, start=START) as sim:
        sim.settings(latency=0)
        yield sim


@pytest.fixture
def asking(still: Running) -> Iterator[Client]:
    with Client(still.url) as client:
        yield client


def test_groq_tells_requests_per_day_and_tokens_per_minute(asking: Client) -> None:
    headers = asking.chat("groq", "x" * 4_000).headers
    assert headers["x-ratelimit-limit-requests"] == "1000"
    assert headers["x-ratelimit-remaining-requests"] == "999"
    assert headers["x-ratelimit-reset-requests"] == "1m26.4s"
    assert headers["x-ratelimit-limit-tokens"] == "12000"
    assert headers["x-ratelimit-remaining-tokens"] == "11000"
    assert headers["x-ratelimit-reset-tokens"] == "5s"
    assert "retry-after" not in headers


def test_groq_refuses_with_numbers_that_add_up(asking: Client) -> None:
    asking.chat("groq", "x" * 40_000, max_tokens=1_000)
    refused = asking.chat("groq", "x" * 36_000, max_tokens=2_000)
    assert refused.status_code == 429
    text = refused.json()["error"]["message"]
    found = re.search(
        r"tokens per minute \(TPM\): Limit (\d+), Used (\d+), Requested (\d+)\. Please try again in ([\d.ms]+)\.", text
    )
    assert found is not None
    limit, used, requested = (int(found[place]) for place in (1, 2, 3))
    assert (limit, requested) == (12_000, 11_000)
    assert found[4] == f"{(used + requested - limit) / limit * 60:.3f}".rstrip("0").rstrip(".") + "s"
    assert int(refused.headers["retry-after"]) == pytest.approx((used + requested - limit) / limit * 60, abs=1)
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"


def test_groq_s_wait_is_enough_and_hardly_more(still: Running, asking: Client) -> None:
    asking.chat("groq", "x" * 40_000)
    refused = asking.chat("groq", "x" * 40_000, max_tokens=5)
    wait = float(re.search(r"try again in ([\d.]+)s", refused.json()["error"]["message"])[1])  # type: ignore[index]  # else the test fails
    still.advance(wait)
    assert asking.chat("groq", "x" * 40_000, max_tokens=5).status_code == 200


def test_a_request_larger_than_the_minute_is_a_413_at_groq_and_a_429_at_openai(asking: Client) -> None:
    groq = asking.chat("groq", max_tokens=13_000)
    assert groq.status_code == 413
    assert "Limit 12000, Requested 13005, please reduce your message size" in groq.json()["error"]["message"]
    assert "retry-after" not in groq.headers
    openai = asking.chat("openai", "x" * 124_000, max_tokens=16_000)
    assert openai.status_code == 429
    text = openai.json()["error"]["message"]
    assert text.startswith("Request too large for gpt-4o in organization org-main on tokens per min (TPM):")
    assert "Limit 30000, Requested 47000." in text


def test_openai_tells_its_minute_and_retry_after_both_ways(asking: Client) -> None:
    headers = asking.chat("openai", max_tokens=5).headers
    assert (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-reset-requests"]) == ("500", "120ms")
    assert headers["x-ratelimit-limit-tokens"] == "30000"
    mini = asking.chat("openai", model="gpt-4o-mini", max_tokens=5).headers
    assert (mini["x-ratelimit-limit-requests"], mini["x-ratelimit-reset-requests"]) == ("10000", "8.64s")
    asking.chat("openai", "x" * 100_000, max_tokens=5)
    refused = asking.chat("openai", "x" * 100_000, max_tokens=5)
    assert refused.status_code == 429
    milliseconds = int(refused.headers["retry-after-ms"])
    assert f"try again in {milliseconds / 1000:.3f}".rstrip("0") in refused.json()["error"]["message"]
    assert int(refused.headers["retry-after"]) == -(-milliseconds // 1000)


def test_together_counts_per_second_and_sends_retry_after_even_on_success(asking: Client, still: Running) -> None:
    assert asking.chat("together").status_code == 200
    refused = asking.chat("together")
    assert refused.status_code == 429
    assert refused.json()["error"]["type"] == "model_rate_limit"
    assert "60.0 queries per minute" in refused.json()["error"]["message"]
    assert refused.headers["x-ratelimit-reset"] == "1"
    still.advance(1)
    assert asking.chat("together").status_code == 200


def test_together_shows_its_second(asking: Client) -> None:
    headers = asking.chat("together", max_tokens=5).headers
    assert (headers["x-ratelimit-limit"], headers["x-ratelimit-limit-tokens"], headers["retry-after"]) == (
        "1",
        "1000",
        "2",
    )


def test_openrouter_counts_free_models_together_and_failures_too(asking: Client, still: Running) -> None:
    still.faults(
        {"kind": "openrouter", "model": MODELS["openrouter"], "fault": "upstream_busy"},
        {"kind": "openrouter", "fault": "html"},
    )
    for _ in range(10):
        assert asking.chat("openrouter").status_code == 429
        assert asking.chat("openrouter", model="minimax/minimax-m2:free").status_code == 502
    refused = asking.chat("openrouter", model="google/gemma-2-9b-it:free")
    error = refused.json()["error"]
    assert error["message"] == "Rate limit exceeded: free-models-per-min. "
    headers = error["metadata"]["headers"]
    assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("20", "0")
    assert refused.headers["x-ratelimit-reset"] == headers["X-RateLimit-Reset"]
    assert int(headers["X-RateLimit-Reset"]) / 1000 == START + 60, "the turn of the minute"
    assert asking.chat("openrouter", model="deepseek/deepseek-chat").status_code == 502  # paid: no limit
    other = asking.chat("openrouter", secret=key("openrouter", "other"))
    assert "upstream" in other.text  # another account has its own
    assert asking.chat("openrouter", secret=key("openrouter", number=2)).json()["error"]["message"] == error["message"]


@pytest.mark.parametrize(
    ("plan", "limit", "label"),
    [("free", 50, "free-models-per-day"), ("credit", 1_000, "free-models-per-day-high-balance")],
)
def test_openrouter_s_day_ends_at_midnight_utc(
    asking: Client, still: Running, plan: str, limit: int, label: str
) -> None:
    still.settings(plans={"openrouter": plan})
    still.faults({"kind": "openrouter", "fault": "content_policy"})
    asked = 0
    while (answer := asking.chat("openrouter")).status_code == 403:
        asked += 1
        still.advance(3)
    assert asked == limit
    error = answer.json()["error"]
    assert error["message"].startswith(f"Rate limit exceeded: {label}. ")
    midnight = START + 43_200
    assert int(error["metadata"]["headers"]["X-RateLimit-Reset"]) == midnight * 1000
    check = asking.fetch("openrouter", "/key").json()["data"]
    assert check["free_model_daily_requests"]["remaining"] == 0
    assert check["is_free_tier"] is (plan == "free")
    still.advance(midnight - still.control("GET", "/_sim/clock")["now"] + 1)
    assert asking.chat("openrouter").status_code == 403


def test_time_that_is_sped_up_refills_limits_as_much_quicker(still: Running, asking: Client) -> None:
    asking.chat("groq", "x" * 40_000, max_tokens=5)
    still.settings(speed=5_000)
    for _ in range(50):
        if asking.chat("groq", "x" * 40_000, max_tokens=5).status_code == 200:
            break
    else:
        pytest.fail("five simulated minutes a tick, and the bucket never refilled")


def test_clients_are_told_dates_of_the_wall_or_of_the_simulated_calendar() -> None:
    import time

    with running(speed=1_000) as sim, Client(sim.url) as client:
        sim.advance(1e6)
        sim.faults({"kind": "openrouter", "fault": "rate_limit", "seconds": 30})
        reset = int(client.chat("openrouter").headers["x-ratelimit-reset"]) / 1000
        assert reset == pytest.approx(time.time() + 30, abs=5)
        sim.settings(own_calendar=True)
        reset = int(client.chat("openrouter").headers["x-ratelimit-reset"]) / 1000
        assert reset > time.time() + 900_000


HINTED = {"kind": "*", "fault": "rate_limit", "seconds": 12.5}


@pytest.mark.parametrize("kind", ["openrouter", "groq", "openai", "together", "generic"])
def test_a_hint_can_be_ordered_in_every_form(kind: str, sim: Running, client: Client) -> None:
    sim.faults({**HINTED, "hint": "retry_after"})
    assert client.chat(kind).headers["retry-after"] == "13"
    sim.faults({**HINTED, "hint": "retry_after_ms"})
    assert client.chat(kind).headers["retry-after-ms"] == "12500"
    sim.faults({**HINTED, "hint": "text"})
    told = client.chat(kind)
    assert "try again in 12.5s" in told.json()["error"]["message"]
    assert not [name for name in told.headers if "retry" in name or "ratelimit" in name]
    sim.faults({**HINTED, "hint": "reset"})
    reset = client.chat(kind)
    assert [name for name in reset.headers if "ratelimit-reset" in name]
    assert "retry-after" not in reset.headers
    sim.faults({**HINTED, "hint": "none"})
    bare = client.chat(kind)
    assert bare.status_code == 429
    assert not [name for name in bare.headers if "retry" in name or "ratelimit" in name]
    assert not re.search(r"\d+(\.\d+)?m?s\b", bare.json()["error"]["message"])
