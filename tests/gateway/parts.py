"""Small parts to test the gateway with: targets, a clock set by hand, health that keeps its notes in a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rotation.core.failures import Failure, FailureKind
from rotation.core.policy import BALANCED, Policy
from rotation.core.selection import READY, Candidate, Standing
from rotation.core.targets import Account, Deployment, Key, Needs, Provider, Target
from rotation.gateway.call import Call
from rotation.gateway.clients import Client
from rotation.gateway.entry import Entry
from rotation.gateway.health import Health
from rotation.gateway.leave import Permit, Refused, Work
from rotation.gateway.snapshot import Route
from rotation.providers.base import Usage

MORNING = 1_760_000_000.0  # 2025-10-09 08:53:20 UTC
REQUEST = "0199c7b4-0000-7000-8000-000000000001"


class Hands:
    """A clock that stands still until it is moved."""

    def __init__(self, at: float = MORNING) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += seconds


def target(deployment: int = 1, key: int = 1, account: int = 1, provider: int = 1, **offer: Any) -> Target:
    """One target; `offer` is what there is to say of its deployment."""
    return Target(
        Deployment(deployment, provider, f"model-{deployment}", **offer),
        Key(key, account),
        Account(account, provider),
        Provider(provider, f"provider-{provider}", "generic", f"https://provider-{provider}.example/v1"),
    )


def call(clock: Hands, *, seconds: float = 600.0, client: Client | None = None, needs: Needs | None = None) -> Call:
    now = clock()
    return Call(
        REQUEST, now, now, now + seconds, client or Client(7, "alice"), "auto", (), {"messages": []},
        needs or Needs(), False, False,
    )  # fmt: skip


class Pages(list[dict[str, Any]]):
    """Where entries and health write to."""

    def write(self, record: Mapping[str, Any]) -> None:
        self.append(dict(record))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [record for record in self if record["t"] == kind]


def entry(
    clock: Hands, candidates: Sequence[tuple[Target, Standing] | Target] = (), *, pages: Pages | None = None,
    route: Route | None = None, **more: Any,
) -> Entry:  # fmt: skip
    """A page over these candidates; those without a standing are ready."""
    found = [Candidate(*c) if isinstance(c, tuple) else Candidate(c, READY) for c in candidates]
    deployments = tuple(dict.fromkeys(c.target.deployment.id for c in found))
    record = (pages if pages is not None else Pages()).write
    return Entry(call(clock, **more), route or Route("auto", deployments), record, clock, found)


class Rig:
    """Health with a clock set by hand, chance set by hand, and its notes."""

    def __init__(self, policy: Policy = BALANCED, pool: str = "auto") -> None:
        self.clock = Hands()
        self.chance = 0.5
        self.notes = Pages()
        self.health = Health(now=self.clock, rand=lambda: self.chance, note=self.notes.write)
        self.work = Work(policy, pool, 0, REQUEST)

    def admitted(self, target: Target, **how: Any) -> Permit:
        permit = self.health.admit(target, self.work, **how)
        assert isinstance(permit, Permit), permit
        return permit

    def refused(self, target: Target, **how: Any) -> Refused:
        refused = self.health.admit(target, self.work, **how)
        assert isinstance(refused, Refused), refused
        return refused

    def fails(self, target: Target, kind: FailureKind, *, took: float = 0.0, **said: Any) -> float | None:
        """One attempt that fails so; until when health says the target is out."""
        permit = self.admitted(target)
        self.clock.forward(took)
        return self.health.failed(permit, Failure(kind, **said))

    def works(self, target: Target, *, took: float = 0.0, usage: Usage | None = None, **how: Any) -> None:
        """One attempt that is answered."""
        permit = self.admitted(target, **how)
        self.clock.forward(took)
        self.health.answered(permit, first=None, usage=usage)
