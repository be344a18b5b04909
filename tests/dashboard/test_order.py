"""The rotation's order on the Overview: who is first since when, what moved and why, and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from dashboard.queries import ladder
from dashboard.queries.order import JOB, Move, judged, moves, next_run, primary
from rotation.jobs import schedule
from rotation.models import AuditEvent, Deployment, Placement, Pool, Reordering, ReorderingState
from rotation.reorder.job import reorder
from tests.dashboard.calls import PASSWORD, attempt, call, ledger

pytestmark = pytest.mark.django_db
NOW = datetime(2025, 11, 20, 12, 7, 30, tzinfo=UTC)


def order(*ids: int, why: dict[int, str] | None = None) -> list[dict[str, Any]]:
    """A stored order of deployments."""
    return [
        {"deployment": pk, "name": f"p/model-{pk}", "position": n, "why": (why or {}).get(pk, "")}
        for n, pk in enumerate(ids, 1)
    ]


def applied(before: list[Any], after: list[Any], hours: int, undone: int | None = None) -> Reordering:
    return Reordering(
        before=before,
        after=after,
        applied_at=NOW - timedelta(hours=hours),
        undone_at=None if undone is None else NOW - timedelta(hours=undone),
    )


def test_the_primary_is_first_since_the_reordering_that_put_it_there(deployment: Deployment):
    placed = ladder.placements(simulated=True)
    a, b = (p.deployment_id for p in placed[:2])
    past = [
        applied(order(a, b), order(a, b), 1),
        applied(order(b, a), order(a, b), 5),
        applied(order(a, b), order(b, a), 9),
    ]
    found = primary(placed, past)
    assert found is not None
    assert found.placement.deployment_id == deployment.pk
    assert found.since == past[1].applied_at
    unmoved = primary(placed, [])
    assert unmoved is not None
    assert unmoved.since == deployment.created_at
    assert primary([], past) is None


def test_an_undone_reordering_counts_from_its_undoing(world: None):
    placed = ladder.placements(simulated=True)
    a, b = (p.deployment_id for p in placed[:2])
    found = primary(placed, [applied(order(a, b), order(b, a), 5, undone=2)])
    assert found is not None
    assert found.since == NOW - timedelta(hours=2)


def test_a_model_that_is_gone_is_not_the_primary(deployment: Deployment):
    deployment.mark("gone")
    found = primary(ladder.placements(simulated=True), [])
    assert found is not None
    assert found.placement.deployment_id != deployment.pk


@pytest.mark.parametrize("stored", [None, {}, "x", [1], [{"deployment": "x"}], [[1]], [{"deployment": 1}]])
def test_an_order_that_cannot_be_read_is_passed_over(world: None, stored: Any):
    change = applied(stored, stored, 1)
    change.evidence = stored
    assert primary(ladder.placements(simulated=True), [change]) is not None
    assert moves(change) == []
    assert judged(change) == 0


def test_only_what_moved_for_its_own_reason_is_told():
    change = applied(order(1, 2, 3), order(3, 1, 2, why={3: "2025-11-20 12:00 UTC: p50 2.35 s, overtakes model-1"}), 1)
    assert moves(change) == [Move("p/model-3", 3, 1, "p50 2.35 s, overtakes model-1")]
    assert moves(change)[0].up


def test_a_real_reordering_is_shown_with_its_reason_and_can_be_taken_back(page: Client, deployment: Deployment):
    pool = Pool.objects.get(name="auto")
    slow, quick = (p.deployment for p in ladder.placements(simulated=True)[:2])
    ledger([call([attempt(slow, total=9_000)]) for _ in range(60)])
    ledger([call([attempt(quick, total=300)]) for _ in range(60)])
    assert reorder(pool, timezone.now())
    text = page.get("/").text
    assert "from 120 attempts" in text
    assert "Undo" in text
    change = Reordering.objects.get()
    for move in moves(change)[:1]:
        assert move.why
        assert f"{move.before} " in text
    answer = page.post(f"/order/undo/{change.pk}/", follow=True)
    assert "The order is as it was before" in answer.text
    assert "by alice" in answer.text
    assert ladder.placements(simulated=True)[0].deployment_id == slow.pk
    [event] = AuditEvent.objects.filter(action="undo")
    assert (event.actor, event.door) == ("alice", "page")
    again = page.post(f"/order/undo/{change.pk}/", follow=True)
    assert "was undone already" in again.text


def test_a_viewer_takes_no_reordering_back(client: Client, world: None):
    change = Reordering.objects.create(pool=Placement.objects.all()[0].pool, applied_at=NOW)
    client.force_login(User.objects.create_user("bob", "", PASSWORD))
    assert client.post(f"/order/undo/{change.pk}/").status_code == 403
    assert client.get(f"/order/undo/{change.pk}/").status_code == 405
    change.refresh_from_db()
    assert change.undone_at is None
    assert "undo-reorder" not in client.get("/").text


def test_the_next_reordering_is_when_the_schedule_says(db: None):
    assert next_run(NOW) is None
    schedule.install()
    now = timezone.now()
    due = next_run(now)
    assert due is not None
    assert now < due <= now + timedelta(hours=1, seconds=1)
    assert due.minute in {35, 34}
    PeriodicTask.objects.filter(task=JOB).update(enabled=False)
    assert next_run(now) is None


def test_a_proposal_is_told_as_one(page: Client, ask: Callable[..., UUID]):
    ask()
    Reordering.objects.create(
        pool=Pool.objects.get(name="auto"), before=order(1, 2), after=order(2, 1), reason="<b>why"
    )
    text = page.get("/").text
    assert "Proposed, not applied" in text
    assert "&lt;b&gt;w" in text


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("proposed", "Proposed, not applied"),
        ("held", "Held by olga"),
        ("rejected", "Rejected by olga"),
        ("superseded", "A newer proposal took its place"),
        ("applied", "Watched until"),
        ("rolled_back", "it turned out worse"),
        ("undone", "Undone"),
        ("kept", "undo-reorder"),
    ],
)
def test_the_overview_says_how_the_last_reordering_stands(page: Client, world: None, state: str, says: str):
    now = timezone.now()
    Reordering.objects.create(
        pool=Pool.objects.get(name="auto"), at=now, state=state, decided_by="olga", reason="quicker",
        applied_at=now if state in {"applied", "kept", "undone", "rolled_back"} else None,
        watch_until=now + timedelta(hours=6) if state == "applied" else None,
        undone_at=now if state in {"undone", "rolled_back"} else None, undone_by="olga",
    )  # fmt: skip
    assert says in page.get("/").text


def test_the_table_knows_every_state():
    assert {state.value for state in ReorderingState} == {
        "proposed", "held", "rejected", "superseded", "applied", "kept", "undone", "rolled_back",
    }  # fmt: skip
