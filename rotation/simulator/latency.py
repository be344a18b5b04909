"""How long an answer takes: log-normal around the model's median, decided by seed, model and request number."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from rotation.simulator.catalogue import Model

SIGMA = 0.25  # spread of the logarithm: 95 % within a factor of 1.6
FIRST_SHARE = 0.35  # of a short answer's time, until the first token
SHORT = 32  # tokens of the short answer the median is about
PREFILL = 20_000  # prompt tokens that double the time to the first token


@dataclass(frozen=True, slots=True)
class Timing:
    """Simulated seconds."""

    first: float
    total: float


def uniforms(seed: int, *parts: object) -> tuple[float, float]:
    """Two independent draws in [0, 1), the same for the same seed and parts on every machine."""
    digest = hashlib.blake2b("\x1f".join(map(str, (seed, *parts))).encode("utf-8", "replace"), digest_size=16).digest()
    return int.from_bytes(digest[:8], "big") / 2**64, int.from_bytes(digest[8:], "big") / 2**64


def timing(model: Model, *, draw: tuple[float, float], tokens_in: int, tokens_out: int) -> Timing:
    """`draw`: two uniforms. Longer prompts delay the first token, longer answers take their share of time per token."""
    u, v = draw
    normal = math.sqrt(-2.0 * math.log(1.0 - u)) * math.cos(2.0 * math.pi * v)
    short = model.seconds * math.exp(SIGMA * normal)
    first = short * FIRST_SHARE * (1.0 + tokens_in / PREFILL)
    return Timing(first=first, total=first + short * (1.0 - FIRST_SHARE) * tokens_out / SHORT)
