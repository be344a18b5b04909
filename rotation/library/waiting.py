"""How often to try again and how long to wait before, as a value, and what is told of a retry to come.

    wait before retry n (from 1) = min(max_delay, base_delay * exponential_base^(n - 1) * (1 +- 0.2))

The formula is the gateway's own (`core/backoff.py`). Nothing sleeps here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from rotation.core import backoff
from rotation.core.policy import SEED, Policy


@dataclass(frozen=True, slots=True)
class RetryConfig:
    """Five retries after 1, 2, 4, 8 and 16 s unless told otherwise. Seconds; no wait is longer than `max_delay`.

    `jitter` moves every wait by up to a fifth. Raises ValueError for what is negative or no number, and for an
    `exponential_base` below 1.
    """

    max_retries: int = 5
    base_delay: float = 1.0
    max_delay: float = 60.0
    exponential_base: float = 2.0
    jitter: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.max_retries, bool) or not isinstance(self.max_retries, int) or self.max_retries < 0:
            raise ValueError(f"max_retries must be a whole number of 0 or more, not {self.max_retries!r}")
        for name, least in (("base_delay", 0), ("max_delay", 0), ("exponential_base", 1)):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not math.isfinite(value) or value < least:
                raise ValueError(f"{name} must be a number of {least} or more, not {value!r}")

    def delay(self, retry: int, rand: float) -> float:
        """Seconds before retry number `retry` (from 1), within [0, max_delay]; `rand` in [0, 1) is the jitter's."""
        return backoff.delay(retry - 1, self._policy(), rand)

    def _policy(self) -> Policy:
        return replace(
            SEED,
            backoff_base=self.base_delay,
            backoff_factor=self.exponential_base,
            backoff_cap=self.max_delay,
            backoff_jitter=SEED.backoff_jitter if self.jitter else 0.0,
        )


@dataclass(frozen=True, slots=True)
class RetryDetails:
    """A retry to come: its number (from 1), the wait before it and the time spent so far (seconds), and why.

    `model` is the one that failed, None without a manager or when none could be asked.
    """

    retry: int
    max_retries: int
    delay: float
    elapsed: float
    error: Exception
    model: str | None = None
