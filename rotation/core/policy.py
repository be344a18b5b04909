"""Every knob of the rotation in one value, and the two presets.

`SEED` keeps the literal numbers of the seed design; `BALANCED` is the default. All times are seconds,
all shares are 0..1. A pool stores a preset name and overrides: `policy_from("balanced", {"patience": 5})`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Policy:
    """How a pool rotates. The numbers' reasons stand in docs/architecture.md."""

    # when a breaker opens, rests and closes
    breaker_scope: str = "deployment"  # "deployment" or "pool" (the seed's manager-wide breaker)
    consecutive_failures: int = 5
    failure_share: float | None = 0.5
    slow_share: float | None = 0.8
    window: float = 30.0
    minimum_calls: int = 10
    slow_call: float = 30.0
    rest: float = 30.0
    rest_cap: float = 300.0
    rest_grows: bool = True
    rest_jitter: float = 0.2
    probes_to_close: int = 2
    probe_lease: float = 60.0
    slow_start: float = 30.0
    # rotation
    rotate_after: int = 1
    max_attempts: int = 12
    sleep_before_retry: bool = False  # the seed sleeps before every retry, also before another target
    # backoff
    backoff_base: float = 1.0
    backoff_factor: float = 2.0
    backoff_cap: float = 60.0
    backoff_jitter: float = 0.2
    # waiting for a target to come free, when none is
    patience: float = 10.0
    # retry budget and panic
    retry_share: float | None = 0.2
    retry_per_second: float = 1.0
    ejection_cap: float | None = 0.5
    panic: bool = True
    # timeouts
    connect_timeout: float = 5.0
    first_content_floor: float = 5.0
    first_content_cap: float = 60.0
    whole_floor: float = 20.0  # the floor for answers in one piece
    gap: float = 30.0
    gap_reasoning: float = 120.0
    total: float = 600.0
    # the order by evidence: what time is weighed with, and how much of the traffic keeps measurements fresh
    cost_weight: float = 0.0  # seconds an answer may take longer to save a thousandth of a USD
    quality_weight: float = 0.0  # seconds an answer may take longer for a point (of five) of verified quality
    explore_share: float = 0.01  # of a pool's calls that ask a lower model first; 0 switches it off


BALANCED = Policy()

SEED = Policy(
    breaker_scope="pool",
    failure_share=None,
    slow_share=None,
    rest_grows=False,
    rest_jitter=0.0,
    rest=60.0,
    probes_to_close=1,
    slow_start=0.0,
    rotate_after=3,
    max_attempts=6,
    sleep_before_retry=True,
    patience=60.0,
    retry_share=None,
    ejection_cap=None,
    panic=False,
    explore_share=0.0,
)

PRESETS: Mapping[str, Policy] = {"seed": SEED, "balanced": BALANCED}


#: Knobs that may be switched off with None.
OPTIONAL = frozenset({"failure_share", "slow_share", "retry_share", "ejection_cap"})
BREAKER_SCOPES = ("deployment", "pool")
#: Knobs with an end: what exploring costs is bounded by it.
AT_MOST = {"explore_share": 0.1}


def policy_from(preset: str, overrides: Mapping[str, Any] | None = None) -> Policy:
    """The preset with single knobs changed. Raises ValueError naming an unknown preset or knob, or a value no knob
    can have.
    """
    if preset not in PRESETS:
        raise ValueError(f"unknown preset {preset!r}; choose one of {', '.join(PRESETS)}")
    known = {f.name for f in fields(Policy)}
    unknown = sorted(set(overrides or {}) - known)
    if unknown:
        raise ValueError(f"unknown policy knob {unknown[0]!r}; known are {', '.join(sorted(known))}")
    for name, value in (overrides or {}).items():
        if wrong := _wrong(name, value):
            raise ValueError(f"the policy knob {name!r} must be {wrong}, not {value!r:.40}")
    return replace(PRESETS[preset], **dict(overrides or {}))


def _wrong(name: str, value: Any) -> str:
    """What the knob must be, when the value is not that; else nothing."""
    usual = getattr(BALANCED, name)
    if isinstance(usual, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(usual, str):
        return "" if value in BREAKER_SCOPES else f"one of {', '.join(BREAKER_SCOPES)}"
    if value is None and name in OPTIONAL:
        return ""
    if isinstance(usual, int):
        return "" if type(value) is int and value >= 1 else "a whole number from 1"
    right = type(value) in (int, float) and 0 <= value < math.inf
    if name in AT_MOST:
        return "" if right and value <= AT_MOST[name] else f"a number from 0 to {AT_MOST[name]:g}"
    return "" if right else "a number from 0" + (" or null" if name in OPTIONAL else "")
