"""The nouns of what runs by itself: discovery, verification, orders, the laboratory, figures."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from rotation.models import AuditEvent, CallHour, DayStat, LifeStep
from tests.models import rows

pytestmark = pytest.mark.django_db


def test_a_verification_is_started_watched_and_called_off(ask: Any):
    model = rows.deployment()
    run = ask.json("post", "/v1/verifications", {"models": [model.pk], "about": "one"})
    assert (run["about"], run["state"], run["outlook"]["done"]) == ("one", "running", 0)
    assert ask.json("get", f"/v1/verifications/{run['id']}")["outlook"]["left"] > 0
    assert ask.json("get", "/v1/matrix")["items"][0]["cells"][0]["verdict"] == "queued"
    assert [ask("delete", f"/v1/verifications/{run['id']}").status_code for _ in range(2)] == [204, 204]
    assert ask.json("get", f"/v1/verifications/{run['id']}")["state"] == "done"
    assert ask("post", "/v1/verifications", {"models": [model.pk], "capabilities": ["flying"]}).status_code == 422


def test_a_model_is_taken_in_and_a_proposal_decided_once(ask: Any):
    pool, model = rows.pool(), rows.deployment(status="verified")
    taken = ask.json("post", "/v1/discovery/steps", {"model": model.pk, "pool": pool.pk})
    assert (taken["step"], taken["state"], taken["model"]) == ("canary", "taken", model.name)
    step = LifeStep.objects.create(deployment=rows.deployment(), pool=pool, step="canary", state="proposed", by="x")
    assert [one["id"] for one in ask.json("get", "/v1/discovery/steps?state=proposed")["items"]] == [step.pk]
    assert ask.json("post", f"/v1/discovery/steps/{step.pk}/reject", {"why": "no"})["state"] == "rejected"
    assert ask("post", f"/v1/discovery/steps/{step.pk}/adopt").status_code == 422


def test_the_registry_goes_out_is_compared_and_comes_in(ask: Any):
    model = rows.deployment(price_in="0.5", price_out="1")
    text = ask.json("get", "/v1/registry")["text"]
    assert model.model_id in text
    assert ask.json("post", "/v1/registry/diff", {"text": text})["differences"] == []
    assert ask.json("put", "/v1/registry", {"text": text})["differences"] == []
    broken = ask("put", "/v1/registry", {"text": f"{text}\nnonsense: [1"})
    assert (broken.status_code, broken.json()["errors"][0]["detail"].startswith("line ")) == (422, True)


def test_orders_are_proposed_on_demand_and_what_is_not_open_says_so(ask: Any, there: dict[str, Any]):
    one = f"/v1/reorderings/{there['reordering_id']}"
    assert ask.json("post", f"{one}/hold")["state"] == "held"
    assert ask.json("post", f"{one}/reject")["state"] == "rejected"
    assert ask("post", f"{one}/apply").json()["errors"][0]["pointer"] == "/state"
    assert ask.json("post", f"/v1/pools/{there['pool_id']}/propose") == {"proposal": None}
    assert ask.json("get", f"/v1/pools/{there['pool_id']}/statistics")["deployments"][0]["reason"]


def test_a_replay_of_nothing_is_refused_and_one_that_waits_is_removed(ask: Any, there: dict[str, Any]):
    refused = ask("post", "/v1/replays", {"pool": there["pool_id"], "candidate": {"strategy": "fastest"}})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/since")
    one = f"/v1/replays/{there['replay_id']}"
    assert ask("post", f"{one}/adopt").status_code == 422
    assert [ask("delete", one).status_code, ask("get", one).status_code] == [204, 404]
    assert ask("post", "/v1/traces", {"name": "x", "csv": "not a trace"}).status_code == 422


def test_figures_are_added_up(ask: Any):
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    CallHour.objects.create(at=now, pool="auto", simulated=False, calls=3, first_try=2, cost="0.25")
    seen = ask.json("get", "/v1/overview?hours=2")
    assert [(one["pool"], one["calls"], one["cost"]) for one in seen["pools"]] == [("auto", 3, "0.25")]


def test_savings_compare_with_a_paid_model(ask: Any):
    paid = rows.deployment(price_in="2", price_out="10")
    free = rows.deployment(free=True)
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    DayStat.objects.create(
        at=today, deployment_id=free.pk, key_id=1, attempts=5, ok=5, tokens_in=1_000_000, tokens_out=100_000
    )
    saved = ask.json("get", f"/v1/savings?days=7&model={paid.name}")
    assert (saved["whole"]["saved"], saved["models"][0]["model"]) == ("3", free.name)
    assert ask("get", "/v1/savings").json()["errors"][0]["pointer"] == "/model"


def test_looking_at_listings_is_queued_and_signed(ask: Any):
    assert ask("post", "/v1/discovery/runs").status_code == 202
    assert AuditEvent.objects.get(object_type="job").about == "discover"
