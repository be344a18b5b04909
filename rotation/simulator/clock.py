"""Simulated time. Limits, fault windows and time stamps follow it; nothing else in the simulator reads a clock."""

from __future__ import annotations

import time


class Clock:
    """Runs `speed` times as fast as the wall and can be pushed ahead, never back. All values are epoch seconds."""

    def __init__(self, *, speed: float = 1.0, start: float | None = None) -> None:
        self._speed = _positive(speed)
        self.latency = 1.0  # what waits of answers are multiplied with; 0 answers at once while time goes on as ever
        self.own_calendar = start is not None
        self.start = time.time() if start is None else start
        self._base = self.start
        self._since = time.monotonic()

    @property
    def speed(self) -> float:
        return self._speed

    @property
    def now(self) -> float:
        return self._base + (time.monotonic() - self._since) * self._speed

    def wall(self, seconds: float) -> float:
        """How long a wait of simulated `seconds` really takes."""
        return seconds * self.latency / self._speed

    @property
    def elapsed(self) -> float:
        """Simulated seconds since the world began."""
        return self.now - self.start

    def told(self, instant: float) -> float:
        """The simulated `instant` as a client is told it.

        With a calendar of its own (`own_calendar`, for clients that live in simulated time too) the world tells that
        one's dates. Else clients live by the wall's clock, and are told a date as far ahead of it as the instant is
        ahead of simulated now.
        """
        return instant if self.own_calendar else time.time() + instant - self.now

    def advance(self, seconds: float) -> None:
        if not 0 <= seconds < 1e10:
            raise ValueError("advance takes a number of seconds from 0 up; simulated time never runs back")
        self._base += seconds

    def set_speed(self, speed: float) -> None:
        """From now on; what has passed stays passed."""
        speed = _positive(speed)
        self._base, self._since = self.now, time.monotonic()
        self._speed = speed


def _positive(speed: float) -> float:
    if not 0 < speed <= 1e6:
        raise ValueError(f"speed must be above 0 and at most a million, not {speed}")
    return float(speed)
