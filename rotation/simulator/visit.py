"""One request received, as operations see it, and what they make of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from rotation.simulator.faults import Asked, Rule
from rotation.simulator.kinds.base import Kind
from rotation.simulator.ledger import Entry
from rotation.simulator.oops import Oops, Refusal, Trouble
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
        clock = self.world.clock
        oops = oops if oops.account else replace(oops, account=self.account)
        answer = self.kind.refuse(oops, clock.told(clock.now))
        return whole(answer.status, answer.headers, answer.body, wait=ERROR_SECONDS)

    def fault(self, model: str, draw: float, features: frozenset[str] = frozenset()) -> Rule | None:
        """The fault rule that meets this request, noted in the ledger."""
        clock = self.world.clock
        asked = Asked(self.kind.name, self.entry.operation, model, self.key, self.account, features)
        rule = self.world.faults.pick(asked, now=clock.now, start=clock.start, draw=draw)
        if rule is not None:
            self.entry.fault = rule.fault.value
        return rule

    def check_key(self) -> None:
        """Raises Refusal for a request without a key where one is needed."""
        if not self.key and self.kind.needs_key:
            raise Refusal(Oops(Trouble.NO_KEY, path=self.path))


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be played. `settle` is called once afterwards, however it ended."""

    script: Script
    settle: Callable[[], None] | None = None


Operation = Callable[[Visit], Plan]


def account_of(kind: str, key: str) -> str:
    """`main` for sk-sim-openrouter-main-1; any other key is an account of its own, named by its tail."""
    lead = f"sk-sim-{kind}-"
    if key.startswith(lead):
        middle, _, number = key[len(lead) :].rpartition("-")
        if middle and number.isdigit():
            return middle
    return f"key-{key[-4:]}" if key else "nobody"
