"""What an exception of somebody's client library says: was it a rate limit, and for how long?

Read are the attributes such libraries have in common, nothing else: no class is imported, no text is parsed. The
gateway knows far more spellings (`rotation/providers/hints.py`), because it sees the answers themselves.
"""

from __future__ import annotations

import math
from typing import Any

#: From here on a number of seconds is a moment since 1970 or a mistake, not a wait.
EPOCH = 1e9


def rate_limited(error: BaseException | None) -> bool:
    """Whether it carries HTTP status 429, as `status_code`, `status` or `code`, on itself or on its `response`."""
    holders = (error, getattr(error, "response", None))
    found = [getattr(holder, name, None) for holder in holders for name in ("status_code", "status", "code")]
    return any(isinstance(status, int | str) and status in (429, "429") for status in found)


def hint_of(error: BaseException | None) -> float | None:
    """The seconds to wait that it names: `retry_after`, else a `retry-after` among its or its response's headers."""
    told = seconds(getattr(error, "retry_after", None))
    return told or seconds(_header(error)) or seconds(_header(getattr(error, "response", None)))


def seconds(value: Any) -> float | None:
    """A number, or one written down, that is a wait of more than 0 s; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and 0 < number < EPOCH else None


def _header(holder: Any) -> Any:
    get = getattr(getattr(holder, "headers", None), "get", None)
    return get("retry-after") if callable(get) else None
