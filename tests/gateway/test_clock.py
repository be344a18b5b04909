"""Engine time is epoch time that never jumps, and may run quicker than the clock on the wall."""

from __future__ import annotations

import asyncio
import time

import pytest
import time_machine

from rotation.gateway.clock import Clock


def test_it_tells_the_time() -> None:
    assert Clock().now() == pytest.approx(time.time(), abs=5)


def test_it_does_not_jump_with_the_wall_clock() -> None:
    clock = Clock()
    before = clock.now()
    with time_machine.travel(time.time() + 86_400):
        assert before <= clock.now() < before + 3600


def test_a_quicker_clock_lives_its_hours_in_moments() -> None:
    clock = Clock(speed=36_000.0)

    async def hours() -> float:
        started = clock.now()
        await clock.sleep(3600)
        with pytest.raises(TimeoutError):
            async with clock.timeout(3600):
                await asyncio.sleep(60)
        return clock.now() - started

    started = time.monotonic()
    assert asyncio.run(hours()) >= 7200
    assert time.monotonic() - started < 30


def test_a_timeout_that_is_over_ends_at_the_first_wait() -> None:
    async def late() -> None:
        async with Clock().timeout(-5):
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        asyncio.run(late())


@pytest.mark.parametrize("speed", [0.0, -1.0])
def test_time_runs_forwards(speed: float) -> None:
    with pytest.raises(ValueError, match="forwards"):
        Clock(speed)
