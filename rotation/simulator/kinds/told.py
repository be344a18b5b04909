"""How Groq and OpenAI tell limits: bucket states in headers, limit, used and requested in texts."""

from __future__ import annotations

from collections.abc import Mapping

from rotation.simulator.durations import go, milliseconds_up
from rotation.simulator.kinds.errors import Pairs
from rotation.simulator.limits import Bucket, Hold, Refused

Axes = Mapping[str, tuple[str, ...]]  # header axis -> labels, the first one there is


def standing(hold: Hold | None, now: float, axes: Axes, *, places: int) -> Pairs:
    """The headers after an admission; `places` decimals of a second in the resets."""
    if hold is None:
        return ()
    pairs: list[tuple[str, str]] = []
    for axis, labels in axes.items():
        bucket = hold.bucket(*labels)
        if bucket is not None:
            pairs += _bucket(axis, bucket, now, places)
    return tuple(pairs)


def _bucket(axis: str, bucket: Bucket, now: float, places: int) -> Pairs:
    remaining = max(0, int(bucket.level(now) + 1e-6))
    return triple(axis, bucket.cap.limit, remaining, go(bucket.full_in(now), places=places))


def triple(axis: str, limit: float, remaining: float, reset: str) -> Pairs:
    return (
        (f"x-ratelimit-limit-{axis}", f"{limit:.0f}"),
        (f"x-ratelimit-remaining-{axis}", f"{remaining:.0f}"),
        (f"x-ratelimit-reset-{axis}", reset),
    )


def refused(refusal: Refused, *, reset: float | None = None) -> Pairs:
    """The headers of a refusal. `reset` seconds, by default until the bucket is full again."""
    cap = refusal.cap
    axis = "requests" if cap.axis == "requests" else "audio-seconds" if cap.axis == "audio" else "tokens"
    full = min(1.0, refusal.used / cap.limit) * cap.window
    told = go(milliseconds_up(full if reset is None else reset))
    return triple(axis, cap.limit, max(0, cap.limit - refusal.used), told)


def numbers(refusal: Refused) -> str:
    """Limit 12000, Used 4437, Requested 9854."""
    used = "" if refusal.never else f"Used {refusal.used}, "
    return f"Limit {refusal.cap.limit:.0f}, {used}Requested {refusal.requested}"
