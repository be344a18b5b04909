"""Limits as providers tell them, in headers and in error texts; each kind reads the headers in its own sense.

`x-ratelimit-limit-requests` is per day at Groq, per minute or per day at OpenAI, per second at Together. It keeps
no count of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from rotation.providers.base import Limit
from rotation.providers.complaints import Complaint
from rotation.providers.sentences import duration, prose, spent

DAY, HOUR, MINUTE, SECOND = 86_400.0, 3600.0, 60.0, 1.0
_MANY = 1e12  # no provider allows more of anything in a day


def number(text: str | None) -> float | None:
    """A count from a header: finite and at least 0, or None."""
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and math.isfinite(value) and 0 <= value < _MANY else None


def told(headers: Mapping[str, str], name: str, axis: str, window: float, *, suffix: str = "") -> list[Limit]:
    """The limit of `x-ratelimit-limit-<name><suffix>` and what remains of it, or nothing."""
    dash = f"-{name}{suffix}" if name else ""
    limit = number(headers.get(f"x-ratelimit-limit{dash}"))
    return [Limit(axis, limit, window, number(headers.get(f"x-ratelimit-remaining{dash}")))] if limit else []


def by_window(headers: Mapping[str, str]) -> list[Limit]:
    """`x-ratelimit-limit-requests-minute` and its like, where the name says the window (Cerebras)."""
    windows = (("minute", MINUTE), ("hour", HOUR), ("day", DAY))
    return [
        limit
        for axis in ("requests", "tokens")
        for unit, window in windows
        for limit in told(headers, axis, axis, window, suffix=f"-{unit}")
    ]


def inferred(headers: Mapping[str, str]) -> list[Limit]:
    """Requests per minute or per day, tokens per minute: OpenAI's headers, which do not name the window."""
    found = [*told(headers, "tokens", "tokens", MINUTE), *told(headers, "project-tokens", "tokens", MINUTE)]
    for name in ("requests", "project-requests"):
        for limit in told(headers, name, "requests", MINUTE):
            window = _window(limit, headers.get(f"x-ratelimit-reset-{name}"))
            if window:
                found.append(Limit(limit.axis, limit.limit, window, limit.remaining))
    return _tightest(found)


def _window(limit: Limit, reset: str | None) -> float | None:
    """The window from reset = (limit - remaining) / limit * window; None when these numbers cannot tell.

    A refilling bucket with a rounded-down `remaining` gives too short a window, never too long a one; resets are
    rounded to a millisecond, which weighs a lot in very large limits.
    """
    full = duration((reset or "").strip())
    if full is None or limit.remaining is None:
        return MINUTE
    used = limit.limit - limit.remaining
    if used <= 0:
        return None
    return MINUTE if (full - 0.001) * limit.limit / used <= 1.1 * MINUTE else DAY


def _tightest(limits: Iterable[Limit]) -> list[Limit]:
    """Of two limits on one axis and window the smaller: the larger can never be reached."""
    best: dict[tuple[str, float], Limit] = {}
    for limit in limits:
        known = best.get((limit.axis, limit.window))
        if known is None or limit.limit < known.limit:
            best[limit.axis, limit.window] = limit
    return list(best.values())


def in_texts(complaint: Complaint | None) -> list[Limit]:
    """Limits in the sentences of an error."""
    if complaint is None:
        return []
    text = complaint.message[:4000]
    exact = spent(text)
    if exact is None:
        return [Limit(p.axis, p.limit, p.window, source="text") for p in prose(text)]
    if not exact.axis or not exact.limit:
        return []
    remaining = None if exact.used is None else max(0.0, exact.limit - exact.used)
    return [Limit(exact.axis, exact.limit, exact.window, remaining, source="text")]
