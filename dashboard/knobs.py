"""What the numbers of a pool's policy mean, in words for people: one row per knob of `rotation.core.policy.Policy`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rotation.core.policy import BALANCED, PRESETS
from rotation.models import Pool

STRATEGIES: Mapping[str, str] = {
    "ordered": "In the order of the list",
    "fastest": "Whoever is expected to be quickest first",
    "cheapest": "Free ones first, then by price",
    "round_robin": "Everybody goes first in turn",
    "weighted": "By chance, quicker ones more often",
}
PRESET_WORDS: Mapping[str, str] = {
    "balanced": "Balanced: rotates at once, breakers per model",
    "seed": "Seed: one breaker for the pool, waits before every retry",
}
MODES: Mapping[str, str] = {"automatic": "by itself", "propose": "proposed, a person decides", "off": "off"}


@dataclass(frozen=True, slots=True)
class Knob:
    """`unit`: s, share, number or empty; a share is 0 to 1."""

    label: str
    meaning: str
    unit: str = "s"


KNOBS: Mapping[str, Mapping[str, Knob]] = {
    "When a breaker opens": {
        "breaker_scope": Knob("Breaker for", "Each model by itself, or one for the whole pool.", ""),
        "consecutive_failures": Knob("Failures in a row", "So many open it.", "number"),
        "failure_share": Knob("Share of failures", "Opens it as well, over the window.", "share"),
        "slow_share": Knob("Share of slow calls", "Opens it as well, over the window.", "share"),
        "slow_call": Knob("A call is slow from", "Time to the first content."),
        "window": Knob("Window", "How far back shares look."),
        "minimum_calls": Knob("Calls at least", "Before shares say anything.", "number"),
    },
    "How it rests and comes back": {
        "rest": Knob("Rest", "How long it stays open the first time."),
        "rest_cap": Knob("Longest rest", "However often it opens."),
        "rest_grows": Knob("Rest grows", "With every opening in a row.", ""),
        "rest_jitter": Knob("Jitter of the rest", "So that not all come back at once.", "share"),
        "probes_to_close": Knob("Good probes", "So many close it again.", "number"),
        "probe_lease": Knob("A probe may take", "Then another one may try."),
        "slow_start": Knob("Slow start", "It gets its share of calls back over so long."),
    },
    "Rotation": {
        "rotate_after": Knob("Rotate after", "So many failures of one model in a row.", "number"),
        "max_attempts": Knob("Attempts", "At most, in one call.", "number"),
        "sleep_before_retry": Knob("Sleep before a retry", "Also before another model.", ""),
        "patience": Knob("Patience", "How long a call waits for one to come free when none is."),
    },
    "Backoff": {
        "backoff_base": Knob("First wait", "When nobody else is left."),
        "backoff_factor": Knob("Factor", "Each wait so much longer.", "number"),
        "backoff_cap": Knob("Longest wait", "Jitter included."),
        "backoff_jitter": Knob("Jitter", "More or less, by chance.", "share"),
    },
    "Retries and panic": {
        "retry_share": Knob("Retry budget", "Second tries as a share of a model's requests.", "share"),
        "retry_per_second": Knob("and a second", "So many more.", "number"),
        "ejection_cap": Knob("Set aside at most", "This share of the pool on our own judgement.", "share"),
        "panic": Knob("Last resort", "Ask who is set aside when nobody else is left.", ""),
    },
    "Timeouts": {
        "connect_timeout": Knob("Connect", "To the provider."),
        "first_content_floor": Knob("First content, at least", "However quick it usually is."),
        "first_content_cap": Knob("First content, at most", "However slow it usually is."),
        "whole_floor": Knob("Whole answers, at least", "For calls that are not streamed."),
        "gap": Knob("Gap", "Longest silence in a stream."),
        "gap_reasoning": Knob("Gap while thinking", "For models that reason."),
        "total": Knob("The whole call", "Everything included."),
    },
    "Order by evidence": {
        "cost_weight": Knob("Worth of money", "Seconds longer to save a thousandth of a USD.", "number"),
        "quality_weight": Knob("Worth of quality", "Seconds longer for a point of verified quality.", "number"),
        "explore_share": Knob(
            "Exploration", "Share of calls that ask a lower model first, to keep measuring.", "share"
        ),
    },
}
ALL: Mapping[str, Knob] = {name: knob for group in KNOBS.values() for name, knob in group.items()}


@dataclass(frozen=True, slots=True)
class Turned:
    """One knob of a pool: the value that holds, what its preset says, whether they differ."""

    name: str
    knob: Knob
    value: Any
    preset: Any

    @property
    def own(self) -> bool:
        return bool(self.value != self.preset)

    @property
    def words(self) -> str:
        return written(self.value, self.knob.unit)

    @property
    def preset_words(self) -> str:
        return written(self.preset, self.knob.unit)


def written(value: Any, unit: str) -> str:
    """`off`, `yes`, `30 s`, `50 %`."""
    if value is None:
        return "off"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return {"deployment": "each model", "pool": "the whole pool"}.get(value, value)
    number = f"{value * 100:g} %" if unit == "share" else f"{value:g}"
    return f"{number} s" if unit == "s" else number


def knobs_of(pool: Pool) -> Sequence[tuple[str, Sequence[Turned]]]:
    """All knobs in their groups."""
    preset = PRESETS.get(pool.preset, BALANCED)
    own = pool.policy if isinstance(pool.policy, dict) else {}
    return [
        (label, [Turned(n, knob, own.get(n, getattr(preset, n)), getattr(preset, n)) for n, knob in group.items()])
        for label, group in KNOBS.items()
    ]
