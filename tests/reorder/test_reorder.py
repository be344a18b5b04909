"""Pools follow what was measured: when there is enough of it, with reasons in numbers, and back again on request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rotation import reorder as undoing
from rotation import starter
from rotation.core.stats import histogram
from rotation.models import AuditEvent, ConfigVersion, Deployment, HourStat, Placement, Pool, Provider, Reordering
from rotation.reorder import NotUndone, job, window
from tests.models import rows

pytestmark = pytest.mark.django_db
NOW = datetime(2025, 11, 20, 12, 35, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINIMAX, LLAMA = "minimax/minimax-m2:free", "meta-llama/llama-3.3-70b-instruct:free"


def measured(
    deployment: Deployment, seconds: float, *, ok: int = 60, failed: int = 0, limited: int = 0, at: datetime = NOW
) -> None:
    """Five hours of one deployment that share these tries, as the ledger would have added them up."""
    for n in range(5):
        good, bad, late = (count // 5 + (n < count % 5) for count in (ok, failed, limited))
        HourStat.objects.create(
            at=at.replace(minute=0) - n * HOUR,
            deployment_id=deployment.pk,
            key_id=1,
            attempts=good + bad + late,
            ok=good,
            failed=bad,
            rate_limited=late,
            sum_ms=good * seconds * 1000,
            total_hist=histogram([seconds * 1000] * good),
        )


def order(pool: Pool) -> list[str]:
    placed = Placement.objects.filter(pool=pool, deployment__provider__enabled=True)
    return list(placed.order_by("position", "id").values_list("deployment__model_id", flat=True))


@pytest.fixture
def auto() -> Pool:
    """The pool of a new installation, with simulated providers answering."""
    starter.load(simulated=False)
    starter.load(simulated=True)
    Provider.objects.filter(simulated=False).update(enabled=False)
    return Pool.objects.get(name="auto")


@pytest.fixture
def three() -> Pool:
    """A pool of three deployments called m1, m2, m3, slow ones first."""
    pool, provider = rows.pool(name="three"), rows.provider()
    for n in range(1, 4):
        pool.place(rows.deployment(provider=provider, model_id=f"m{n}"), position=n * 10, why="starter data")
    return pool


def deployment(model: str) -> Deployment:
    return Deployment.objects.get(model_id=model, provider__enabled=True)


def measure_starter(auto: Pool, *, answers: int) -> None:
    """Everything as slow as the starter data says: minimax-m2 at 4.70 s stands before llama-3.3-70b at 3.01 s."""
    for placement in auto.placements.filter(deployment__provider__enabled=True).select_related("deployment"):
        if placement.deployment.seed_latency_s:
            measured(placement.deployment, placement.deployment.seed_latency_s, ok=answers)


def test_the_starter_orders_fault_is_noticed_once_there_is_enough_evidence(auto: Pool) -> None:
    assert order(auto)[5:7] == [MINIMAX, LLAMA]
    measure_starter(auto, answers=49)
    assert job.reorder_all(NOW) == "every order stands"
    assert not Reordering.objects.exists()
    HourStat.objects.all().delete()
    measure_starter(auto, answers=50)
    told = job.reorder_all(NOW)
    assert order(auto)[5:7] == [LLAMA, MINIMAX]
    reordering = Reordering.objects.get()
    assert f"sim-openrouter/{LLAMA} from place 7 to 6: 50 of 50 tries answered" in reordering.reason
    assert f"of sim-openrouter/{MINIMAX}" in reordering.reason
    assert reordering.reason in told
    placement = auto.placements.get(deployment=deployment(LLAMA))
    assert "less than the" in placement.why
    assert placement.position == 6


def test_a_reordering_keeps_what_it_knew(auto: Pool) -> None:
    measure_starter(auto, answers=60)
    version = Pool.objects.get(pk=auto.pk).version
    configuration = ConfigVersion.objects.get().version
    job.reorder_all(NOW)
    found = Reordering.objects.get()
    assert [place["name"] for place in found.before][5:7] == [f"sim-openrouter/{MINIMAX}", f"sim-openrouter/{LLAMA}"]
    assert [place["name"] for place in found.after][5:7] == [f"sim-openrouter/{LLAMA}", f"sim-openrouter/{MINIMAX}"]
    known = {one["name"]: one for one in found.evidence["deployments"]}[f"sim-openrouter/{LLAMA}"]
    assert (known["ok"], known["failed"], round(known["mean_ms"])) == (60, 0, 3010)
    assert known["expected_ms"] > 3010
    assert 2900 < known["p50_ms"] < 3300
    assert (found.applied_by, found.applied_at) == ("rotation", NOW)
    event = AuditEvent.objects.about(found).get()
    assert (event.actor, event.door, event.action) == ("rotation", "job", "apply")
    assert event.after == {"order": found.after}
    assert Pool.objects.get(pk=auto.pk).version == version + 1
    assert ConfigVersion.objects.get().version > configuration


def test_asked_again_it_changes_nothing(auto: Pool) -> None:
    measure_starter(auto, answers=60)
    job.reorder_all(NOW)
    after = order(auto)
    assert job.reorder_all(NOW) == "auto: changed within the hour"
    assert "auto: the last change is watched until 2025-11-20 18:35 UTC" in job.reorder_all(NOW + 2 * HOUR)
    told = job.reorder_all(NOW + 6 * HOUR)
    assert told.startswith("auto: the last change is kept: ")
    assert job.reorder_all(NOW + 7 * HOUR) == "every order stands"
    assert (order(auto), Reordering.objects.count()) == (after, 1)
    assert Reordering.objects.get().state == "kept"


def test_a_change_is_followed_by_no_other_while_it_is_watched(three: Pool) -> None:
    m1, m2, m3 = (deployment(f"m{n}") for n in (1, 2, 3))
    measured(m1, 3.0)
    measured(m2, 1.0)
    job.reorder_all(NOW)
    assert order(three) == ["m2", "m1", "m3"]
    measured(m3, 0.2)
    assert job.reorder_all(NOW + HOUR / 2) == "three: changed within the hour"
    assert job.reorder_all(NOW + HOUR) == "three: the last change is watched until 2025-11-20 18:35 UTC"
    assert order(three) == ["m2", "m1", "m3"]
    told = job.reorder_all(NOW + 6 * HOUR)
    assert "the last change is kept" in told
    assert "m3 from place 3 to 1" in told
    assert order(three) == ["m3", "m2", "m1"]


def test_nearly_as_quick_is_not_quicker(three: Pool) -> None:
    measured(deployment("m1"), 1.0, ok=5000)
    measured(deployment("m2"), 0.96, ok=5000)
    assert job.reorder_all(NOW) == "every order stands"
    HourStat.objects.filter(deployment_id=deployment("m2").pk).delete()
    measured(deployment("m2"), 0.94, ok=5000)
    job.reorder_all(NOW)
    assert order(three) == ["m2", "m1", "m3"]


def test_a_quick_one_that_often_fails_is_not_quick(three: Pool) -> None:
    measured(deployment("m1"), 1.0, ok=100)
    measured(deployment("m2"), 0.5, ok=50, failed=150)
    for n in range(10):
        rows.attempt(
            NOW - n * timedelta(minutes=3), deployment_id=deployment("m2").pk, outcome="timed_out", total_ms=5000.0
        )
    assert job.reorder_all(NOW) == "every order stands"
    seen = window.read([deployment("m2")], NOW).evidence[deployment("m2").pk]
    assert (seen.ok, seen.failed, seen.fail_ms) == (50, 150, 5000.0)


def test_pins_and_the_unmeasured_keep_their_places(three: Pool) -> None:
    three.placements.filter(deployment__model_id="m1").update(pinned=True)
    measured(deployment("m1"), 9.0)
    measured(deployment("m3"), 0.1)
    assert job.reorder_all(NOW) == "every order stands"
    measured(deployment("m2"), 5.0)
    job.reorder_all(NOW)
    assert order(three) == ["m1", "m3", "m2"]
    assert list(three.placements.order_by("position").values_list("position", flat=True)) == [10, 20, 30]


def test_what_no_call_can_reach_keeps_its_place(three: Pool) -> None:
    for n, seconds in ((1, 9.0), (2, 1.0), (3, 5.0)):
        measured(deployment(f"m{n}"), seconds)
    Deployment.objects.filter(model_id="m1").update(status="gone")
    three.placements.filter(deployment__model_id="m2").update(enabled=False)
    assert job.reorder_all(NOW) == "every order stands"


def test_only_pools_with_an_order_are_ordered(three: Pool) -> None:
    measured(deployment("m1"), 9.0)
    measured(deployment("m2"), 1.0)
    Pool.objects.update(strategy="fastest")
    assert job.reorder_all(NOW) == "every order stands"


def test_yesterdays_numbers_do_not_count(three: Pool) -> None:
    measured(deployment("m1"), 9.0, at=NOW - 26 * HOUR)
    measured(deployment("m2"), 1.0, at=NOW - 26 * HOUR)
    assert job.reorder_all(NOW) == "every order stands"


def test_a_pool_changed_in_the_meantime_is_left_for_the_next_time(three: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(deployment("m1"), 9.0)
    measured(deployment("m2"), 1.0)
    original = window.read

    def slow(deployments: list[Deployment], now: datetime) -> window.Window:
        Pool.objects.get(name="three").touch()
        return original(deployments, now)

    monkeypatch.setattr("rotation.reorder.finding.read", slow)
    assert job.reorder_all(NOW) == "three: pool three was changed in the meantime; next time"
    assert order(three) == ["m1", "m2", "m3"]
    assert not Reordering.objects.exists()


@pytest.fixture
def reordered(three: Pool) -> Reordering:
    measured(deployment("m1"), 3.0)
    measured(deployment("m2"), 1.0)
    job.reorder_all(NOW)
    return Reordering.objects.get()


def test_undo_puts_everything_back_with_its_reason(three: Pool, reordered: Reordering) -> None:
    assert order(three) == ["m2", "m1", "m3"]
    undoing.undo(reordered, "ann")
    assert order(three) == ["m1", "m2", "m3"]
    assert set(three.placements.values_list("why", flat=True)) == {"starter data"}
    reordered.refresh_from_db()
    assert (reordered.undone_by, reordered.standing) == ("ann", "undone")
    assert AuditEvent.objects.latest("pk").actor == "ann"
    assert Pool.objects.get().version == 6


def test_an_undone_change_is_not_made_again_from_the_same_numbers(three: Pool, reordered: Reordering) -> None:
    undone = undoing.undo(reordered, "ann")
    assert undone.undone_at is not None
    assert "for ann undid the last change" in job.reorder_all(undone.undone_at + 2 * HOUR)
    assert order(three) == ["m1", "m2", "m3"]
    later = undone.undone_at + 25 * HOUR
    measured(deployment("m1"), 3.0, at=later)
    measured(deployment("m2"), 1.0, at=later)
    job.reorder_all(later)
    assert order(three) == ["m2", "m1", "m3"]


def test_undo_respects_what_was_moved_since(three: Pool, reordered: Reordering) -> None:
    three.placements.get(deployment__model_id="m2").move(99, "by hand")
    undoing.undo(reordered, "ann")
    assert order(three) == ["m3", "m1", "m2"] or order(three) == ["m1", "m3", "m2"]
    assert three.placements.get(deployment__model_id="m2").position == 99
    assert three.placements.get(deployment__model_id="m1").position == 10


def test_undo_says_what_it_cannot_do(three: Pool, reordered: Reordering) -> None:
    measured(deployment("m3"), 0.1)
    job.reorder_all(NOW + 6 * HOUR)
    newest = Reordering.objects.order_by("-at")[0]
    with pytest.raises(NotUndone, match="A newer reordering"):
        undoing.undo(reordered, "ann")
    undoing.undo(newest, "ann")
    undoing.undo(reordered, "ann")
    assert order(three) == ["m1", "m2", "m3"]
    with pytest.raises(NotUndone, match="undone already, by ann"):
        undoing.undo(reordered, "bob")
    with pytest.raises(NotUndone, match="never applied"):
        undoing.undo(Reordering.objects.create(pool=three), "bob")


def test_deleted_placements_do_not_stop_an_undo(three: Pool, reordered: Reordering) -> None:
    three.placements.filter(deployment__model_id="m2").delete()
    undoing.undo(reordered, "ann")
    assert three.placements.get(deployment__model_id="m1").position == 10
