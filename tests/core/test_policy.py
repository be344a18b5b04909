"""The presets hold the numbers they promise, and a wrong knob is named."""

from __future__ import annotations

import math
from dataclasses import asdict, fields

import pytest

from rotation.core.policy import BALANCED, PRESETS, SEED, Policy, policy_from


def test_the_seed_preset_holds_the_literal_numbers_of_the_seed_design():
    assert SEED.rotate_after == 3
    assert (SEED.breaker_scope, SEED.consecutive_failures) == ("pool", 5)
    assert (SEED.rest, SEED.rest_grows, SEED.rest_jitter) == (60.0, False, 0.0)
    assert (SEED.probes_to_close, SEED.slow_start) == (1, 0.0)
    assert (SEED.backoff_base, SEED.backoff_factor, SEED.backoff_cap, SEED.backoff_jitter) == (1.0, 2.0, 60.0, 0.2)
    assert SEED.max_attempts == 1 + 5  # the first try and five retries
    assert SEED.sleep_before_retry
    assert (SEED.failure_share, SEED.slow_share, SEED.retry_share, SEED.ejection_cap, SEED.panic) == (
        None, None, None, None, False,
    )  # fmt: skip


def test_the_balanced_preset_is_the_default():
    assert PRESETS["balanced"] == BALANCED == Policy()
    assert (BALANCED.consecutive_failures, BALANCED.failure_share, BALANCED.minimum_calls, BALANCED.window) == (
        5, 0.5, 10, 30.0,
    )  # fmt: skip
    assert BALANCED.slow_share == 0.8
    assert (BALANCED.rest, BALANCED.rest_cap, BALANCED.rest_grows, BALANCED.rest_jitter) == (30.0, 300.0, True, 0.2)
    assert (BALANCED.probes_to_close, BALANCED.slow_start) == (2, 30.0)
    assert (BALANCED.rotate_after, BALANCED.max_attempts, BALANCED.sleep_before_retry) == (1, 12, False)
    assert (BALANCED.retry_share, BALANCED.retry_per_second, BALANCED.ejection_cap, BALANCED.panic) == (
        0.2, 1.0, 0.5, True,
    )  # fmt: skip
    assert (BALANCED.connect_timeout, BALANCED.first_content_floor, BALANCED.first_content_cap) == (5.0, 5.0, 60.0)
    assert (BALANCED.cost_weight, BALANCED.quality_weight, BALANCED.explore_share) == (0.0, 0.0, 0.01)
    assert (BALANCED.gap, BALANCED.gap_reasoning, BALANCED.total) == (30.0, 120.0, 600.0)


def test_a_pool_overrides_single_knobs_and_the_preset_stays_as_it_is():
    before = asdict(SEED)
    made = policy_from("seed", {"patience": 5.0, "failure_share": 0.25})
    assert (made.patience, made.failure_share, made.rest) == (5.0, 0.25, 60.0)
    assert asdict(SEED) == before
    assert policy_from("balanced") == policy_from("balanced", {}) == BALANCED


def test_an_unknown_preset_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown preset 'brave'; choose one of seed, balanced"):
        policy_from("brave")


def test_an_unknown_knob_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown policy knob 'patients'; known are backoff_base, .*patience"):
        policy_from("balanced", {"patience": 1.0, "patients": 3})


@pytest.mark.parametrize("preset", list(PRESETS))
def test_every_number_of_a_preset_makes_sense(preset):
    policy = PRESETS[preset]
    for knob in fields(Policy):
        value = getattr(policy, knob.name)
        if isinstance(value, int | float):
            assert 0 <= value < math.inf, knob.name
        if knob.name.endswith(("_share", "_jitter", "ejection_cap")) and value is not None:
            assert 0 <= value <= 1, knob.name
    assert policy.rest <= policy.rest_cap
    assert policy.first_content_floor <= policy.first_content_cap <= policy.total
    assert policy.breaker_scope in {"deployment", "pool"}


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        ("patience", "5"), ("patience", None), ("gap", -1), ("window", float("nan")), ("total", float("inf")),
        ("max_attempts", 0), ("max_attempts", 2.5), ("max_attempts", True), ("panic", 1), ("breaker_scope", "planet"),
        ("explore_share", 0.11), ("explore_share", -0.01), ("cost_weight", "1"), ("quality_weight", None),
    ],
)  # fmt: skip
def test_a_value_no_knob_can_have_is_refused_by_name(knob: str, value: object) -> None:
    """It would come out only in the middle of a call, of every call of its pool."""
    with pytest.raises(ValueError, match=knob):
        policy_from("balanced", {knob: value})


@pytest.mark.parametrize(
    ("knob", "value"), [("retry_share", None), ("patience", 0), ("failure_share", 1), ("breaker_scope", "pool")]
)
def test_whole_numbers_zero_and_switched_off_shares_are_fine(knob: str, value: object) -> None:
    assert getattr(policy_from("balanced", {knob: value}), knob) == value
