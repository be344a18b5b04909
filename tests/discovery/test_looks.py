"""Looks at listings over the wire: what is taken over with a record of it, and what cannot be believed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from rotation.control.by import By
from rotation.control.deployments import retire
from rotation.discovery import looks
from rotation.models import (
    AuditEvent,
    CatalogueChange,
    ConfigVersion,
    Deployment,
    DiscoveryRun,
    Door,
    LifeStep,
    PriceSource,
    Provider,
    RunState,
)
from rotation.simulator.serve import Running
from tests.models import rows

pytestmark = pytest.mark.django_db
PAID = "test/paid"
FREE = "test/free:free"


@pytest.fixture(autouse=True)
def shelf(sim: Running, provider: Provider) -> None:
    sim.catalogue(
        "openrouter",
        put=[
            {"id": PAID, "price_in": 0.25, "price_out": 1.5, "context": 64_000, "max_output": 4096, "tools": True},
            {"id": FREE, "context": 32_000, "tools": False},
        ],
    )


def changes(model: str) -> dict[str, tuple[object, object]]:
    return {str(c.change): (c.before, c.after) for c in CatalogueChange.objects.filter(model_id=model)}


def look() -> looks.Look:
    [found] = looks.sweep()
    return found


def test_a_listing_sets_prices_sizes_and_features_with_a_record(deployed: Callable[..., Deployment]) -> None:
    paid = deployed(PAID, price_in=Decimal(9), price_out=Decimal(9), price_source="starter", context=1)
    found = look()
    paid.refresh_from_db()
    assert (paid.price_in, paid.price_out, paid.price_source) == (Decimal("0.25"), Decimal("1.5"), PriceSource.LISTING)
    assert (paid.context, paid.max_output, paid.tools) == (64_000, 4096, True)
    assert paid.listed_at is not None
    assert changes(PAID)["price"] == (
        {"price_in": "9.000000", "price_out": "9.000000"},
        {"price_in": "0.250000", "price_out": "1.500000"},
    )
    run = DiscoveryRun.objects.get()
    assert (run.state, run.changed) == (RunState.DONE, CatalogueChange.objects.filter(run=run).count())
    assert found.words.startswith(f"{run.listed} listed, ")


def test_a_whole_catalogue_is_stored_with_its_families_and_a_second_look_writes_nothing() -> None:
    found = look()
    assert found.run is not None
    assert found.run.listed == 349
    assert Deployment.objects.count() == found.run.changed == 349
    assert Deployment.objects.filter(born_at__isnull=False).count() == 0, "they were there before the first look"
    families = set(Deployment.objects.exclude(family="test").values_list("family", flat=True))
    assert len(families) == 55
    assert {str(step.step) for step in LifeStep.objects.all()} == {"listed"}
    before = (
        list(Deployment.objects.order_by("pk").values()), CatalogueChange.objects.count(), LifeStep.objects.count(),
        ConfigVersion.objects.get().version,
    )  # fmt: skip
    assert look().words == "349 listed, nothing new"
    after = (
        list(Deployment.objects.order_by("pk").values()), CatalogueChange.objects.count(), LifeStep.objects.count(),
        ConfigVersion.objects.get().version,
    )  # fmt: skip
    assert before == after
    assert DiscoveryRun.objects.count() == 2


def test_a_catalogue_takes_few_statements_however_long_it_is(django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(30):
        look()
    with django_assert_max_num_queries(20):
        look()


def test_what_an_operator_set_is_never_overwritten(deployed: Callable[..., Deployment]) -> None:
    paid = deployed(PAID, price_in=Decimal(9), price_out=Decimal(9), price_source="operator", context=1, tools=None)
    AuditEvent.objects.record("ann", "change", paid, before={"context": 2}, after={"context": 1})
    look()
    paid.refresh_from_db()
    assert (paid.price_in, paid.price_source, paid.context) == (Decimal(9), PriceSource.OPERATOR, 1)
    assert paid.tools is True
    assert "price" not in changes(PAID)


def test_a_pools_wish_makes_candidates_and_the_others_are_merely_listed(sim: Running) -> None:
    rows.pool(name="small", admits={"free": True, "context": 16_000})
    rows.pool(name="off", admits={"max_price_in": 100}, discovery="off")
    look()
    free, paid = Deployment.objects.get(model_id=FREE), Deployment.objects.get(model_id=PAID)
    assert (free.status, free.status_reason) == ("candidate", "wanted by small")
    assert (paid.status, paid.status_reason) == ("listed", "no pool wants it (small: it is not free)")
    assert not Deployment.objects.filter(status="candidate", free=False).exists()


def test_a_price_told_again_becomes_the_listings_own(deployed: Callable[..., Deployment]) -> None:
    deployed(PAID, price_in=Decimal("0.25"), price_out=Decimal("1.5"), price_source="starter")
    look()
    assert Deployment.objects.get(model_id=PAID).price_source == PriceSource.LISTING
    assert "price" not in changes(PAID)


def test_free_that_costs_something_now_is_not_free(sim: Running) -> None:
    look()
    sim.catalogue("openrouter", put=[{"id": FREE, "price_in": 0.1, "price_out": 0.2, "context": 32_000}])
    look()
    free = Deployment.objects.get(model_id=FREE)
    assert (free.free, free.price_in) == (False, Decimal("0.1"))
    assert changes(FREE)["free"] == ({"free": True}, {"free": False})


def test_an_announced_end_is_kept_and_may_be_taken_back(sim: Running) -> None:
    look()
    sim.catalogue("openrouter", put=[{"id": FREE, "context": 32_000, "tools": False, "expires": "2027-03-01"}])
    look()
    assert str(Deployment.objects.get(model_id=FREE).expires_on) == "2027-03-01"
    assert changes(FREE)["expires"] == ({"expires_on": None}, {"expires_on": "2027-03-01"})
    version = ConfigVersion.objects.get().version
    sim.catalogue("openrouter", put=[{"id": FREE, "context": 32_000, "tools": False}])
    look()
    assert ConfigVersion.objects.get().version == version, "nothing a call goes by"


def test_what_vanishes_is_gone_after_two_looks_and_back_at_once(sim: Running) -> None:
    start = timezone.now()
    looks.sweep(now=start)
    sim.catalogue("openrouter", remove=[FREE])
    [first] = looks.sweep(now=start + timedelta(hours=1))
    free = Deployment.objects.get(model_id=FREE)
    assert (free.status, free.missed, free.listed_at) == ("listed", 1, start)
    assert first.words == f"348 listed, nothing new; {FREE} is not listed this time; gone if the next listing agrees"
    [second] = looks.sweep(now=start + timedelta(hours=2))
    free.refresh_from_db()
    assert free.status == "gone"
    assert free.status_reason == f"not in 2 listings in a row, last seen {start:%Y-%m-%d %H:%M} UTC"
    assert second.counts == {"vanished": 1}
    assert looks.sweep(now=start + timedelta(hours=3))[0].counts == {}
    sim.catalogue("openrouter", put=[{"id": FREE, "context": 32_000, "tools": False}])
    [back] = looks.sweep(now=start + timedelta(hours=4))
    free.refresh_from_db()
    assert (back.counts, free.status, free.missed, free.born_at) == ({"back": 1}, "listed", 0, None)
    assert [str(step.step) for step in free.steps.order_by("at")] == ["listed", "gone", "back"]


def test_what_was_missed_once_only_leaves_no_trace(sim: Running) -> None:
    look()
    sim.catalogue("openrouter", remove=[FREE])
    look()
    sim.catalogue("openrouter", put=[{"id": FREE, "context": 32_000, "tools": False}])
    assert look().counts == {}
    assert Deployment.objects.get(model_id=FREE).missed == 0


def test_what_came_after_the_first_look_is_born_then(sim: Running) -> None:
    start = timezone.now()
    looks.sweep(now=start)
    sim.catalogue("openrouter", put=[{"id": "test/later"}])
    looks.sweep(now=start + timedelta(days=7))
    assert Deployment.objects.get(model_id="test/later").born_at == start + timedelta(days=7)


def test_a_model_refused_although_it_is_listed_waits_a_day(sim: Running, deployed: Callable[..., Deployment]) -> None:
    now = timezone.now()
    gone = deployed(FREE, status="gone", status_reason="no endpoints", listed_at=now)
    LifeStep.objects.create(deployment=gone, step="gone", by="rotation", at=now)
    looks.sweep(now=now + timedelta(hours=1))
    gone.refresh_from_db()
    assert gone.status == "gone"
    looks.sweep(now=now + timedelta(hours=25))
    gone.refresh_from_db()
    assert gone.status_reason.startswith("listed again")


def test_what_a_person_retired_does_not_come_back_though_it_was_gone_and_back_before(
    sim: Running, deployed: Callable[..., Deployment]
) -> None:
    now = timezone.now()
    model = deployed(FREE, status="candidate", listed_at=now)
    LifeStep.objects.create(deployment=model, step="gone", by="rotation", at=now - timedelta(days=9))
    LifeStep.objects.create(deployment=model, step="back", by="rotation", at=now - timedelta(days=8))
    retire(By("ann", Door.PAGE), model)
    looks.sweep(now=now + timedelta(hours=25))
    model.refresh_from_db()
    assert (model.status, model.status_reason) == ("archived", "retired by ann")


def test_a_look_killed_in_the_middle_is_over_and_changed_nothing(
    sim: Running, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = DiscoveryRun.save

    def killed(run: DiscoveryRun, *given: object, **more: object) -> None:
        if run.state == RunState.DONE:
            raise KeyboardInterrupt  # which nobody catches, as nobody catches a kill
        saved(run)

    monkeypatch.setattr(DiscoveryRun, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        looks.sweep([provider])
    monkeypatch.undo()
    assert not Deployment.objects.filter(model_id=PAID).exists()
    [left] = DiscoveryRun.objects.filter(provider=provider)
    assert left.state == RunState.RUNNING
    looks.sweep([provider], now=left.started_at + timedelta(minutes=1))
    left.refresh_from_db()
    assert left.state == RunState.RUNNING, "it may be another process that is at it"
    looks.sweep([provider], now=left.started_at + timedelta(hours=1))
    left.refresh_from_db()
    assert (left.state, "nothing was changed" in left.error) == (RunState.FAILED, True)
    assert Deployment.objects.filter(model_id=PAID).exists()


@pytest.mark.parametrize("fault", ["html", "garbage_bytes", "malformed", "server_error", "empty", "redirect", "huge"])
def test_a_broken_answer_changes_nothing_and_is_said(
    fault: str, sim: Running, deployed: Callable[..., Deployment]
) -> None:
    paid = deployed(PAID, price_in=Decimal(9), price_source="starter")
    sim.faults({"fault": fault, "operation": "*"})
    assert look().words.startswith("nothing changed: ")
    paid.refresh_from_db()
    assert paid.price_in == Decimal(9)
    run = DiscoveryRun.objects.get()
    assert run.state == RunState.FAILED
    assert run.error
    assert "\n" not in run.error
    assert Deployment.objects.count() == 1


def test_one_provider_that_fails_keeps_nobody_else_from_being_read(sim: Running, provider: Provider) -> None:
    from tests.jobs.offices import simulated

    simulated("groq")
    sim.faults({"kind": "openrouter", "fault": "html", "operation": "*"})
    states = {look.provider.kind: bool(look.problem) for look in looks.sweep()}
    assert states == {"openrouter": True, "groq": False}


def test_a_provider_without_a_key_is_not_asked(sim: Running, provider: Provider) -> None:
    provider.keys().delete()
    assert look().words == "not asked, for want of a usable key"
    assert sim.ledger() == []
    assert not DiscoveryRun.objects.exists()
