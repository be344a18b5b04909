"""Buckets refill continuously and tell waits that are true to the millisecond."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.simulator.catalogue import Model
from rotation.simulator.durations import go, milliseconds_up
from rotation.simulator.limits import DAY, Bucket, Cap, Hold, Need, Refused, admit
from rotation.simulator.plans import PLANS, caps
from rotation.simulator.shelves import stock

TPM = Cap("TPM", "tokens", 12_000, 60.0)
NOW = 1_761_350_400.0

limits = st.integers(1, 1_000_000)
windows = st.sampled_from([1.0, 60.0, 3_600.0, DAY])


def bucket(cap: Cap, used: float, now: float = NOW) -> Bucket:
    made = Bucket(cap, now)
    made.take(used, now)
    return made


@pytest.mark.parametrize(
    ("limit", "window", "used", "requested", "seconds", "text"),
    [
        (12_000, 60, 4_437, 9_854, 11.455, "11.455s"),
        (12_000, 60, 2_542, 9_855, 1.985, "1.985s"),
        (100_000, DAY, 97_050, 3_619, 578.016, "9m38.016s"),
        (30_000, 60, 14_567, 24_754, 18.642, "18.642s"),
        (30_000, 60, 29_937, 385, 0.644, "644ms"),
    ],
)
def test_a_wait_is_what_exceeds_the_limit_over_its_rate(limit, window, used, requested, seconds, text) -> None:
    wait = bucket(Cap("TPM", "tokens", limit, window), used).wait(requested, NOW)
    assert wait == pytest.approx(seconds)
    assert go(milliseconds_up(wait)) == text


@pytest.mark.parametrize(
    ("limit", "window", "used", "reset"),
    [
        (14_400, DAY, 1, "6s"),
        (1_000, DAY, 1, "1m26.4s"),
        (50_000, DAY, 1, "1.728s"),
        (500, 60, 1, "120ms"),
        (30_000, 60, 1, "2ms"),
        (10_000, DAY, 1, "8.64s"),
        (100_000, 60, 12, "7.2ms"),
        (6_000, 60, 0, "0s"),
        (1_000, DAY, 44, "1h3m21.6s"),
    ],
)
def test_a_reset_is_the_time_until_the_bucket_is_full(limit, window, used, reset) -> None:
    assert go(bucket(Cap("", "requests", limit, window), used).full_in(NOW), places=6) == reset


@given(limits, windows, st.floats(0, 1), st.floats(0, 1))
def test_whoever_waits_as_told_is_admitted_and_sooner_is_not(limit, window, used_share, need_share) -> None:
    cap = Cap("TPM", "tokens", limit, window)
    used = bucket(cap, limit * used_share)
    need = max(1, math.floor(limit * need_share))
    wait = used.wait(need, NOW)
    if wait == 0:
        assert limit * (1 - used_share) >= need - 1e-3
        return
    whole_token = window / limit
    assert used.wait(need, NOW + wait) == 0
    if wait > 2 * whole_token:
        assert bucket(cap, limit * used_share).wait(need, NOW + wait - 2 * whole_token) > 0


@given(limits, windows, st.lists(st.tuples(st.integers(1, 500), st.floats(0, 5)), max_size=40))
def test_nobody_ever_gets_more_than_the_bucket_and_its_refill(limit, window, tries) -> None:
    made = Bucket(Cap("TPM", "tokens", limit, window), NOW)
    now, taken = NOW, 0
    for need, pause in tries:
        now += pause
        if need <= limit and made.wait(need, now) == 0:
            made.take(need, now)
            taken += need
    assert taken <= limit + (now - NOW) * limit / window + 1e-3


def test_what_is_held_counts_for_others_until_it_is_settled() -> None:
    made = Bucket(TPM, NOW)
    first = admit([made], Need(prompt=1_000, output=8_000), NOW)
    assert isinstance(first, Hold)
    assert made.level(NOW) == 11_000  # headers do not show what is only held
    refused = admit([made], Need(prompt=1_000, output=8_000), NOW)
    assert isinstance(refused, Refused)
    assert (refused.used, refused.requested) == (9_000, 9_000)
    assert refused.wait == pytest.approx(30.0)
    first.settle(200, NOW)
    first.settle(200, NOW)  # once is enough
    assert made.level(NOW) == 10_800
    assert isinstance(admit([made], Need(prompt=1_000, output=8_000), NOW), Hold)


def test_a_refusal_takes_nothing_and_names_the_longest_wait() -> None:
    minute, day = bucket(Cap("RPM", "requests", 30, 60.0), 30), bucket(Cap("RPD", "requests", 1_000, DAY), 1_000)
    refused = admit([minute, day], Need(), NOW)
    assert isinstance(refused, Refused)
    assert refused.cap.label == "RPD"
    assert refused.wait == pytest.approx(86.4)
    assert minute.level(NOW) == 0


def test_what_is_larger_than_the_whole_limit_never_fits() -> None:
    refused = admit([Bucket(TPM, NOW)], Need(prompt=12_001), NOW)
    assert isinstance(refused, Refused)
    assert refused.never


def test_a_day_counted_to_midnight_starts_anew_at_midnight() -> None:
    made = bucket(Cap("free-models-per-day", "requests", 50, DAY, fixed=True), 50, NOW + 3_600)
    assert made.wait(1, NOW + 3_600) == DAY - 3_600
    assert made.full_in(NOW + 7_200) == DAY - 7_200
    assert made.wait(1, NOW + DAY - 1) > 0
    assert made.wait(1, NOW + DAY) == 0
    assert made.level(NOW + DAY) == 50


def test_a_limit_with_debt_takes_one_large_request_and_then_waits_for_it() -> None:
    made = Bucket(Cap("TPS", "tokens", 1_000, 1.0, debt=True), NOW)
    assert made.wait(5_000, NOW) == 0
    made.take(5_000, NOW)
    assert made.wait(1, NOW + 4) > 0
    assert made.wait(1, NOW + 4.1) == 0


@given(st.floats(0, 400_000, allow_nan=False))
def test_a_duration_written_as_go_does_reads_back_the_same(seconds: float) -> None:
    text = go(seconds)
    units = {"h": 3_600, "m": 60, "s": 1, "ms": 0.001}
    read = sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)(ms|[hms])", text))
    assert read == pytest.approx(round(seconds, 3), abs=1e-6)
    assert re.fullmatch(r"(\d+h)?(\d+m)?[\d.]+(s|ms)", text)


@pytest.mark.parametrize(
    ("model", "numbers"),
    [
        ("llama-3.1-8b-instant", {"RPM": 30, "RPD": 14_400, "TPM": 6_000, "TPD": 500_000}),
        ("llama-3.3-70b-versatile", {"RPM": 30, "RPD": 1_000, "TPM": 12_000, "TPD": 100_000}),
        ("groq/compound", {"RPM": 30, "RPD": 250, "TPM": 70_000}),
        ("whisper-large-v3", {"RPM": 20, "RPD": 2_000, "ASPH": 7_200, "ASPD": 28_800}),
    ],
)
def test_groq_s_free_plan_is_the_public_table(model: str, numbers: dict[str, int]) -> None:
    found = stock("groq", 0).get(model)
    assert found is not None
    assert {cap.label: cap.limit for cap in caps("groq", "free", found)} == numbers


def test_every_plan_of_every_kind_has_limits_but_none() -> None:
    for kind, plans in PLANS.items():
        for model in stock(kind, 0):
            for plan in plans:
                limited = bool(caps(kind, plan, model))
                assert limited is (plan != "none" and (kind != "openrouter" or model.free))


def test_openai_s_first_tier_has_30000_tokens_a_minute_for_gpt_4o() -> None:
    found = {cap.label: (cap.limit, cap.window) for cap in caps("openai", "tier1", Model("gpt-4o"))}
    assert found == {"RPM": (500, 60), "TPM": (30_000, 60)}


def test_a_request_that_came_just_before_its_bucket_was_made_finds_it_full() -> None:
    assert Bucket(Cap("RPS", "requests", 1, 1.0), NOW).wait(1, NOW - 0.5) == 0.0
