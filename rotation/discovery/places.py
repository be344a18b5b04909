"""Places in one pool: new members as canaries, canaries to full members or away, members that collapsed out.

What a person did stands: a place somebody switched off or took away is not given again by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from rotation.control.by import By
from rotation.core.admission import objections, room
from rotation.core.lifecycle import CANARIES, Next, Record, Seen, entry, of_canary, of_member
from rotation.discovery.measured import records, together, verdicts
from rotation.discovery.shrinkage import Shrinkage
from rotation.discovery.steps import ACTOR, Doings, Ledger, row
from rotation.discovery.wishes import applicant
from rotation.models import AuditEvent, CatalogueChange, Deployment, DeploymentStatus, Door, Placement, Pool, Step
from rotation.models.catalog import OUT
from rotation.models.discovery import Change
from rotation.models.pools import placements_in_order

BY = By(ACTOR, Door.JOB)
HOUSE = timedelta(days=7)  # of the pool's calls a canary is held against
COLLAPSE = timedelta(days=1)


class House:
    """One pool as it stands now, with what was measured of its members."""

    def __init__(self, pool: Pool, now: datetime, shrinkage: Shrinkage, providers: Collection[int]) -> None:
        self.pool, self.now, self.shrinkage, self.providers = pool, now, shrinkage, providers
        self.ledger = Ledger(pool, now)
        self.doings = Doings()
        self.places = list(placements_in_order(pool))
        there = [place for place in self.places if place.enabled and self._living(place.deployment)]
        self.canaries = [place for place in there if place.canary is not None]
        self.members = [place for place in there if place.canary is None]

    def _living(self, deployment: Deployment) -> bool:
        return deployment.provider_id in self.providers and deployment.status not in OUT

    def consider(self) -> Doings:
        self._members()
        self._canaries()
        self._newcomers()
        self.ledger.close()
        return self.doings

    def _members(self) -> None:
        day = records({place.deployment_id: self.now - COLLAPSE for place in self.members})
        house = together(day.values())
        paid = self._turned_paid()
        for place in self.members:
            following = paid.get(place.pk) or of_member(day[place.deployment_id], house)
            if following:
                self._do(place, following, only_propose=place.pinned)

    def _turned_paid(self) -> dict[int, Next]:
        """Members of a pool for free models that were free when they came and cost something now."""
        if not self.pool.admits.get("free"):
            return {}
        found = {}
        for place in (one for one in self.members if not one.deployment.free):
            changes = CatalogueChange.objects.filter(
                provider=place.deployment.provider, model_id=place.deployment.model_id, change=Change.FREE
            )
            last = changes.order_by("-at", "-id").first()
            if last and (last.after or {}).get("free") is False and last.at >= place.since:
                costs = (place.deployment.price_in, place.deployment.price_out)
                price = f"{' / '.join(f'{float(side or 0):g}' for side in costs)} USD per million tokens"
                found[place.pk] = Next(Step.DEMOTED, f"it is not free any more: {price}", {"price": price}, "paid")
        return found

    def _canaries(self) -> None:
        own = records({place.deployment_id: place.since for place in self.canaries})
        week = records({place.deployment_id: self.now - HOUSE for place in self.members})
        slowest = max((one.p50_ms for one in week.values() if one.p50_ms is not None), default=None)
        for place in self.canaries:
            following = of_canary(own.get(place.deployment_id, Record()), together(week.values()), slowest)
            if following:
                self._do(place, following)

    def _do(self, place: Placement, following: Next, *, only_propose: bool = False) -> None:
        if not self.ledger.may(place.deployment, following, only_propose=only_propose):
            self._propose(place.deployment, following)
            return
        if following.step == Step.DEMOTED and not self.shrinkage.take_from(self.pool.name, place.deployment_id):
            self.doings.notes.append(f"{place.deployment} stays in {self.pool} for now: it would lose too many at once")
            return
        apply(BY, place, following)
        self._taken(place.deployment, following)

    def _newcomers(self) -> None:
        """The best of those the pool wants, while it has room for members and canaries."""
        if not self.pool.admits:
            return
        applicants = self._applicants()
        seen = verdicts([deployment.pk for deployment in applicants])
        wanted = [one for one in applicants if not objections(self.pool.admits, applicant(one, seen.get(one.pk, {})))]
        steps = {one.pk: entry(seen.get(one.pk, {}), _facts(one)) for one in wanted}
        wanted.sort(key=lambda one: _merit(seen.get(one.pk, {}), one))
        free = room(self.pool.admits) - len(self.members) - len(self.canaries)
        for deployment in [one for one in wanted if not self.ledger.rejected(one, steps[one.pk])][: max(free, 0)]:
            following = steps[deployment.pk]
            if not self.ledger.may(deployment, following):
                self._propose(deployment, following)
            elif len(self.canaries) < CANARIES:
                share = self.pool.canary_share
                self.canaries.append(admit(BY, self.pool, deployment, canary=share, why=following.reason, now=self.now))
                self._taken(deployment, following)

    def _applicants(self) -> list[Deployment]:
        """Verified ones without a place. Who was demoted may come again when it was verified after that."""
        closed = self._by_people()
        demoted = dict(self.pool.steps.filter(step=Step.DEMOTED).order_by("at").values_list("deployment_id", "at"))
        placed = {place.deployment_id: place for place in self.places}
        ready = Deployment.objects.filter(status=DeploymentStatus.VERIFIED, provider__in=self.providers)
        found = []
        for deployment in ready.select_related("provider"):
            place, out = placed.get(deployment.pk), demoted.get(deployment.pk)
            if deployment.pk in closed or (place is not None and (place.enabled or out is None)):
                continue
            if out is None or (deployment.verified_at is not None and deployment.verified_at > out):
                found.append(deployment)
        return found

    def _by_people(self) -> set[int]:
        """Deployments whose place a person took away or switched off since they last had one by our hand."""
        events = AuditEvent.objects.filter(object_type="placement").exclude(door=Door.JOB)
        mine = events.filter(Q(before__pool_id=self.pool.pk) | Q(before__enabled=True, after__enabled=False))
        removed = ((before or {}).get("deployment_id") for before in mine.values_list("before", flat=True))
        taken = {pk for pk in removed if isinstance(pk, int)}
        places = {str(place.pk): place for place in self.places}
        off = mine.filter(after__enabled=False, object_id__in=places).values_list("object_id", flat=True)
        return taken | {places[pk].deployment_id for pk in off if not places[pk].enabled}

    def _propose(self, deployment: Deployment, following: Next) -> None:
        if proposal := self.ledger.propose(deployment, following):
            self.doings.proposed.append(proposal)

    def _taken(self, deployment: Deployment, following: Next) -> None:
        step = row(deployment, following, self.now, pool=self.pool)
        step.save()
        self.doings.taken.append(step)


def _facts(deployment: Deployment) -> dict[str, object]:
    price = None if deployment.price_in is None else f"{deployment.price_in}/{deployment.price_out}"
    return {"free": deployment.free, "price": price, "context": deployment.context}


def _merit(seen: Mapping[str, Seen], deployment: Deployment) -> tuple[float, float, str]:
    """The higher its scores and the quicker it is the sooner it comes."""
    scores = [one.low if one.low is not None else one.score or 0.0 for one in seen.values()]
    took = [one.latency_ms for one in seen.values() if one.latency_ms is not None]
    return -sum(scores), sum(took) / len(took) if took else float("inf"), deployment.name


@transaction.atomic
def admit(by: By, pool: Pool, deployment: Deployment, *, canary: float | None, why: str, now: datetime) -> Placement:
    """A place at the end of the line; one that was switched off is used again. `canary`: the share, None at once in."""
    placement = pool.placements.filter(deployment=deployment).first()
    if placement is None:
        placement = pool.place(deployment, why=why)
        placement.canary, placement.since = canary, now
        placement.save(update_fields=["canary", "since"])
        by.added(placement, "place")
        return placement
    with by.changing(placement):
        placement.enabled, placement.canary, placement.why, placement.since = True, canary, why, now
        placement.save(update_fields=["enabled", "canary", "why", "since"])
        pool.touch()
    return placement


def apply(by: By, placement: Placement, following: Next) -> None:
    """A full member from now on, or out of the line (its place is kept, switched off, with the reason)."""
    with by.changing(placement):
        placement.canary, placement.why = None, following.reason
        placement.enabled = following.step != Step.DEMOTED
        placement.save(update_fields=["enabled", "canary", "why"])
        placement.pool.touch()
