"""What the sentences of rate-limit errors say: which limit, how much of it is used, when to come back.

Groq and OpenAI write "on tokens per minute (TPM): Limit 12000, Used 4437, Requested 9854. Please try again in
11.455s"; others give the limit in prose. It does not decide what such a sentence means for a call.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

WINDOWS = {"second": 1.0, "sec": 1.0, "minute": 60.0, "min": 60.0, "hour": 3600.0, "day": 86_400.0}
AXES = {"requests": "requests", "queries": "requests", "tokens": "tokens", "seconds of audio": "audio_seconds"}

_UNIT = r"(?:milliseconds?|msecs?|ms|µs|us|ns|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)"
_SPAN = rf"(?:\d{{1,12}}(?:\.\d{{1,12}})?\s?{_UNIT}\s?)+"
_SECONDS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "us": 1e-6, "ns": 1e-9}

_PIECE = re.compile(rf"(?i)(\d{{1,12}}(?:\.\d{{1,12}})?)\s?({_UNIT})\s?")
_DURATION = re.compile(rf"(?i){_SPAN}\Z")
_COME_BACK = re.compile(rf"(?i)\b(?:try again|retry|wait)(?: again)?(?: in| after| for)?(?: about)? ({_SPAN})")
_NUMBER = r"(\d{1,15}(?:[,_]\d{3}){0,5}(?:\.\d{1,6})?)"
_SPENT = re.compile(
    rf"(?i)\b(?:on|in) ([a-z][a-z _]{{0,40}}?) per (second|sec|minute|min|hour|day)\b[^:.]{{0,20}}[:.] ?"
    rf"limit:? {_NUMBER}(?: ?/ ?[a-z]+)?(?:, ?(?:used|current):? {_NUMBER})?(?:, ?requested:? {_NUMBER})?"
)
_PROSE = re.compile(rf"(?i)\b(?:is|of|to|and) {_NUMBER} (queries|requests|tokens) per (second|minute|hour|day)\b")


@dataclass(frozen=True, slots=True)
class Spent:
    """One limit as an error text gives it. `axis` is "" for what is not counted here (images). `window` in seconds."""

    axis: str
    window: float
    limit: float
    used: float | None = None
    requested: float | None = None

    @property
    def hopeless(self) -> bool:
        """More is asked than the limit holds: waiting never helps."""
        return self.requested is not None and self.requested > self.limit

    @property
    def wait(self) -> float | None:
        """Seconds until the continuously refilled bucket holds enough: (used + requested - limit) / limit * window."""
        if self.used is None or self.requested is None or not self.limit:
            return None
        return (self.used + self.requested - self.limit) / self.limit * self.window


def spent(text: str) -> Spent | None:
    """The "Limit L, Used U, Requested R" of a text, or None."""
    found = _SPENT.search(text)
    limit = _number(found[3]) if found else None
    if found is None or limit is None:
        return None
    name = found[1].lower()
    axis = next((axis for word, axis in AXES.items() if word in name), "")
    return Spent(axis, WINDOWS[found[2].lower()], limit, _number(found[4]), _number(found[5]))


def prose(text: str) -> list[Spent]:
    """Limits in running words: "your rate limit is 60 queries per minute"."""
    found = [(AXES[axis.lower()], WINDOWS[unit.lower()], _number(n)) for n, axis, unit in _PROSE.findall(text)]
    return [Spent(axis, window, limit) for axis, window, limit in found if limit]


def come_back(text: str) -> float | None:
    """Seconds of "try again in 1h2m3.4s" (also with written-out units), or None."""
    found = _COME_BACK.search(text)
    return _sum(found[1]) if found else None


def duration(text: str) -> float | None:
    """Seconds of a whole text like `6m0s`, `1h0m57.015s` or `172ms`; None when it is something else."""
    return _sum(text) if _DURATION.match(text) else None


def _sum(text: str) -> float:
    return sum(float(amount) * _SECONDS[_short(unit.lower())] for amount, unit in _PIECE.findall(text))


def _short(unit: str) -> str:
    return "ms" if unit.startswith(("ms", "milli")) else unit if unit in _SECONDS else unit[0]


def _number(text: str | None) -> float | None:
    if not text:
        return None
    value = float(text.replace(",", "").replace("_", ""))
    return value if math.isfinite(value) else None
