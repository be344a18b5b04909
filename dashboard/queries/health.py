"""What is benched now and until when: cooldowns and breakers, found by the scopes they stand for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from rotation.models import Breaker, BreakerState, Cooldown

EVER = datetime.max.replace(tzinfo=UTC)
OPEN = (Breaker.OPEN, Breaker.FORCED_OPEN)


@dataclass(frozen=True, slots=True)
class Scope:
    """A scope string read: `account:3/deployment:44` blames the pair, `account:3/free` all free models."""

    text: str
    provider: int | None = None
    account: int | None = None
    key: int | None = None
    deployment: int | None = None
    free: bool = False


def scope_of(text: str) -> Scope:
    """Reads a scope; parts it does not know are passed over."""
    found: dict[str, int] = {}
    for part in text.split("/"):
        name, _, number = part.partition(":")
        if name in {"provider", "account", "key", "deployment"} and number.isdigit():
            found[name] = int(number)
    return Scope(text, **found, free=text.endswith("/free"))


@dataclass(frozen=True, slots=True)
class Benched:
    """One scope left alone. `until` None means until somebody closes the breaker."""

    scope: Scope
    state: str  # cooling, open, half-open
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Health:
    """Everything benched at one moment."""

    cooling: tuple[Benched, ...]
    breakers: tuple[Benched, ...]

    def of_key(self, key: int, account: int, provider: int) -> Benched | None:
        """What benches every call through this key, the longest first."""
        wide = [
            benched
            for benched in (*self.cooling, *self.breakers)
            if benched.scope.deployment is None
            and (benched.scope.key == key or benched.scope.account == account or benched.scope.provider == provider)
        ]
        return longest(wide)

    def models_cooling(self, key: int, account: int) -> int:
        """On how many single models this key cools."""
        pairs = {
            benched.scope.deployment
            for benched in self.cooling
            if benched.scope.deployment is not None and (benched.scope.key == key or benched.scope.account == account)
        }
        return len(pairs)

    def of_deployment(self, deployment: int, accounts: Collection[int]) -> Benched | None:
        """What benches this deployment for everyone: its own scope, or the same trouble on each of the accounts."""
        own = [b for b in (*self.breakers, *self.cooling) if b.scope.deployment == deployment]
        whole = [b for b in own if b.scope.account is None and b.scope.key is None]
        if whole:
            return longest(whole)
        by_account = {b.scope.account: b for b in own if b.scope.account in accounts}
        if accounts and len(by_account) == len(set(accounts)):
            return min(by_account.values(), key=lambda b: b.until or EVER)
        return None


def longest(benched: Iterable[Benched]) -> Benched | None:
    """The one that ends last; one without an end outlasts all."""
    return max(benched, key=lambda b: b.until or EVER, default=None)


def health(now: datetime) -> Health:
    """Two queries: cooldowns that still run, breakers that are not closed."""
    cooling = tuple(
        Benched(scope_of(row.scope), "cooling", row.until, row.reason)
        for row in Cooldown.objects.filter(until__gt=now).order_by("until")
    )
    breakers = tuple(
        Benched(
            scope_of(row.scope),
            "open" if row.state in OPEN else "half-open",
            None if row.state == Breaker.FORCED_OPEN else row.until,
            "opened by an operator" if row.state == Breaker.FORCED_OPEN else "",
        )
        for row in BreakerState.objects.filter(state__in=[*OPEN, Breaker.HALF_OPEN]).order_by("changed_at")
    )
    return Health(cooling, breakers)
