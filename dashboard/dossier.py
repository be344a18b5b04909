"""Everything one model's page shows, read and drawn: each part once, when the template asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils.safestring import SafeString

from dashboard import figures
from dashboard.charts.heat import Cell as HeatCell
from dashboard.charts.heat import heat
from dashboard.charts.meter import part
from dashboard.charts.spread import rows, spread
from dashboard.charts.strip import Mark, mood_of, strip
from dashboard.queries import deployment as queries
from dashboard.queries.discovery import words
from dashboard.story import failure_words
from rotation.core.risk import Basis, Risk
from rotation.core.stats import quantile
from rotation.discovery import lives
from rotation.discovery.matrix import Cell, Opening, Row, matrix, openings
from rotation.discovery.verify.suite import SUITE
from rotation.models import CatalogueChange, Deployment, LifeStep, Placement, Pool
from rotation.models.catalog import OUT

CLAIMS = (("tools", "tools"), ("json_schema", "JSON schema"), ("images", "images"), ("reasoning", "reasoning"))
BASIS = {
    Basis.ANNOUNCED: "its provider has announced its end",
    Basis.AGE: "what happened to others of its age",
    Basis.RATE: "how often free models end at any age",
    Basis.NONE: "nothing seen yet",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of failure with its share of all failures, drawn."""

    words: str
    many: int
    drawn: SafeString


class Dossier:
    """One deployment at one moment."""

    def __init__(self, deployment: Deployment, now: datetime) -> None:
        self.deployment, self.now = deployment, now

    @property
    def out(self) -> bool:
        return self.deployment.status in OUT

    @property
    def claims(self) -> list[tuple[str, str]]:
        """Features by the vendor's word."""
        words = {True: "yes", False: "no", None: "not told"}
        return [(label, words[getattr(self.deployment, name)]) for name, label in CLAIMS]

    @cached_property
    def known(self) -> lives.Lives:
        return lives.lives(self.now, simulated=self.deployment.provider.simulated)

    @cached_property
    def risk(self) -> Risk | None:
        return self.known.risk(self.deployment.pk, self.deployment.expires_on)

    @property
    def risk_words(self) -> str:
        if self.risk is None:
            unseen = self.deployment.free and self.deployment.listed_at is None
            return "no listing has told of it yet" if unseen else "only free models on offer are watched for it"
        low, high = (figures.percent(one, 1) for one in (self.risk.low, self.risk.high))
        spread = "" if self.risk.basis in (Basis.ANNOUNCED, Basis.NONE) else f", 95 % interval {low} to {high}"
        return f"by {BASIS[self.risk.basis]}{spread}"

    @property
    def risk_share(self) -> str:
        known = self.risk is not None and self.risk.basis is not Basis.NONE
        return figures.percent(self.risk.chance, 1) if known and self.risk else figures.NONE

    @cached_property
    def cells(self) -> Row:
        return matrix([self.deployment.pk]).get(self.deployment.pk, {})

    @property
    def untried(self) -> list[str]:
        return [one.label for name, one in SUITE.items() if name not in self.cells]

    @property
    def verifying(self) -> list[Cell]:
        return [cell for cell in self.cells.values() if cell.verdict == "queued"]

    @cached_property
    def seen(self) -> queries.Spread:
        return queries.spread(self.deployment.pk, self.now)

    @property
    def good(self) -> str:
        return figures.percent(self.seen.ok, self.seen.tries)

    @property
    def times(self) -> str:
        return " · ".join(figures.seconds(quantile(self.seen.total, q)) for q in (0.5, 0.95))

    @property
    def first(self) -> str:
        return figures.seconds(quantile(self.seen.first, 0.5))

    @cached_property
    def spread(self) -> SafeString:
        p50, p95 = (figures.seconds(quantile(self.seen.total, q)) for q in (0.5, 0.95))
        answers = figures.count(sum(self.seen.total))
        return spread(self.seen.total, summary=f"{answers} answers: median {p50}, p95 {p95}. Also as a table.")

    @property
    def spread_rows(self) -> list[tuple[str, str, int]]:
        return rows(self.seen.total)

    @cached_property
    def days(self) -> list[queries.Day]:
        return queries.days(self.deployment.pk, self.now)

    @cached_property
    def strip(self) -> SafeString:
        marks = [
            Mark(mood_of(d.ok, d.tries), f"{d.at.day} {d.at:%b}: " + (
                f"{figures.percent(d.ok, d.tries)} of {figures.count(d.tries)} good" if d.tries else "no calls"))
            for d in self.days
        ]  # fmt: skip
        return strip(marks, summary=f"The last {queries.DAYS} days: {self.good} of the attempts were good")

    @cached_property
    def heat(self) -> list[tuple[str, list[HeatCell]]]:
        return heat(queries.hours(self.deployment.pk, self.now))

    @cached_property
    def kinds(self) -> list[Kind]:
        found = queries.kinds(self.deployment.pk, self.now)
        every = sum(many for _, many in found)
        return [
            Kind(failure_words(kind), many, part(many / every, summary=figures.percent(many, every)))
            for kind, many in found
        ]

    @cached_property
    def changes(self) -> list[tuple[CatalogueChange, str]]:
        return [(change, words(change)) for change in queries.changes(self.deployment)]

    @cached_property
    def steps(self) -> list[LifeStep]:
        return queries.steps(self.deployment)

    @cached_property
    def proposals(self) -> list[LifeStep]:
        return queries.proposals(self.deployment)

    @cached_property
    def placements(self) -> list[Placement]:
        return list(self.deployment.placements.select_related("pool").order_by("pool__name"))

    @cached_property
    def openings(self) -> list[Opening]:
        """Pools it has no place in."""
        there = {place.pool_id for place in self.placements}
        pools = Pool.objects.exclude(pk__in=there).exclude(admits={})
        return openings(self.deployment, self.cells, pools)
