"""A clock that goes on only when told, and sleeps that are written down instead of slept."""

from __future__ import annotations

import pytest


class FakeTime:
    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)


class Refused(Exception):
    status_code = 429

    def __init__(self, retry_after: object = None) -> None:
        super().__init__("slow down")
        self.retry_after = retry_after


@pytest.fixture
def clock() -> FakeTime:
    return FakeTime()
