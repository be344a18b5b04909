"""An accepted chat completion on its way to the wire."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from rotation.simulator.answers import Reply
from rotation.simulator.asks import Ask
from rotation.simulator.catalogue import Model
from rotation.simulator.latency import Timing
from rotation.simulator.limits import Hold


@dataclass(frozen=True, slots=True)
class Job:
    """`noise` is unique in the world and the same for the same seed: ids and random-looking fields are cut from it."""

    created: int
    ask: Ask
    model: Model
    replies: tuple[Reply, ...]
    timing: Timing
    hold: Hold | None
    now: float
    tokens_in: int
    tokens_out: int
    noise: str = field(repr=False)

    @property
    def reasoning_tokens(self) -> int:
        return sum((len(reply.reasoning) + 3) // 4 for reply in self.replies)

    @property
    def cost(self) -> float:
        """USD."""
        return (self.tokens_in * max(0.0, self.model.price_in) + self.tokens_out * max(0.0, self.model.price_out)) / 1e6


def noise_of(serial: str) -> str:
    """48 hexadecimal digits to cut ids from."""
    return hashlib.blake2b(serial.encode(), digest_size=24).hexdigest()
