"""Lives of offers, put together from what listings said: when each began and ended, and how likely one is to end soon.

A free offer lives while the model is listed and free: it ends when the model vanishes, and when it begins to cost. A
model that is away for less than two weeks was never gone. Nobody knows how old the models of a first listing are:
they tell how often offers end, not at what age. An offer whose birth was seen elsewhere (a registry file says so)
counts from the age at which it was first seen here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import Min, Q

from rotation.core.risk import Risk, risk
from rotation.core.survival import Curve, Life, Rate, curve, rate
from rotation.models import CatalogueChange, Change, Deployment, DiscoveryRun, RunState

AWAY = timedelta(days=14)
DAY = timedelta(days=1)
HORIZON = 30  # days
ENDS = (Change.VANISHED, Change.BACK, Change.FREE)
Row = tuple[str, datetime, Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Offer:
    """One life of one free offer. `born` is None where nobody saw it; `seen` is since when it was watched."""

    deployment: int
    born: datetime | None
    seen: datetime
    ended: datetime | None = None

    def life(self, now: datetime) -> Life | None:
        """In days by age; None where the age is not known."""
        if self.born is None or self.born > now:
            return None
        entered, left = (max(self.seen, self.born) - self.born) / DAY, ((self.ended or now) - self.born) / DAY
        return Life(entered, max(entered, left), self.ended is not None)

    def watched(self, now: datetime) -> Life:
        """In days since it was first seen, whatever its age."""
        return Life(0.0, max(0.0, ((self.ended or now) - self.seen) / DAY), self.ended is not None)


@dataclass(frozen=True, slots=True)
class Lives:
    """What is known of all free offers. `ages_unknown` of them were there before the first look."""

    now: datetime
    offers: tuple[Offer, ...]
    curve: Curve
    rate: Rate | None

    @property
    def ages_unknown(self) -> int:
        return sum(offer.born is None for offer in self.offers)

    @property
    def present(self) -> dict[int, Offer]:
        """The offers that live now, by deployment."""
        return {offer.deployment: offer for offer in self.offers if offer.ended is None}

    def risk(self, deployment: int, expires: date | None = None) -> Risk | None:
        """Of not being offered free any more within thirty days; None for what is not a free offer now."""
        offer = self.present.get(deployment)
        if offer is None:
            return None
        age = None if offer.born is None else (self.now - offer.born) / DAY
        ends_in = None if expires is None else max(0, (expires - self.now.date()).days)
        return risk(self.curve, self.rate, age=age, horizon=HORIZON, ends_in=ends_in)


def lives(now: datetime, *, simulated: bool, provider: str = "", family: str = "") -> Lives:
    """Three queries. Free offers of real or simulated providers, of one provider or family when named."""
    chosen = Q(provider__simulated=simulated, listed_at__isnull=False)
    chosen &= Q(provider__name=provider) if provider else Q()
    chosen &= Q(family=family) if family else Q()
    rows = Deployment.objects.filter(chosen).values_list(
        "pk", "provider_id", "model_id", "free", "born_at", "created_at"
    )
    told = _told(simulated, provider)
    first = first_looks()
    offers: list[Offer] = []
    for pk, provider_id, model, free, born, created in rows:
        looked = first.get(provider_id, created)
        seen = max(looked, born or looked)
        offers += offers_of(pk, born, seen, free=free, changes=told.get((provider_id, model), []))
    lived = [life for offer in offers if (life := offer.life(now)) is not None]
    return Lives(now, tuple(offers), curve(lived), rate(offer.watched(now) for offer in offers))


def _told(simulated: bool, provider: str) -> dict[tuple[int, str], list[Row]]:
    rows = CatalogueChange.objects.filter(change__in=ENDS, provider__simulated=simulated).order_by("at", "id")
    rows = rows.filter(provider__name=provider) if provider else rows
    told: dict[tuple[int, str], list[Row]] = defaultdict(list)
    for provider_id, model, change, at, before in rows.values_list("provider_id", "model_id", "change", "at", "before"):
        told[provider_id, model].append((change, at, before))
    return told


def first_looks() -> dict[int, datetime]:
    """When each provider's listing was first read, by provider."""
    done = DiscoveryRun.objects.filter(state=RunState.DONE).order_by().values_list("provider_id")
    return dict(done.annotate(at=Min("started_at")))


def offers_of(
    deployment: int, born: datetime | None, seen: datetime, *, free: bool, changes: Sequence[Row]
) -> list[Offer]:
    """One model's lives as a free offer, in their order. `free` is what it is now, `changes` how it came to that."""
    for change, _, before in changes:
        if change == Change.FREE:
            free = bool(plain(before).get("free"))
            break
    found: list[Offer] = []
    start: tuple[datetime | None, datetime] | None = (born, seen) if free else None
    listed = True
    for at, together in groupby(changes, key=lambda row: row[1]):  # one listing may say several things of a model
        for change, _, before in together:
            listed = change == Change.BACK or (listed and change != Change.VANISHED)
            free = not bool(plain(before).get("free")) if change == Change.FREE else free
        if start and not (listed and free):
            found.append(Offer(deployment, *start, ended=at))
            start = None
        elif start is None and listed and free:
            start = _again(found, at) or (at, at)
    return [*found, Offer(deployment, *start)] if start else found


def plain(side: Any) -> Mapping[str, Any]:
    """One side of a change; what is no mapping says nothing."""
    return side if isinstance(side, dict) else {}


def _again(found: list[Offer], at: datetime) -> tuple[datetime | None, datetime] | None:
    """The life that goes on when it was interrupted for less than two weeks; it is taken out of those that ended."""
    if not found or found[-1].ended is None or at - found[-1].ended >= AWAY:
        return None
    before = found.pop()
    return before.born, before.seen


def risks(known: Lives, deployments: Iterable[Deployment]) -> dict[int, Risk]:
    """By deployment, for those that are free offers now."""
    found = {one.pk: known.risk(one.pk, one.expires_on) for one in deployments}
    return {pk: told for pk, told in found.items() if told is not None}
