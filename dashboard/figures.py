"""How numbers are written for people: latencies, shares, money, counts, ages.

Pure text; nothing is rounded into a lie (a share is 100 % only when it is all of them).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from math import floor

NONE = "–"


def seconds(ms: float | None) -> str:
    """Milliseconds as `38 ms`, `0.87 s`, `4.2 s`, `48 s` or `2 min 14 s`; a dash when not known."""
    if ms is None:
        return NONE
    if ms < 99.5:
        return f"{ms:.1f} ms" if 0 < ms < 9.95 else f"{ms:.0f} ms"
    s = ms / 1000
    if s < 2.995:
        return f"{s:.2f} s"
    if s < 99.5:
        return f"{s:.1f} s" if s < 29.95 else f"{s:.0f} s"
    minutes, rest = divmod(round(s), 60)
    return f"{minutes} min {rest:02d} s"


def percent(part: float, whole: float) -> str:
    """A share cut, never rounded up: `97.8%`, `99.998%`; `100%` and `0%` only when exact; a dash of nothing."""
    if whole <= 0:
        return NONE
    if part >= whole:
        return "100%"
    if part <= 0:
        return "0%"
    share = 100 * part / whole
    digits = next((n for n, limit in ((1, 99.9), (2, 99.99), (3, 99.999)) if share < limit), 4)
    cut = min(floor(share * 10**digits), 100 * 10**digits - 1) / 10**digits
    return f"{cut:.{digits}f}%"


def count(number: float) -> str:
    """`4,021`."""
    return f"{number:,.0f}"


def short_count(number: float) -> str:
    """`950`, `12.4k`, `3.1M`: where the room is small."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= limit:
            value = number / {"G": 1e9, "M": 1e6, "k": 1e3}[unit]
            return f"{value:.1f}".rstrip("0").rstrip(".") + unit
    return count(number)


def money(dollars: Decimal | float | None) -> str:
    """`$6.41`; four decimals below a cent (`$0.0013`); a dash when not known."""
    if dollars is None:
        return NONE
    value = float(dollars)
    sign = "−" if value < 0 else ""
    size = abs(value)
    if 0 < size < 0.00005:
        return f"{sign}<$0.0001"
    if 0 < size < 0.01:
        return f"{sign}${size:.4f}"
    return f"{sign}${size:,.2f}"


def lasting(span: timedelta) -> str:
    """The two largest units of a span: `3 d 4 h`, `2 h`, `11 min`, `14 s`."""
    left = max(0, int(span.total_seconds()))
    if left < 60:
        return f"{left} s"
    words: list[str] = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        many, left = divmod(left, size)
        if many:
            words.append(f"{many} {unit}")
        elif words:
            break
    return " ".join(words[:2])


def countdown(span: timedelta) -> str:
    """What is left, rounded up: seconds up to 99, else as `lasting`. The browser counts on in the same words."""
    left = max(0, -(-span // timedelta(seconds=1)))
    return f"{left} s" if left < 100 else lasting(timedelta(seconds=left))


def ago(then: datetime | None, now: datetime) -> str:
    """`2 h ago`, `just now`, `never`."""
    if then is None:
        return "never"
    span = now - then
    if span < timedelta(seconds=5):
        return "just now"
    amount, unit = lasting(span).split(" ")[:2]
    return f"{amount} {unit} ago"


def ordinal(number: int) -> str:
    """`2nd`."""
    suffix = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
