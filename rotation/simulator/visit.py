"""One request received, as operations see it, and what they make of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rotation.simulator.faults import Rule
from rotation.simulator.kinds.base import Kind
from rotation.simulator.ledger import Entry
from rotation.simulator.oops import Oops, Trouble
from rotation.simulator.script import Script, whole
from rotation.simulator.world import World

ERROR_SECONDS = 0.05  # simulated: what a refusal takes


@dataclass(frozen=True, slots=True)
class Visit:
    """`path` is relative to the kind's root. `body` is complete."""

    world: World
    kind: Kind
    entry: Entry
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    key: str
    account: str

    def refused(self, oops: Oops) -> Script:
        answer = self.kind.refuse(oops, self.world.clock.now)
        return whole(answer.status, answer.headers, answer.body, wait=ERROR_SECONDS)

    def fault(self, model: str, draw: float) -> Rule | None:
        clock = self.world.clock
        rule = self.world.faults.pick(
            kind=self.kind.name,
            operation=self.entry.operation,
            model=model,
            key=self.key,
            account=self.account,
            now=clock.now,
            start=clock.start,
            draw=draw,
        )
        if rule is not None:
            self.entry.fault = rule.fault.value
        return rule

    def needs_key(self) -> Oops | None:
        """The refusal of a request without a key, where one is needed."""
        if self.key or not self.kind.needs_key:
            return None
        return Oops(Trouble.NO_KEY, path=self.path)


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be played. `settle(share)` is called once afterwards with the share of the steps that went out."""

    script: Script
    settle: Callable[[float], None] | None = None


Operation = Callable[[Visit], Plan]


def account_of(kind: str, key: str) -> str:
    """`main` for sk-sim-openrouter-main-1; any other key is an account of its own, named by its tail."""
    lead = f"sk-sim-{kind}-"
    if key.startswith(lead):
        middle, _, number = key[len(lead) :].rpartition("-")
        if middle and number.isdigit():
            return middle
    return f"key-{key[-4:]}" if key else "nobody"
