"""A day of calls in the ledger: a pool of two rivals and a third, with keys, and what was measured of them."""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from rotation.models import Attempt, Deployment, Pool, Request
from tests.models import rows

HOUR = timedelta(hours=1)


class Yesterday:
    """`slow` stands before `quick` before `spare` in the pool auto; `other` has a key and no place."""

    def __init__(self) -> None:
        self.provider = rows.provider(name="groq", label="Groq")
        self.key = rows.key(account=rows.account(provider=self.provider))
        self.pool: Pool = rows.pool(name="auto")
        self.slow, self.quick, self.spare, self.other = (
            rows.deployment(provider=self.provider, model_id=name, free=True)
            for name in ("slow", "quick", "spare", "other")
        )
        for one in (self.slow, self.quick, self.spare):
            self.pool.place(one)
        self.pool.refresh_from_db()
        self.now = timezone.now()

    def calls(self, many: int = 240, *, hours: float = 23.0, seed: int = 1, **more: Any) -> None:
        """Evenly over the hours before now, nine in ten to `slow` (3 s, one in ten failed), else to `quick` (1 s)."""
        chance = random.Random(seed)
        requests, attempts = [], []
        for n in range(many):
            at = self.now - timedelta(hours=hours) + timedelta(hours=hours * n / many)
            wanted, found = self.one(at, chance, explored=n % 10 == 0, **more)
            requests.append(wanted)
            attempts += found
        Request.objects.bulk_create(requests)
        Attempt.objects.bulk_create(attempts)

    def one(self, at: datetime, chance: random.Random, *, explored: bool, **more: Any) -> tuple[Request, list[Attempt]]:
        uid, found, passed = uuid.uuid4(), [], 0.0
        if not explored and chance.random() < 0.1:
            found.append(self.attempt(uid, self.slow, at, "overloaded", 0.0, 400.0))
            passed = 400.0
        winner = self.quick if explored or passed else self.slow
        took = (1000 if winner == self.quick else 3000) * chance.lognormvariate(0, 0.2)
        found.append(self.attempt(uid, winner, at + timedelta(milliseconds=passed), "ok", took / 3, took, passed))
        values: dict[str, Any] = {
            "at": at, "id": uid, "operation": "chat", "asked": "auto", "pool": "auto", "stream": True, "status": 200,
            "outcome": "answered", "deployment_id": winner.pk, "model": winner.model_id, "attempts": len(found),
            "queue_ms": 0.1, "first_ms": passed + took / 3, "total_ms": passed + took, "lost_ms": passed,
            "tokens_in": 120, "tokens_out": 40, "usage_estimated": False, "simulated": False, "error": "", "trace": [],
            "needs": {"prompt_tokens": 110, "stream": True},
        }  # fmt: skip
        return Request(**{**values, **more}), found

    def attempt(
        self, uid: uuid.UUID, one: Deployment, at: datetime, outcome: str, first: float, total: float, start: float = 0
    ) -> Attempt:
        return Attempt(
            at=at, id=uuid.uuid4(), request_id=uid, n=1, provider_id=self.provider.pk, deployment_id=one.pk,
            account_id=self.key.account_id, key_id=self.key.pk, model=one.model_id, outcome=outcome,
            status=200 if outcome == "ok" else 503, message="", start_ms=start, first_ms=first or None, total_ms=total,
            tokens_in=120 if outcome == "ok" else 0, tokens_out=40 if outcome == "ok" else 0, simulated=False,
        )  # fmt: skip
