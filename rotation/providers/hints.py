"""How long to wait, as a provider says it: headers first, then the body, then its texts, then arithmetic.

Whatever comes in (negative, infinite, a date of last year, a word), what goes out is None or a number of seconds
above 0 and at most `LONGEST`. Zero is no hint: "at once" after a refusal only asks for the next refusal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from rotation.providers.complaints import Complaint
from rotation.providers.sentences import come_back, duration, spent

LONGEST = 86_400.0  # a day: no limit of any provider is longer, so a longer hint is a mistake
_EPOCH = 1e9  # from here on a number is a moment (seconds since 1970), not a span
_EPOCH_MS = 1e11  # and from here on in milliseconds
_ABSURD = 10 * 366 * 86_400.0  # a moment more than ten years off is not a moment
_NUMERIC = re.compile(r"[+-]?\d{1,20}(?:\.\d{1,20})?\Z")


def wait_hint(headers: Mapping[str, str], complaint: Complaint | None, now: float) -> float | None:
    """The best hint of a refusal in seconds from `now` (epoch), or None. `headers` under lower-case names."""
    for found in _candidates(headers, complaint, now):
        if found is not None:
            return found
    return None


def _candidates(headers: Mapping[str, str], complaint: Complaint | None, now: float) -> Iterator[float | None]:
    yield _milliseconds(headers.get("retry-after-ms"))
    yield seconds(headers.get("retry-after"), now)
    if complaint is not None:
        for wait in complaint.waits:
            yield seconds(wait, now)
        for text in complaint.texts:
            yield usable(come_back(text[:4000]), now)
        for text in complaint.texts:
            limit = spent(text[:4000])
            yield usable(limit.wait, now) if limit else None
        yield seconds(complaint.reset, now)
    yield seconds(headers.get("x-ratelimit-reset"), now)
    yield from _refills(headers, now)


def seconds(value: Any, now: float) -> float | None:
    """A wait in any spelling: a number, `6m0s`, an HTTP date, a moment since 1970 in s or ms; None when unusable."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return usable(value, now)
    if not isinstance(value, str) or len(value) > 100:
        return None
    text = value.strip()
    if _NUMERIC.match(text):
        return usable(float(text), now)
    if (span := duration(text)) is not None:
        return usable(span, now)
    return _date(text, now) if "," in text or ":" in text else None


def usable(value: float | None, now: float) -> float | None:
    """A span above 0 s, cut to `LONGEST`; moments become spans; everything else None."""
    if value is None or not math.isfinite(value):
        return None
    span = value / 1000 - now if value >= _EPOCH_MS else value - now if value >= _EPOCH else value
    return min(span, LONGEST) if 0 < span < _ABSURD else None


def _milliseconds(value: str | None) -> float | None:
    text = (value or "").strip()
    return usable(float(text) / 1000, 0.0) if _NUMERIC.match(text) else None


def _date(text: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    span = moment - now
    return min(span, LONGEST) if 0 < span < _ABSURD else None


def _refills(headers: Mapping[str, str], now: float) -> Iterator[float | None]:
    """Nothing better was said. `reset-*` is the time until the bucket is full again, which is far too long:
    of an empty request bucket one request's share is enough. What a call needs in tokens is not known here."""
    for axis in ("requests", "tokens"):
        limit, remaining = _count(headers, f"limit-{axis}"), _count(headers, f"remaining-{axis}")
        full = seconds(headers.get(f"x-ratelimit-reset-{axis}"), now)
        if full is None or remaining is None or remaining >= 1:
            continue
        yield max(full / limit, 0.001) if axis == "requests" and limit else full


def _count(headers: Mapping[str, str], name: str) -> float | None:
    text = headers.get(f"x-ratelimit-{name}", "").strip()
    return float(text) if _NUMERIC.match(text) else None
