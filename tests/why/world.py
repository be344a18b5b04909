"""A small real world for explanations: one provider, a pool of three, calls written by the ledger's own writer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from rotation.models import Deployment, Pool
from tests.dashboard.calls import attempt, call, ledger
from tests.models import rows

NEEDS = {"prompt_tokens": 1642, "max_output": 418, "tools": True, "parallel_tools": False, "json_schema": False,
         "images": 0, "stream": True}  # fmt: skip


class World:
    """`ada`, `bob` and `cyd` of the pool code, in this order; `eve` has no place in it."""

    def __init__(self) -> None:
        self.provider = rows.provider(name="groq", label="Groq")
        self.key = rows.key(account=rows.account(provider=self.provider))
        self.pool: Pool = rows.pool(name="code")
        self.ada, self.bob, self.cyd, self.eve = (self.deployment(name) for name in ("ada", "bob", "cyd", "eve"))
        for placed in (self.ada, self.bob, self.cyd):
            self.pool.place(placed)
        Deployment.objects.update(created_at=timezone.now() - timedelta(days=30))

    def deployment(self, name: str, **more: Any) -> Deployment:
        return rows.deployment(provider=self.provider, model_id=f"maker/{name}", **{"tools": True, **more})

    @property
    def version(self) -> int:
        return Pool.objects.get(pk=self.pool.pk).version

    @property
    def account(self) -> str:
        return f"account:{self.key.account_id}"

    def row(self, deployment: Deployment, state: str, why: str = "", **more: Any) -> dict[str, Any]:
        return {"target": deployment.name, "deployment": deployment.pk, "key": self.key.pk, "state": state, "why": why,
                **more}  # fmt: skip

    def rotated(self, **more: Any) -> UUID:
        """A call of now: ada rate-limited, bob answered, cyd not needed."""
        tries = [
            attempt(self.ada, outcome="rate_limited", total=140, message="60 requests per minute"),
            attempt(self.bob, n=2, start=141, total=2_120),
        ]
        quota = [{"axis": "tokens", "window": 60.0, "limit": 12_000.0, "left": 5_400.0}]
        trace = [
            self.row(self.ada, "tried", "rate-limited: 60 requests per minute"),
            self.row(self.bob, "answered", "next in order", quota=quota),
        ]
        policy = {"version": 41, "strategy": "ordered", "order": [self.ada.pk, self.bob.pk, self.cyd.pk]}
        told = {"asked": "code", "pool": "code", "trace": trace, "needs": NEEDS, "policy": policy, "simulated": False}
        at = more.pop("at", timezone.now() - timedelta(seconds=5))
        return ledger([call(tries, at=at, **{**told, **more})])[0]

    def past(self, deployment: Deployment, outcomes: Sequence[str], *, hours: float, total: float = 1_900) -> None:
        """Calls of that long ago, one attempt each."""
        at = timezone.now() - timedelta(hours=hours)
        ledger([call([attempt(deployment, outcome=o, total=total)], at=at, simulated=False) for o in outcomes])
