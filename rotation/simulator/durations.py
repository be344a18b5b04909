"""How providers write a time span."""

from __future__ import annotations

import math


def go(seconds: float, *, places: int = 3) -> str:
    """Go's notation with up to `places` decimals of a second: 644ms, 11.455s, 9m38.016s, 1h0m57.015s, 0s."""
    scale = 10**places
    units = round(max(0.0, seconds) * scale)
    if units == 0:
        return "0s"
    if units < scale:
        return f"{units * 1000 / scale:.10g}ms"
    minutes, rest = divmod(units, 60 * scale)
    hours, minutes = divmod(minutes, 60)
    whole, part = divmod(rest, scale)
    decimals = f".{part:0{places}d}".rstrip("0") if part else ""
    lead = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{lead}{whole}{decimals}s"


def milliseconds_up(seconds: float) -> float:
    """Rounded up to a whole millisecond, free of floating-point dust: a wait told is long enough."""
    return math.ceil(seconds * 1000 - 1e-6) / 1000
