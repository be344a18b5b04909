"""Quotas by scope: reserved before a send, settled after it, learned from what providers say.

No limit known means nothing is refused. Which scope a limit counts in is the provider's affair: over all models
of an account, over its free ones, or, the usual case, per account and model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rotation.core.quota import Quota, Reservation
from rotation.core.targets import Target, account_free_scope, account_model_scope, account_scope
from rotation.providers.base import Limit, Usage

if TYPE_CHECKING:
    from rotation.gateway.snapshot import Learned

MINUTE = 60.0

Reserved = list[tuple[Quota, Reservation]]


class Limits:
    """All quotas of the data plane. `now` is engine time."""

    def __init__(self, note: Callable[[Mapping[str, Any]], None]) -> None:
        self.quotas: dict[str, Quota] = {}
        self._note = note

    def reserve(self, target: Target, tokens: int, now: float) -> Reserved | float:
        """Take one request and `tokens` from every quota the target stands in, or the moment when that can be done."""
        standing = [self.quotas[s] for s in target.scopes if s in self.quotas] if self.quotas else []
        needs = {"requests": 1.0, "tokens": float(tokens)}
        free_at = max((q.ready_at(needs, now) for q in standing), default=now)
        if free_at > now:
            return free_at
        return [(quota, quota.reserve(needs, now)) for quota in standing]

    def settle(self, reserved: Reserved, usage: Usage | None, now: float) -> None:
        """The attempt was made: its request is used, of the tokens what was really used (none when it failed)."""
        tokens = float(usage.tokens_in + usage.tokens_out) if usage else 0.0
        for quota, reservation in reserved:
            quota.settle(reservation, {"tokens": tokens}, now)

    def release(self, reserved: Reserved, now: float) -> None:
        """The attempt was not made: give all back."""
        for quota, reservation in reserved:
            quota.release(reservation, now)

    def learn(self, target: Target, limits: Iterable[Limit], now: float) -> None:
        """Take over what a provider said of its limits; what is new is noted."""
        for limit in map(_by_the_minute, limits):
            scope = scope_of(limit, target)
            quota = self.quotas.setdefault(scope, Quota())
            if quota.learn(limit.axis, limit.limit, limit.window, limit.remaining, now, source=limit.source):
                self._note({"t": "limit", "at": now, "scope": scope, "axis": limit.axis, "limit": limit.limit,
                            "window": limit.window, "source": limit.source})  # fmt: skip

    def adopt(self, learned: Iterable[Learned], now: float) -> None:
        """Limits known from an earlier life: a start, until the provider speaks again."""
        for known in learned:
            self.quotas.setdefault(known.scope, Quota()).configure(known.axis, known.limit, known.window, now)


def _by_the_minute(limit: Limit) -> Limit:
    """Tokens told per second bound a rate, not a request: a bucket of a second's tokens would refuse it for ever."""
    if limit.axis != "tokens" or limit.window >= MINUTE:
        return limit
    longer = MINUTE / limit.window
    return replace(limit, limit=limit.limit * longer, window=MINUTE, remaining=None)


def scope_of(limit: Limit, target: Target) -> str:
    """Where a limit counts."""
    if limit.free_only:
        return account_free_scope(target)
    return account_scope(target) if limit.per_account else account_model_scope(target)
