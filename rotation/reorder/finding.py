"""What the evidence says about a pool's order: who would stand where, how sure that is, and in which words."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from rotation.core.confidence import Compared, swaps
from rotation.core.evidence import HALF_LIFE, HOURS, Evidence
from rotation.core.policy import Policy, policy_from
from rotation.core.ranking import MARGIN, MIN_SAMPLES, Pair, Proposal, burdens, expected_ms, movable, propose, totals
from rotation.core.ranking import wanted as wanted_pairs
from rotation.models import Placement, Pool
from rotation.models.catalog import OUT
from rotation.models.pools import LAST, placements_in_order
from rotation.reorder.window import Window, read


@dataclass(frozen=True)
class Finding:
    """`placements` are those that take part, in order; `barred` the pairs (above, below) left as they are for now."""

    pool: Pool
    placements: Sequence[Placement]
    window: Window
    barred: frozenset[Pair] = frozenset()

    @cached_property
    def order(self) -> tuple[int, ...]:
        return tuple(placement.deployment_id for placement in self.placements)

    @cached_property
    def names(self) -> dict[int, str]:
        return {placement.deployment_id: placement.deployment.name for placement in self.placements}

    @cached_property
    def fixed(self) -> frozenset[int]:
        """Pinned by a person, or a generic endpoint that was not placed by hand and so comes last."""
        return frozenset(p.deployment_id for p in self.placements if p.pinned or comes_last(p))

    @cached_property
    def evidence(self) -> dict[int, Evidence]:
        return self.window.evidence

    @cached_property
    def charged(self) -> dict[int, float]:
        policy = policy_of(self.pool)
        return burdens(self.evidence, cost_weight=policy.cost_weight, quality_weight=policy.quality_weight)

    @cached_property
    def totals(self) -> dict[int, float]:
        return totals(self.evidence, self.charged)

    @cached_property
    def compared(self) -> dict[Pair, Compared]:
        """The pairs worth a swap, with how sure each is among all that were looked at."""
        moving = movable(self.order, self.evidence, self.fixed)
        asked = wanted_pairs(moving, self.totals) - self.barred
        return swaps(moving, self.window.measured, self.window.hour, asked=asked, burdens=self.charged)

    def proposal(self, confidence: float) -> Proposal:
        """The order with every swap that is at least so sure."""
        allowed = {pair for pair, found in self.compared.items() if found.confidence >= confidence}
        return propose(self.order, self.evidence, self.fixed, allowed=allowed, charged=self.charged)

    def confidence(self, proposal: Proposal) -> float | None:
        """Of the least certain swap; those who only made room were not compared."""
        return min((self.compared[pair].confidence for pair in proposal.swaps if pair in self.compared), default=None)

    def whys(self, proposal: Proposal) -> dict[int, str]:
        """The reason of every move, with names in it and how sure it is."""
        return {move.deployment: self._why(move.deployment, move.why, proposal) for move in proposal.moves}

    def _why(self, one: int, words: str, proposal: Proposal) -> str:
        named = re.sub(r"\bdeployment (\d+)", lambda found: self.names.get(int(found[1]), found[0]), words)
        passed = [self.compared[p] for p in proposal.swaps if p[1] == one and p in self.compared]
        if not passed:
            return named
        least = min(passed, key=lambda found: found.confidence)
        hours = "1 shared hour" if least.hours == 1 else f"{least.hours} shared hours"
        return f"{named}; {percent(least.confidence)} sure over {hours}"

    def record(self, proposal: Proposal) -> dict[str, Any]:
        """The evidence as plain JSON: what each was measured to be, how every swap was compared, and by which rules."""
        made = set(proposal.swaps)
        return {
            "hours": HOURS,
            "half_life_hours": HALF_LIFE,
            "margin": MARGIN,
            "min_samples": MIN_SAMPLES,
            "work": asdict(self.window.work),
            "deployments": [
                {
                    **asdict(found),
                    "name": self.names.get(one, ""),
                    "expected_ms": expected_ms(found),
                    "charged_ms": self.charged.get(one, 0.0),
                }
                for one, found in self.evidence.items()
            ],
            "swaps": [
                {
                    "up": below, "down": above, "up_name": self.names[below], "down_name": self.names[above],
                    "made": (above, below) in made, **asdict(found),
                }
                for (above, below), found in sorted(self.compared.items())
            ],
        }  # fmt: skip


def find(pool: Pool, now: datetime, *, barred: Collection[Pair] = ()) -> Finding:
    """Reads what was measured of a pool's full members."""
    placements = taking_part(pool)
    window = read([placement.deployment for placement in placements], now)
    return Finding(pool, placements, window, frozenset(barred))


def taking_part(pool: Pool) -> list[Placement]:
    """What no call can reach keeps its place, and a canary has none yet. Simulated and real providers are never
    enabled together."""
    return [
        p for p in placements_in_order(pool)
        if p.enabled and p.canary is None and p.deployment.provider.enabled and p.deployment.status not in OUT
    ]  # fmt: skip


def comes_last(placement: Placement) -> bool:
    """A generic endpoint that nobody placed."""
    return placement.deployment.provider.kind == "generic" and placement.position >= LAST


def policy_of(pool: Pool) -> Policy:
    """The pool's policy; its preset when what was written over it cannot be followed."""
    try:
        return policy_from(pool.preset, pool.policy)
    except (ValueError, TypeError):
        return policy_from(pool.preset)


def percent(share: float) -> str:
    """`99.7%`; never 100% by rounding."""
    return f"{min(int(share * 1000) / 10, 99.9):g}%"
