"""A listing held against what is known, and what differs taken over: in one transaction, with few statements.

A listing that cannot be believed changes nothing. What is not listed any more is gone after two believable looks; what
the listing says again of what is known already writes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from rotation.core.anatomy import family
from rotation.core.catalog import Change, ChangeKind
from rotation.discovery.absence import Absences
from rotation.discovery.alone import alone
from rotation.discovery.belief import differences, last_done
from rotation.discovery.offers import Taken, apply, made, operators_fields, per_million, sound
from rotation.discovery.shrinkage import Shrinkage
from rotation.discovery.steps import ACTOR, words_on
from rotation.discovery.wishes import choosing, wanted_by, why_not
from rotation.models import (
    CatalogueChange,
    Deployment,
    DeploymentStatus,
    DiscoveryRun,
    LifeStep,
    PriceSource,
    Provider,
    Step,
)
from rotation.models import Change as Kind
from rotation.providers.base import Listed

REFUSED_FOR = timedelta(hours=24)  # a model that was refused although it is listed is not tried again sooner

#: Columns the engine works from, and those only discovery knows: the second kind raises no configuration version.
CONFIGURED = (
    "context", "max_output", "input_modalities", "tools", "json_schema", "images", "reasoning", "price_in",
    "price_out", "price_source", "free", "status", "status_reason", "family",
)  # fmt: skip
RECORDED = ("listed_at", "born_at", "missed", "expires_on")


@dataclass
class Intake:
    """What one listing led to. `notes` are sentences on what waits, and why."""

    changes: list[CatalogueChange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@transaction.atomic
def take_in(
    run: DiscoveryRun, listed: Sequence[Listed], now: datetime, shrinkage: Shrinkage, *, believe: bool = False
) -> Intake:
    """Applies what a believable listing says. Raises NoListing for any other. `believe`: a person vouches for it."""
    listed = [sound(offer) for offer in listed]
    alone()
    provider = Provider.objects.select_for_update(no_key=True).get(pk=run.provider_id)
    rows = provider.deployments.select_for_update(no_key=True).order_by("pk")  # what an operator saves meanwhile waits
    ours = {deployment.model_id: deployment for deployment in rows}
    for deployment in ours.values():
        deployment.provider = provider
    found = differences(run, ours.values(), listed, now, believe=believe)
    taking = _Taking(run, ours, now, first=last_done(provider, now) is None)
    taking.settle(listed, found, shrinkage)
    return taking.store()


class _Taking:
    """One listing being taken over: rows gathered first, stored at the end."""

    def __init__(self, run: DiscoveryRun, ours: dict[str, Deployment], now: datetime, *, first: bool) -> None:
        self.run, self.ours, self.now, self.first = run, ours, now, first
        self.pools = choosing()
        self.result = Intake()
        self.new: list[Deployment] = []
        self.steps: list[LifeStep] = []
        self.configured: dict[int, Deployment] = {}
        self.recorded: dict[int, Deployment] = {}

    def settle(self, listed: Sequence[Listed], found: Sequence[Change], shrinkage: Shrinkage) -> None:
        offers = {offer.model: offer for offer in reversed(listed)}
        by_kind: dict[ChangeKind, list[Change]] = defaultdict(list)
        for change in found:
            by_kind[change.kind].append(change)
        for change in by_kind.pop(ChangeKind.NEW, []):
            self._add(offers[change.model], change)
        missing = [self.ours[change.model] for change in by_kind.pop(ChangeKind.VANISHED, [])]
        self._see(offers, {change.model for change in by_kind.pop(ChangeKind.BACK, [])})
        self._alter([change for changes in by_kind.values() for change in changes])
        absences = Absences(self.run, missing, self.now, shrinkage)
        self.result.notes += absences.notes
        for deployment in absences.noticed:
            self.recorded[deployment.pk] = deployment
        for deployment in absences.gone:
            before = next(change.before for change in found if change.model == deployment.model_id)
            self._changed(deployment.model_id, Kind.VANISHED, before, None)
            self._step(deployment, Step.GONE, deployment.status_reason, missed=deployment.missed)
            self.configured[deployment.pk] = deployment

    def _add(self, offer: Listed, change: Change) -> None:
        deployment = made(self.run.provider, offer)
        deployment.listed_at, deployment.born_at = self.now, None if self.first else self.now
        self._choose(deployment)
        self.new.append(deployment)
        self._changed(offer.model, Kind.NEW, None, change.after)
        self._step(deployment, Step(deployment.status), deployment.status_reason)

    def _choose(self, deployment: Deployment) -> None:
        """A candidate when a pool wants it, as far as its listing tells."""
        wanted = wanted_by(deployment, self.pools)
        deployment.status = DeploymentStatus.CANDIDATE if wanted else DeploymentStatus.LISTED
        deployment.status_reason = f"wanted by {', '.join(wanted)}" if wanted else why_not(deployment, self.pools)

    def _see(self, offers: Mapping[str, Listed], back: Collection[str]) -> None:
        """Models of ours that are listed."""
        for model in sorted(self.ours.keys() & offers.keys()):
            deployment = self.ours[model]
            self._complete(deployment, offers[model])
            if model in back:
                self._bring_back(deployment)
            elif deployment.listed_at is None or deployment.missed:
                if deployment.listed_at is None and not self.first:
                    deployment.born_at = self.now
                deployment.listed_at, deployment.missed = self.now, 0
                self.recorded[deployment.pk] = deployment

    def _complete(self, deployment: Deployment, offer: Listed) -> None:
        """What is no news, but was not written down: whose model it is, and that its prices are the listing's own."""
        prices = (per_million(offer.price_in), per_million(offer.price_out))
        ours = deployment.price_source in {PriceSource.OPERATOR, PriceSource.LISTING}
        confirmed = not ours and None not in prices and prices == (deployment.price_in, deployment.price_out)
        if deployment.family and not confirmed:
            return
        deployment.family = deployment.family or family(offer.model)
        if confirmed:
            deployment.price_source = PriceSource.LISTING
        self.configured[deployment.pk] = deployment

    def _bring_back(self, deployment: Deployment) -> None:
        """What had left the listing is back at once; what was refused although it was listed, a day later."""
        if not deployment.missed and self._refused_lately(deployment):
            return
        if words_on([deployment]) or "status" in operators_fields([deployment])[deployment.pk]:
            return  # a person marked it
        before = {"status": str(deployment.status), "status_reason": deployment.status_reason}
        self._choose(deployment)
        if deployment.placements.exists():
            deployment.status = DeploymentStatus.CANDIDATE
        deployment.status_reason = f"listed again; {deployment.status_reason}"
        deployment.listed_at, deployment.missed = self.now, 0
        after = {"status": str(deployment.status), "status_reason": deployment.status_reason}
        self._changed(deployment.model_id, Kind.BACK, before, after)
        self._step(deployment, Step.BACK, deployment.status_reason, was=before["status_reason"])
        self.configured[deployment.pk] = self.recorded[deployment.pk] = deployment

    def _refused_lately(self, deployment: Deployment) -> bool:
        gone = deployment.steps.filter(step=Step.GONE).values_list("at", flat=True).first()
        return gone is None or self.now - gone < REFUSED_FOR

    def _alter(self, changes: Sequence[Change]) -> None:
        held = operators_fields([self.ours[change.model] for change in changes]) if changes else {}
        for change in changes:
            deployment = self.ours[change.model]
            taken: Taken | None = apply(deployment, change, held.get(deployment.pk, ()))
            if taken is None:
                continue
            self._changed(change.model, Kind(change.kind.value), taken.before, taken.after)
            kept = self.recorded if change.kind is ChangeKind.EXPIRES else self.configured
            kept[deployment.pk] = deployment

    def _changed(self, model: str, kind: Kind, before: object, after: object) -> None:
        of = {"run": self.run, "provider": self.run.provider, "model_id": model, "at": self.now}
        self.result.changes.append(CatalogueChange(**of, change=kind, before=before, after=after))

    def _step(self, deployment: Deployment, step: Step, reason: str, **evidence: object) -> None:
        self.steps.append(
            LifeStep(deployment=deployment, step=step, reason=reason, evidence=evidence, by=ACTOR, at=self.now)
        )

    def store(self) -> Intake:
        """Only what is different: nothing of it, nothing is written."""
        Deployment.objects.bulk_create(self.new)
        if self.configured:
            Deployment.objects.bulk_update(self.configured.values(), CONFIGURED, batch_size=500)
        if self.recorded:
            Deployment.objects.bulk_update(self.recorded.values(), RECORDED, batch_size=500)
        CatalogueChange.objects.bulk_create(self.result.changes)
        LifeStep.objects.bulk_create(self.steps)
        return self.result
