"""What a breaker counts while it is closed, and when it is too much.

Time is cut into slices; what is evicted is subtracted from the running totals, so a call costs the same however
many came before it. Nothing here opens anything: `Tally.add` only says why one should.
"""

from __future__ import annotations

from rotation.core.policy import Policy

SLICES = 10


class Window:
    """Totals over the current slice and the nine before it: the last 0.9 to 1 times `length` seconds."""

    __slots__ = ("_at", "_calls", "_failures", "_slow", "_width", "calls", "failures", "slow")

    def __init__(self, length: float) -> None:
        self._width = max(length, 1e-3) / SLICES
        self.clear()

    def clear(self) -> None:
        self.calls = self.failures = self.slow = 0
        self._calls = [0] * SLICES
        self._failures = [0] * SLICES
        self._slow = [0] * SLICES
        self._at = 0

    def add(self, now: float, *, failed: bool, slow: bool) -> None:
        """Count one call that ended at `now`; should the clock have gone back, into the current slice."""
        at = int(now // self._width)
        if at > self._at:
            self._evict(at)
        place = self._at % SLICES
        self.calls += 1
        self._calls[place] += 1
        if failed:
            self.failures += 1
            self._failures[place] += 1
        if slow:
            self.slow += 1
            self._slow[place] += 1

    def _evict(self, at: int) -> None:
        for step in range(self._at + 1, min(at, self._at + SLICES) + 1):
            place = step % SLICES
            self.calls -= self._calls[place]
            self.failures -= self._failures[place]
            self.slow -= self._slow[place]
            self._calls[place] = self._failures[place] = self._slow[place] = 0
        self._at = at


class Tally:
    """Failures in a row, and the shares of failed and of slow calls within the policy's window."""

    __slots__ = ("_policy", "consecutive", "window")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.consecutive = 0
        self.window = Window(policy.window)

    def follow(self, policy: Policy) -> None:
        """Judge by another policy; the window keeps the length it was made with."""
        self._policy = policy

    def clear(self) -> None:
        self.consecutive = 0
        self.window.clear()

    def add(self, now: float, elapsed: float, *, failed: bool) -> str | None:
        """Count one call; the reason to open, if it was the one too many. A quick success never is."""
        slow = elapsed >= self._policy.slow_call
        self.consecutive = self.consecutive + 1 if failed else 0
        self.window.add(now, failed=failed, slow=slow)
        return (self._too_many() if failed else None) or (self._too_slow() if slow else None)

    def _too_many(self) -> str | None:
        policy, window = self._policy, self.window
        if self.consecutive >= policy.consecutive_failures:
            return f"{self.consecutive} failures in a row"
        share = policy.failure_share
        if share is None or window.calls < policy.minimum_calls or window.failures < share * window.calls:
            return None
        return f"{window.failures} of {window.calls} calls failed within {policy.window:g} s"

    def _too_slow(self) -> str | None:
        policy, window = self._policy, self.window
        share = policy.slow_share
        if share is None or window.calls < policy.minimum_calls or window.slow < share * window.calls:
            return None
        return f"{window.slow} of {window.calls} calls took {policy.slow_call:g} s or more within {policy.window:g} s"
