"""The gateway's time: epoch seconds that never jump, and every wait measured by them.

Anchored to the wall clock once, carried by the monotonic one. A `speed` above 1 makes engine time run so much
quicker than real time: a gateway over a simulator of the same speed lives its hours in minutes, by the same rules.
"""

from __future__ import annotations

import asyncio
import time


class Clock:
    """All seconds that go in and come out are engine seconds."""

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError(f"time must run forwards, not at {speed}")
        self.speed = speed
        self._wall, self._mono = time.time(), time.monotonic()

    def now(self) -> float:
        return self._wall + (time.monotonic() - self._mono) * self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)

    def timeout(self, seconds: float) -> asyncio.Timeout:
        """`asyncio.timeout` for that many engine seconds; what is past already ends at the first wait."""
        return asyncio.timeout(max(seconds, 0.0) / self.speed)
