"""Lives in the database: candidates verified, taken in as canaries, graduated or sent away; and who decides."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rotation.control import deployments, discovery, placements
from rotation.control.by import By
from rotation.core.stats import histogram
from rotation.discovery import life
from rotation.discovery.verify.suite import BASE
from rotation.models import (
    CatalogueChange,
    Deployment,
    Door,
    HourStat,
    LifeStep,
    Placement,
    Pool,
    Provider,
    StepState,
    Verification,
)
from tests.models import rows

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(minute=30)
ANN = By("ann", Door.PAGE)
HOUR = timedelta(hours=1)


@pytest.fixture
def house() -> Pool:
    """A pool that renews itself, with four members that work."""
    pool = rows.pool(name="auto", discovery="automatic", admits={"free": True, "context": 8_000})
    for _ in range(4):
        member = deployment(status="candidate")
        pool.place(member)
        calls(member, ok=50)
    return pool


def deployment(**values: Any) -> Deployment:
    start = {"provider": office(), "free": True, "context": 32_000, "listed_at": NOW, "status": "candidate"}
    return rows.deployment(**{**start, **values})


def office() -> Provider:
    """One provider that can be reached."""
    found = Provider.objects.filter(name="office").first()
    if found is None:
        found = rows.provider(name="office", kind="openrouter")
        rows.key("sk-or-v1-office-0123456789", account=rows.account(provider=found))
    return found


def verdicts(one: Deployment, at: datetime = NOW, **kinds: str) -> None:
    for name in (*BASE, *kinds):
        verdict = kinds.get(name, "verified")
        score = 5.0 if verdict == "verified" else 0.0
        Verification.objects.create(
            deployment=one, capability=name, verdict=verdict, score=score, low=score * 0.6, high=5.0, trials=3,
            latency_ms=900.0, reason="" if verdict == "verified" else "it did not", at=at,
        )  # fmt: skip
    Deployment.objects.filter(pk=one.pk).update(verified_at=at)


def calls(one: Deployment, *, ok: int, failed: int = 0, at: datetime = NOW - HOUR, ms: float = 900.0) -> None:
    HourStat.objects.create(
        at=at.replace(minute=0, second=0, microsecond=0), deployment_id=one.pk, key_id=1, attempts=ok + failed, ok=ok,
        failed=failed, sum_ms=ok * ms, total_hist=histogram([ms] * ok),
    )  # fmt: skip


def place(pool: Pool, one: Deployment) -> Placement | None:
    return Placement.objects.filter(pool=pool, deployment=one).first()


def taken(one: Deployment) -> list[str]:
    return [str(step.step) for step in one.steps.filter(state=StepState.TAKEN).order_by("at", "id")]


def test_a_whole_life(house: Pool) -> None:
    new = deployment(status="listed")
    life.consider(NOW)
    new.refresh_from_db()
    assert (new.status, new.status_reason) == ("candidate", "wanted by auto")
    verdicts(new)
    life.consider(NOW + HOUR)
    new.refresh_from_db()
    canary = place(house, new)
    assert new.status == "verified"
    assert canary is not None
    assert (canary.canary, canary.position) == (house.canary_share, 5)
    calls(new, ok=40, at=NOW + 3 * HOUR)
    life.consider(NOW + 5 * HOUR)
    canary.refresh_from_db()
    assert canary.canary is None
    assert canary.why.startswith("as a canary 40 of 40 calls answered")
    Deployment.objects.filter(pk=new.pk).update(status="gone", status_reason="no endpoints found")
    life.consider(NOW + 6 * HOUR)
    life.consider(NOW + timedelta(days=31))
    new.refresh_from_db()
    assert new.status == "archived"
    assert taken(new) == ["candidate", "verified", "canary", "placed", "gone", "archived"]
    assert all(step.reason and step.evidence for step in new.steps.all())


def test_considering_again_changes_nothing(house: Pool) -> None:
    verdicts(deployment())
    life.consider(NOW)
    before = (list(Placement.objects.values()), list(LifeStep.objects.values()), list(Deployment.objects.values()))
    assert life.consider(NOW).words == "no model takes a further step"
    assert before == (
        list(Placement.objects.values()), list(LifeStep.objects.values()), list(Deployment.objects.values())
    )  # fmt: skip


def test_the_verdict_opens_a_pool_and_not_the_vendors_word(house: Pool) -> None:
    Pool.objects.filter(pk=house.pk).update(admits={"free": True, "capabilities": ["tools"]})
    liar, honest = deployment(tools=True), deployment(tools=True)
    verdicts(liar, tools="incompatible")
    verdicts(honest, tools="verified")
    life.consider(NOW)
    assert place(house, liar) is None
    assert place(house, honest) is not None


def test_a_model_that_only_met_limits_stays_a_candidate(house: Pool) -> None:
    one = deployment()
    verdicts(one, code="rate_limited")
    life.consider(NOW)
    one.refresh_from_db()
    assert (one.status, place(house, one)) == ("candidate", None)


def test_a_model_that_fails_the_basics_is_incompatible_and_passes_when_it_passes_later(house: Pool) -> None:
    one = deployment()
    verdicts(one, code="incompatible")
    life.consider(NOW)
    one.refresh_from_db()
    assert (one.status, one.status_reason) == ("incompatible", "code: it did not")
    verdicts(one, at=NOW + HOUR)
    life.consider(NOW + HOUR)
    one.refresh_from_db()
    assert one.status == "verified"


def test_no_more_than_three_canaries_at_a_time_and_the_best_first(house: Pool) -> None:
    many = [deployment() for _ in range(6)]
    for one in many:
        verdicts(one)
    verdicts(many[5], tools="verified")
    life.consider(NOW)
    there = {p.deployment_id for p in house.placements.filter(canary__isnull=False)}
    assert len(there) == 3
    assert many[5].pk in there


def test_a_full_pool_takes_in_nobody(house: Pool) -> None:
    Pool.objects.filter(pk=house.pk).update(admits={"free": True, "members": 4})
    one = deployment()
    verdicts(one)
    life.consider(NOW)
    assert place(house, one) is None


def test_members_nobody_can_reach_take_up_no_room(house: Pool) -> None:
    Pool.objects.filter(pk=house.pk).update(admits={"free": True, "members": 5})
    far = rows.provider(name="far")
    for _ in range(5):
        house.place(rows.deployment(provider=far))
    one = deployment()
    verdicts(one)
    life.consider(NOW)
    assert place(house, one) is not None


def test_a_bad_canary_is_sent_away_and_comes_again_only_after_another_verification(house: Pool) -> None:
    one = deployment()
    verdicts(one)
    life.consider(NOW)
    calls(one, ok=2, failed=12, at=NOW + 2 * HOUR)
    life.consider(NOW + 4 * HOUR)
    gone = place(house, one)
    assert gone is not None
    assert (gone.enabled, gone.canary) == (False, None)
    assert "worse than the pool" in gone.why
    life.consider(NOW + 5 * HOUR)
    gone.refresh_from_db()
    assert not gone.enabled
    verdicts(one, at=NOW + 6 * HOUR)
    life.consider(NOW + 7 * HOUR)
    gone.refresh_from_db()
    assert (gone.enabled, gone.canary, gone.since) == (True, house.canary_share, NOW + 7 * HOUR)


def test_a_member_that_collapsed_goes_out_a_pinned_one_is_only_proposed(house: Pool) -> None:
    low, pinned = deployment(), deployment()
    Pool.objects.filter(pk=house.pk).update(admits={})
    house.place(low)
    house.place(pinned)
    Placement.objects.filter(deployment=pinned).update(pinned=True)
    for one in (low, pinned):
        calls(one, ok=1, failed=29)
    told = life.consider(NOW)
    assert [step.deployment for step in told.taken] == [low]
    assert [step.deployment for step in told.proposed] == [pinned]
    assert place(house, pinned).enabled  # type: ignore[union-attr]  # it was placed above


def test_a_member_of_a_free_pool_that_costs_something_now_goes_out(house: Pool) -> None:
    turned, meant = deployment(free=False), deployment(free=False)
    for one in (turned, meant):
        house.place(one)
    Placement.objects.filter(pool=house).update(since=NOW - HOUR)
    CatalogueChange.objects.create(
        provider=turned.provider, model_id=turned.model_id, change="free", before={"free": True},
        after={"free": False}, at=NOW,
    )  # fmt: skip
    life.consider(NOW)
    assert not place(house, turned).enabled  # type: ignore[union-attr]  # it was placed above
    assert place(house, meant).enabled  # type: ignore[union-attr]  # somebody put it there at its price


def test_no_verification_takes_more_than_half_of_a_pool(house: Pool) -> None:
    for member in [place.deployment for place in house.placements.all()]:
        verdicts(member, code="incompatible")
    told = life.consider(NOW)
    assert Deployment.objects.filter(status="incompatible").count() == 2
    assert len(told.notes) == 2
    assert "auto would lose too many" in told.notes[0]
    life.consider(NOW + HOUR)
    assert Deployment.objects.filter(status="incompatible").count() == 3, "half of what was left"


def test_a_pool_that_asks_first_proposes_once_and_again_only_on_other_evidence(house: Pool) -> None:
    Pool.objects.filter(pk=house.pk).update(discovery="propose")
    one = deployment()
    verdicts(one)
    told = life.consider(NOW)
    assert [str(step.step) for step in told.proposed] == ["canary"]
    assert place(house, one) is None
    assert life.consider(NOW + HOUR).proposed == []
    step = LifeStep.objects.get(state=StepState.PROPOSED)
    discovery.reject(ANN, step)
    assert life.consider(NOW + 2 * HOUR).proposed == []
    verdicts(one, at=NOW + 3 * HOUR, tools="verified")
    [again] = life.consider(NOW + 4 * HOUR).proposed
    assert again.pk != step.pk


def test_a_proposal_whose_evidence_is_gone_is_superseded(house: Pool) -> None:
    Pool.objects.filter(pk=house.pk).update(discovery="propose")
    one = deployment()
    verdicts(one)
    life.consider(NOW)
    Deployment.objects.filter(pk=one.pk).update(status="gone", status_reason="refused")
    life.consider(NOW + HOUR)
    assert LifeStep.objects.get(pool=house).state == StepState.SUPERSEDED


def test_what_is_adopted_by_hand_joins_at_once(house: Pool) -> None:
    Pool.objects.filter(pk=house.pk).update(discovery="propose")
    one, other = deployment(), deployment()
    verdicts(one)
    [step] = life.consider(NOW).proposed
    discovery.adopt(ANN, step)
    step.refresh_from_db()
    assert (step.state, step.decided_by) == (StepState.TAKEN, "ann")
    assert place(house, one).canary == house.canary_share  # type: ignore[union-attr]  # it was adopted above
    discovery.adopt(ANN, other, pool=house, canary=False)
    assert place(house, other).canary is None  # type: ignore[union-attr]  # it was adopted above
    with pytest.raises(ValidationError, match="already has a place"):
        discovery.adopt(ANN, other, pool=house)
    with pytest.raises(ValidationError, match="decided already: taken by ann"):
        discovery.reject(ANN, step)
    with pytest.raises(ValidationError, match="no call would go there"):
        discovery.adopt(ANN, deployment(status="gone"), pool=house)
    with pytest.raises(ValidationError, match="Name the pool"):
        discovery.adopt(ANN, deployment())


@pytest.mark.parametrize("way", ["taken away", "switched off"])
def test_a_place_a_person_ended_is_not_given_again_by_itself(house: Pool, way: str) -> None:
    one = deployment()
    verdicts(one)
    life.consider(NOW)
    there = place(house, one)
    assert there is not None
    if way == "taken away":
        placements.remove(ANN, there)
    else:
        placements.enable(ANN, there, enabled=False)
    verdicts(one, at=NOW + HOUR)
    life.consider(NOW + 2 * HOUR)
    after = place(house, one)
    assert after is None or not after.enabled


def test_a_pool_that_is_off_is_left_alone(house: Pool) -> None:
    Pool.objects.filter(pk=house.pk).update(discovery="off")
    one = deployment()
    verdicts(one)
    house.place(bad := deployment())
    calls(bad, ok=0, failed=60)
    life.consider(NOW)
    assert place(house, one) is None
    assert place(house, bad).enabled  # type: ignore[union-attr]  # it was placed above


@pytest.mark.parametrize("word", ["incompatible", "listed", "verified", "archived"])
def test_a_persons_word_on_a_models_standing_is_not_overruled(house: Pool, word: str) -> None:
    one = deployment(status="candidate")
    verdicts(one, NOW - HOUR, answers="incompatible") if word == "verified" else verdicts(one, NOW - HOUR)
    deployments.set_status(ANN, one, word)
    verdicts(one, NOW + HOUR, **({"short_answer": "incompatible"} if word == "verified" else {}))
    life.consider(NOW + 2 * HOUR)
    one.refresh_from_db()
    assert (one.status, one.status_reason) == (word, "by ann")


def test_what_came_with_a_registry_file_is_found_out_like_anything_else(house: Pool) -> None:
    one = deployment(status="incompatible")
    LifeStep.objects.create(deployment=one, step="incompatible", by="command line", evidence={"registry": 3})
    verdicts(one)
    life.consider(NOW)
    one.refresh_from_db()
    assert one.status == "verified"


def test_a_model_to_be_tried_again_is_not_judged_by_what_it_did_before(house: Pool) -> None:
    one = deployment(status="incompatible", context=100)
    verdicts(one, NOW - HOUR, **dict.fromkeys(BASE, "incompatible"))
    deployments.set_status(ANN, one, "candidate", "try it again")
    life.consider(timezone.now())
    one.refresh_from_db()
    assert (one.status, one.status_reason) == ("candidate", "try it again"), "though no pool wants it"
    verdicts(one, timezone.now())
    life.consider(timezone.now())
    one.refresh_from_db()
    assert one.status == "verified"


def test_pools_and_models_are_held_before_anything_is_decided_on_them(house: Pool) -> None:
    verdicts(deployment())
    with CaptureQueriesContext(connection) as asked:
        life.consider(NOW)
    told = [query["sql"] for query in asked]
    held = next(n for n, sql in enumerate(told) if '"rotation_pool"' in sql and "FOR UPDATE" in sql)
    read = next(n for n, sql in enumerate(told) if 'FROM "rotation_placement"' in sql)
    assert held < read
    changed = ("candidate", "verified")
    moved = [sql for sql in told if 'FROM "rotation_deployment"' in sql and all(f"'{one}'" in sql for one in changed)]
    assert moved
    assert all("FOR NO KEY UPDATE" in sql for sql in moved)
