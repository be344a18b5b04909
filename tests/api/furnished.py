"""An installation with one thing of every noun, and who may do what in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from rotation.control import clients, tokens
from rotation.control.by import By
from rotation.discovery.verify import runs
from rotation.models import (
    AuditEvent,
    Cooldown,
    Door,
    JobRun,
    LearnedLimit,
    LifeStep,
    Reordering,
    Replay,
    Role,
    Trace,
    Trip,
)
from rotation.roles import give
from tests.models import rows

NAMES = {Role.VIEWER: "vera", Role.OPERATOR: "otto", Role.ADMIN: "ada"}


def people() -> dict[Role, User]:
    """One of each role."""
    found = {role: User.objects.create_user(name) for role, name in NAMES.items()}
    for role, user in found.items():
        give(user, role)
    return found


def token_of(user: User, role: Role) -> str:
    """A token of that role, in the clear."""
    return tokens.issue(By("test", Door.API), user, label=f"{role} token", role=role)[1]


def furnish() -> dict[str, Any]:
    """Path parameters: each with something that is there."""
    by = By("test", Door.API)
    key = rows.key()
    pool = rows.pool(name="auto")
    spare = rows.pool(name="spare")
    placement = spare.place(rows.deployment(provider=key.account.provider, price_in="0.25", tags=["code"]))
    somebody = User.objects.create_user("bob")
    now = timezone.now()
    request = rows.request()
    rows.attempt(at=request.at, request_id=request.id)
    limit = {"axis": "requests", "limit": 20, "window_s": 60}
    JobRun.objects.create(job="keys", slot=now)
    step = LifeStep.objects.create(deployment=placement.deployment, pool=spare, step="canary", state="proposed", by="x")
    pending = rows.deployment(provider=key.account.provider)
    Trip.objects.create(scope="provider:1", before="closed", after="open", reason="<b>why</b>")
    return {
        "provider_id": key.account.provider_id,
        "account_id": key.account_id,
        "key_id": key.pk,
        "model_id": placement.deployment_id,
        "pool_id": spare.pk,
        "placement_id": placement.pk,
        "client_id": clients.issue(by, label="laptop", pools=[pool.name])[0].pk,
        "token_id": tokens.issue(by, somebody, label="ci")[0].pk,
        "person_id": somebody.pk,
        "event_id": AuditEvent.objects.earliest("pk").pk,
        "cooldown_id": Cooldown.objects.create(scope="key:1", until=now + timedelta(hours=1)).pk,
        "limit_id": LearnedLimit.objects.create(scope=f"deployment:{placement.deployment_id}", **limit).pk,
        "step_id": step.pk,
        "run_id": runs.start("x", [pending]).pk,
        "reordering_id": Reordering.objects.create(pool=spare).pk,
        "replay_id": Replay.objects.create(pool=spare, by="x", candidate={}).pk,
        "trace_id": Trace.objects.create(name="t", body=b"", by="x").pk,
        "request_id": str(request.id),
        "name": "keys",
    }
