"""Puts something of everything into an installation, so that no page is empty; a program beside the browser.

    python -m tests.browser.furnishing plain      # as an operator would have it
    python -m tests.browser.furnishing hostile    # every text an attack: markup, right-to-left, endless
    python -m tests.browser.furnishing remove     # and away with it

The first two print the paths of its pages as JSON.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any
from uuid import uuid4

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402 - Django first
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from rotation import models as m  # noqa: E402
from rotation.control import clients, deployments, laboratory, people, placements, pools, tokens  # noqa: E402
from rotation.control.by import By  # noqa: E402
from rotation.ledger.batch import prepare, write_calls  # noqa: E402
from rotation.ledger.rows import call_of  # noqa: E402
from rotation.replay import work  # noqa: E402

ATTACK = '"><img/src=x/onerror=hurt=1><script>hurt=1</script>'
RTL = "\u202egnp.exe \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627"
NAME = "furnished"
NOW = timezone.now()
BY = By("alice", m.Door.PAGE)


class Texts:
    """What is written where a person or a provider wrote something."""

    def __init__(self, *, hostile: bool) -> None:
        self.hostile = hostile

    def __call__(self, plain: str, most: int = 10_000) -> str:
        """Hostile: an attack at the beginning, right-to-left at the end, one word without a break between."""
        if not self.hostile:
            return plain
        return (ATTACK + RTL)[:most] if most < 200 else (ATTACK + "x" * most)[: most - len(RTL)] + RTL


def furnish(text: Texts) -> dict[str, str]:
    provider, deployment = a_provider(text)
    pool = m.Pool.objects.create(name=NAME, label=text("For the shop", 120), admits={"free": True})
    places = [placements.place(BY, pool, one) for one in [deployment, *simulated()]]
    m.Placement.objects.filter(pk=places[0].pk).update(why=text("placed by alice, because it is near"))
    client, _ = clients.issue(BY, label="Shop", pools=[NAME], requests_per_minute=60, daily_budget=2)
    m.ClientKey.objects.filter(pk=client.pk).update(label=text("Shop", 120))
    person = people.add(BY, username="grace", role=m.Role.OPERATOR, password="correct horse battery")
    token, _ = tokens.issue(BY, person, label="Nightly report", role=m.Role.VIEWER)
    m.ApiToken.objects.filter(pk=token.pk).update(label=text("Nightly report", 120))
    step = a_life(text, deployment, pool)
    change = a_proposal(text, pool)
    uuid = a_call(text, provider, deployment, client)
    replay = a_replay(text)
    m.Switch.objects.update_or_create(name="status_page", defaults={"value": True})
    event = m.AuditEvent.objects.order_by("-pk").first()
    assert event is not None
    return {
        "provider": f"/providers/{provider.pk}/",
        "change_provider": f"/providers/{provider.pk}/change/",
        "add_keys": f"/providers/{provider.pk}/keys/add/",
        "add_offer": f"/providers/{provider.pk}/models/add/",
        "change_offer": f"/providers/models/{deployment.pk}/change/",
        "remove_provider": f"/providers/{provider.pk}/remove/",
        "model": f"/models/{deployment.pk}/",
        "busy_model": f"/models/{simulated()[0].pk}/",
        "adopt_model": f"/models/{deployment.pk}/adopt/",
        "pool": f"/pools/{pool.pk}/",
        "change_pool": f"/pools/{pool.pk}/change/",
        "change_policy": f"/pools/{pool.pk}/policy/",
        "add_member": f"/pools/{pool.pk}/members/add/",
        "rotation_pool": f"/rotation/?pool={NAME}",
        "order_change": f"/rotation/changes/{change.pk}/",
        "client": f"/clients/{client.pk}/",
        "change_client": f"/clients/{client.pk}/change/",
        "rotate_client": f"/clients/{client.pk}/rotate/",
        "change_role": f"/people/{person.pk}/role/",
        "audit_event": f"/audit/{event.pk}/",
        "request_of_it": f"/requests/{uuid}/",
        "ask_again": f"/requests/{uuid}/again/",
        "replay": f"/laboratory/{replay.pk}/" if replay else "",
        "step": str(step.pk),
    }


def simulated() -> list[m.Deployment]:
    found = m.Deployment.objects.filter(provider__simulated=True, placements__pool__name="auto")
    return list(found.order_by("placements__position")[:3])


def a_provider(text: Texts) -> tuple[m.Provider, m.Deployment]:
    """With a key that is switched off: the simulated ones go on."""
    provider = m.Provider.objects.create(
        kind="generic", name=NAME, label=text("Box in the cellar", 120), base_url="http://127.0.0.1:9/v1",
        options={"local": True, "note": text("behind the stairs")},
    )  # fmt: skip
    account = m.Account.objects.create(provider=provider, label=text("household", 120), plan=text("free", 120))
    key = m.Key.objects.create(
        account=account, sealed="x", last4="4f2a", fingerprint=uuid4().hex * 2, label=text("old laptop", 120),
        enabled=False, state=m.KeyState.INVALID, state_reason=text("401: Incorrect API key provided"),
    )  # fmt: skip
    deployment = deployments.add(BY, provider, model_id="qwen3:4b", context=16_384, tools=True)
    m.Deployment.objects.filter(pk=deployment.pk).update(
        model_id=text("qwen3:4b", 255), label=text("Qwen 3 4B", 255), family=text("qwen3", 120),
        tags=["chat", text("mine")[:300]], status_reason=text("answered 12 of 12 tasks"),
    )  # fmt: skip
    m.Cooldown.objects.create(
        scope=f"key:{key.pk}", until=NOW + timedelta(minutes=9), kind="rate_limited", reason=text("Too many requests")
    )
    m.LearnedLimit.objects.create(
        scope=f"account:{account.pk}", axis="requests", limit=30, window_s=60, source=text("header", 40)
    )
    deployment.refresh_from_db()
    return provider, deployment


def a_life(text: Texts, deployment: m.Deployment, pool: m.Pool) -> m.LifeStep:
    """A look that found things, a verification with verdicts, a step that waits for a person: of who answers now."""
    told = simulated()[2]
    run = m.DiscoveryRun.objects.create(
        provider=told.provider, state="failed", ended_at=NOW, listed=6, changed=2, error=text("The listing broke off")
    )
    for kind, before, after in (("new", None, {"context": 8192}), ("price", {"price_in": 1}, {"price_in": 2})):
        m.CatalogueChange.objects.create(
            run=run, provider=told.provider, model_id=text("qwen3:8b", 255), change=kind, before=before,
            after={**after, "label": text("Qwen 3 8B")},
        )  # fmt: skip
    tried = m.VerificationRun.objects.create(
        started_by="alice", state="done", ended_at=NOW, about=text("the new one", 300), summary=text("3 of 4 passed")
    )
    for one in (deployment, told):
        m.Verification.objects.create(
            deployment=one, run=tried, capability="tools", verdict="incompatible", trials=5, score=0.2,
            cause="refused", reason=text("It answered in text where a tool was asked for"),
        )  # fmt: skip
    return m.LifeStep.objects.create(
        deployment=told, pool=pool, step="canary", state="proposed", by="life",
        reason=text("verified for chat and JSON; free; 16,384 tokens"),
    )  # fmt: skip


def a_proposal(text: Texts, pool: m.Pool) -> m.Reordering:
    """One that was applied by hand, one that waits."""
    placed = list(m.Placement.objects.filter(pool=pool).select_related("deployment__provider").order_by("position"))
    picture = [
        {"deployment": p.deployment_id, "name": p.deployment.name, "position": n, "why": p.why}
        for n, p in enumerate(placed, 1)
    ]
    moved = [picture[1], picture[0], *picture[2:]]
    after = [{**place, "position": n, "why": text("0.82 s; overtakes (1.47 s)")} for n, place in enumerate(moved, 1)]
    told = {"before": picture, "after": after, "reason": text("quicker by 0.65 s"), "confidence": 0.97}
    past = {"state": "undone", "applied_by": "grace", "applied_at": NOW, "undone_by": "alice", "undone_at": NOW}
    m.Reordering.objects.create(pool=pool, at=NOW - timedelta(hours=2), **told, **past)
    return m.Reordering.objects.create(pool=pool, **told)


def a_call(text: Texts, provider: m.Provider, deployment: m.Deployment, client: m.ClientKey) -> str:
    """Refused once, then answered, as the journal says it."""
    account = provider.accounts.get()
    key = account.keys.get()
    whom = {"provider": provider.pk, "deployment": deployment.pk, "account": account.pk, "key": key.pk,
            "model": deployment.model_id}  # fmt: skip
    refused = {**whom, "id": str(uuid4()), "n": 1, "outcome": "rate_limited", "status": 429, "blame": "account_model",
               "message": text("Rate limit exceeded: 30 requests per minute"), "start_ms": 1.0, "connect_ms": 9.0,
               "total_ms": 130.0}  # fmt: skip
    answered = {**whom, "id": str(uuid4()), "n": 2, "outcome": "ok", "status": 200, "start_ms": 540.0,
                "connect_ms": 11.0, "first_ms": 300.0, "total_ms": 900.0, "tokens_in": 1642, "tokens_out": 418,
                "cost": 0.0}  # fmt: skip
    trace = [
        {"target": deployment.name, "deployment": deployment.pk, "key": key.pk, "state": state, "why": text(why)}
        for state, why in (("tried", "429: 30 requests per minute"), ("answered", "next in order"))
    ]
    record: dict[str, Any] = {
        "t": "call", "id": str(uuid4()), "at": NOW.timestamp(), "client": client.pk, "op": "chat",
        "asked": text(NAME, 200), "pool": NAME, "stream": True, "status": 200, "outcome": "answered", **whom,
        "queue_ms": 1.0, "first_ms": 840.0, "total_ms": 1440.0, "lost_ms": 130.0, "tokens_in": 1642, "tokens_out": 418,
        "cost": 0.0, "simulated": True, "trace": trace, "attempts": [refused, answered], "error": text(""),
    }  # fmt: skip
    connection.ensure_connection()
    prepare(connection.connection)
    with connection.connection.transaction(), connection.connection.cursor() as cursor:
        write_calls(cursor, [call_of(record)])
    return str(record["id"])


def a_replay(text: Texts) -> m.Replay | None:
    """Of the last day, with two places changed; played at once."""
    pool = m.Pool.objects.get(name="auto")
    if text.hostile:
        return m.Replay.objects.create(
            pool=pool, by=text("alice", 150), state="failed", error=text("no call"), candidate={"note": text("a")}
        )
    placed = m.Placement.objects.filter(pool=pool, deployment__provider__simulated=True).order_by("position")
    order = [place.deployment.name for place in placed.select_related("deployment__provider")]
    asked = laboratory.request(BY, pool, candidate={"order": [order[1], order[0], *order[2:]]}, here=True)
    work.play(asked.pk)
    return asked


def remove() -> None:
    """What `furnish` made, but for the audit, which keeps everything."""
    for pool in m.Pool.objects.filter(name=NAME):
        pools.remove(BY, pool)
    for provider in m.Provider.objects.filter(name=NAME):
        m.Request.objects.filter(provider_id=provider.pk).delete()
        m.Attempt.objects.filter(provider_id=provider.pk).delete()
        for key in m.Key.objects.filter(account__provider=provider):
            m.Cooldown.objects.filter(scope=f"key:{key.pk}").delete()
        for account in provider.accounts.all():
            m.LearnedLimit.objects.filter(scope=f"account:{account.pk}").delete()
        provider.delete()
    for kind in (m.Replay, m.DiscoveryRun, m.CatalogueChange, m.Verification, m.LifeStep):
        kind.objects.all().delete()
    m.VerificationRun.objects.all().delete()
    m.Switch.objects.filter(name="status_page").delete()
    m.ClientKey.objects.filter(pools=[NAME]).delete()
    User.objects.filter(username="grace").delete()


if __name__ == "__main__":
    if sys.argv[1] == "remove":
        remove()
    else:
        print(json.dumps(furnish(Texts(hostile=sys.argv[1] == "hostile"))))
