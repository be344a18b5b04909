"""Chance as a function: the same seed, call, deployment and visit give the same number, whoever asks and when.

So the present policy and a candidate meet the same luck at the same deployment (common random numbers), and what
differs between them is the policy.
"""

from __future__ import annotations

MASK = (1 << 64) - 1
UNIT = 1.0 / (1 << 53)


def mixed(number: int) -> int:
    """SplitMix64's finaliser (Steele, Lea and Flood, 2014): 64 bits to 64 well-stirred ones."""
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & MASK
    return number ^ (number >> 31)


def drawn(seed: int, call: int, deployment: int, visit: int) -> int:
    """64 even bits for one attempt."""
    where = call * 0x9E3779B97F4A7C15 + deployment * 0xD1B54A32D192ED03 + visit * 0x8CB92BA72F3D8DD7
    return mixed((where + mixed(seed & MASK)) & MASK)


def unit(bits: int) -> float:
    """[0, 1) of 64 even bits."""
    return (bits >> 11) * UNIT
