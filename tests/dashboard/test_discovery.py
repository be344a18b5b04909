"""The Discovery page: looks, proposals and a person's word on them, verification under way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from rotation.control import jobs
from rotation.models import (
    AuditEvent,
    CatalogueChange,
    Deployment,
    DiscoveryRun,
    LifeStep,
    Pool,
    Provider,
    VerificationRun,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Jobs that were put into the queue; there is no broker here."""
    names: list[str] = []
    monkeypatch.setattr("rotation.control.jobs.app.send_task", lambda task, **_: names.append(task))
    return names


@pytest.fixture
def propose(deployment: Deployment) -> Callable[..., LifeStep]:
    def make(**more: object) -> LifeStep:
        pool = Pool.objects.get(name="code")
        return LifeStep.objects.create(
            deployment=deployment,
            pool=pool,
            step="canary",
            state="proposed",
            reason="proved code 4.9/5",
            by="rotation",
            **more,
        )

    return make


def test_each_provider_s_last_look_and_why_a_listing_was_refused(page: Client, world: None):
    now = timezone.now()
    groq, router = (Provider.objects.get(name=name) for name in ("sim-groq", "sim-openrouter"))
    DiscoveryRun.objects.create(provider=router, state="done", listed=347, changed=3, started_at=now)
    DiscoveryRun.objects.create(provider=groq, state="done", listed=24, started_at=now - timedelta(hours=3))
    for hours in (2, 1):
        DiscoveryRun.objects.create(
            provider=groq, state="failed", error="the listing is empty", started_at=now - timedelta(hours=hours)
        )
    text = page.get("/discovery/").text
    for words in ("347 listed", "3 changed", "the listing is empty", "2 looks refused in a row", "not read yet"):
        assert words in text, words


def test_an_empty_page_says_the_next_step(page: Client):
    text = page.get("/discovery/").text
    for words in ("No provider is switched on", "Nothing to decide", "Nothing is being verified"):
        assert words in text, words
    assert "No listing has said anything new yet" in page.get("/discovery/changes/").text


def test_a_proposal_is_adopted_with_one_click(page: Client, propose: Callable[..., LifeStep]):
    step = propose()
    assert "proved code 4.9/5" in page.get("/discovery/").text
    answer = page.post(f"/discovery/steps/{step.pk}/adopt/", follow=True)
    assert "canary in code" in answer.text
    step.refresh_from_db()
    assert (step.state, step.decided_by) == ("taken", "alice")
    assert step.deployment.placements.get(pool__name="code").canary
    assert "Nothing to decide" in page.get("/discovery/").text
    again = page.post(f"/discovery/steps/{step.pk}/adopt/", follow=True)
    assert "decided already" in again.text


def test_a_proposal_is_rejected_and_one_is_sent_back_to_where_one_was(page: Client, propose: Callable[..., LifeStep]):
    step = propose()
    url = f"/models/{step.deployment_id}/"
    answer = page.post(f"/discovery/steps/{step.pk}/reject/", {"next": url})
    assert answer["Location"] == url
    step.refresh_from_db()
    assert step.state == "rejected"
    assert not step.deployment.placements.filter(pool__name="code").exists()
    assert (
        page.post(f"/discovery/steps/{step.pk}/reject/", {"next": "https://evil.example/"})["Location"] == "/discovery/"
    )
    assert page.post("/discovery/steps/99999/adopt/").status_code == 404


def test_looking_now_does_not_make_the_page_wait(page: Client, world: None, queued: list[str]):
    answer = page.post("/discovery/look/", follow=True)
    assert queued == ["rotation.jobs.discover"]
    assert "being read" in answer.text
    assert AuditEvent.objects.filter(actor="alice", door="page", about="discover").exists()


def test_without_a_queue_the_page_says_so(page: Client, world: None, monkeypatch: pytest.MonkeyPatch):
    def away(*_: object) -> None:
        raise ValidationError({"job": jobs.AWAY})

    monkeypatch.setattr("dashboard.views.discovery.jobs.run_now", away)
    assert jobs.AWAY in page.post("/discovery/look/", follow=True).text


def test_a_verification_is_begun_shown_and_called_off(
    page: Client, deployment: Deployment, queued: list[str], django_capture_on_commit_callbacks: Any
):
    with django_capture_on_commit_callbacks(execute=True):
        page.post(f"/models/{deployment.pk}/verify/")
    run = VerificationRun.objects.get()
    assert queued == ["rotation.jobs.verify"]
    text = page.get("/discovery/").text
    for words in ("0 of 1 models done", "questions left", "Call off", "by alice"):
        assert words in text, words
    assert "verifying" in page.get(f"/models/{deployment.pk}/").text
    page.post(f"/discovery/verifications/{run.pk}/cancel/")
    assert "Nothing is being verified" in page.get("/discovery/").text
    assert "called off by alice" in page.get("/discovery/").text
    assert AuditEvent.objects.filter(action="verify", actor="alice").exists()


def test_nothing_to_verify_is_said(page: Client, world: None, queued: list[str]):
    Deployment.objects.update(status="verified")
    answer = page.post("/discovery/verify/", follow=True)
    assert "No model was named to verify" in answer.text
    assert queued == []


def test_changes_are_told_in_words_and_found_by_filters(page: Client, deployment: Deployment):
    for model, change, before, after in (
        ("a", "price", {"price_in": "0.250000", "price_out": None}, {"price_in": "1.000000", "price_out": "10.000000"}),
        ("b", "free", {"free": True}, {"free": False}),
        ("c", "context", {"context": 8192}, {"context": 131072}),
        ("d", "features", {"tools": None, "input_modalities": ["text"]},
         {"tools": True, "input_modalities": ["image", "text"]}),
        ("e", "new", None, {"free": True}),
    ):  # fmt: skip
        CatalogueChange.objects.create(
            provider=deployment.provider, model_id=model, change=change, before=before, after=after
        )
    text = page.get("/discovery/changes/").text
    for words in ("in $0.25 → $1, out $10", "it costs something now", "context 8,192 → 131,072",
                  "tools yes, takes text → image, text"):  # fmt: skip
        assert words in text, words
    one = page.get("/discovery/changes/?change=free").text
    assert "it costs something now" in one
    assert "131,072" not in one
