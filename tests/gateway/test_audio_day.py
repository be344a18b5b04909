"""A day of audio in which each provider in turn is limited, down or too small: every call is answered."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from rotation.core.targets import Target
from rotation.gateway import accept
from rotation.gateway.clock import Clock
from rotation.gateway.gate import Gate
from rotation.gateway.journal import Journal
from rotation.gateway.reply import Whole
from rotation.simulator.serve import Running, running
from tests.gateway.scripted import ME, pages
from tests.gateway.uploading import FORM, cut, form, kept_files, listening

PROVIDERS = ("groq", "openai", "together", "generic")
CALLS = 15  # an hour
HOUR = 3600.0
TOO_SMALL = "413: Maximum content size limit (50000) exceeded"
TROUBLES: tuple[dict[str, Any], ...] = (
    {"fault": "rate_limit", "hint": "retry_after", "seconds": 1800},
    {"fault": "rate_limit", "hint": "none"},
    {"fault": "refuse_connection"},
    {"fault": "server_error", "status": 503},
    {"fault": "server_error", "status": 413, "message": TOO_SMALL},
    {"fault": "key_revoked"},
)
FORMATS = ("json", "json", "verbose_json", "text", "srt")
SIZES = (20_000, 90_000, 400_000)


class Leaps(Clock):
    """A clock that can leap forward."""

    leapt = 0.0

    def now(self) -> float:
        return super().now() + self.leapt


async def listen(gate: Gate, number: int) -> Whole:
    body = form(bytes(SIZES[number % len(SIZES)]), model="auto", response_format=FORMATS[number % len(FORMATS)])
    upload = await accept.uploaded(gate, ME, "transcription", FORM, cut(body, 1000, 70_000))
    reply = await accept.audio(gate, ME, "transcription", upload)
    assert isinstance(reply, Whole)
    return reply


async def day(sim: Running, gate: Gate, clock: Leaps) -> Counter[str]:
    """24 hours, `CALLS` in each; every provider has every trouble for an hour. Returns who answered how often."""
    answered: Counter[str] = Counter()
    for hour in range(24):
        victim = PROVIDERS[hour % len(PROVIDERS)]
        sim.faults({"kind": victim, **TROUBLES[hour // len(PROVIDERS)]})
        for number in range(CALLS):
            reply = await listen(gate, number)
            assert reply.status == 200
            answered[reply.headers["x-rotation-provider"]] += 1
            clock.leapt += HOUR / CALLS
            sim.advance(HOUR / CALLS)
    return answered


def test_every_call_of_a_hard_day_is_answered() -> None:
    async def story() -> tuple[Counter[str], list[Any], dict[int, Target]]:
        with running(seed=5, speed=200.0) as sim:
            clock = Leaps()
            snapshot = listening(sim.url)
            gate = Gate(snapshot, Journal(Path(tempfile.mkdtemp(prefix="rotation-day-"))), clock=clock)
            try:
                return await day(sim, gate, clock), pages(gate), {i: t[0] for i, t in snapshot.targets.items()}
            finally:
                await gate.close()

    answered, calls, targets = asyncio.run(story())
    assert len(calls) == 24 * CALLS
    assert {c["outcome"] for c in calls} == {"answered"}
    assert answered["sim-groq"] > sum(answered.values()) / 2, "preferred whenever it could be asked"
    others = [answered[f"sim-{name}"] for name in PROVIDERS[1:]]
    assert min(others) > 0
    first_try = sum(len(c["attempts"]) == 1 for c in calls)
    assert first_try > 0.8 * len(calls), "whoever is away is not asked again and again"
    assert all(targets[a["deployment"]].provider.kind in PROVIDERS for c in calls for a in c["attempts"])
    assert kept_files() == []
