"""Slows down guessing of tokens: after some wrong ones, an address waits, longer each time.

Kept in this process: a token is 256 bits of chance, so this saves the database work, it does not guard the tokens.
"""

from __future__ import annotations

import time
from collections import OrderedDict

FREE_TRIES = 10
LONGEST = 300.0  # seconds
FORGOTTEN = 3600.0
MOST = 10_000  # addresses remembered

_seen: OrderedDict[str, tuple[int, float, float]] = OrderedDict()  # address: tries, not before, last seen


class TooMany(Exception):
    """`seconds` to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Too many wrong tokens from here: wait {seconds:.0f} s.")
        self.seconds = seconds


def wait(address: str, now: float | None = None) -> float:
    """Seconds until this address may try again; 0 when it may now."""
    now = time.monotonic() if now is None else now
    return max(0.0, _seen.get(address, (0, 0.0, 0.0))[1] - now)


def failed(address: str, now: float | None = None) -> None:
    """One more wrong token from there: none for the first ten, then 1, 2, 4, ... seconds, at most five minutes."""
    now = time.monotonic() if now is None else now
    tries, _, seen = _seen.pop(address, (0, 0.0, now))
    tries = 1 if now - seen > FORGOTTEN else tries + 1
    over = tries - FREE_TRIES
    _seen[address] = tries, now + (min(2.0 ** min(over - 1, 20), LONGEST) if over > 0 else 0.0), now
    while len(_seen) > MOST:
        _seen.popitem(last=False)


def forget(address: str) -> None:
    """A right one came from there."""
    _seen.pop(address, None)
