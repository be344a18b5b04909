"""The Models page: the registry, the capability matrix, and the catalogue's timeline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard.charts.lifetime import lifetime
from dashboard.charts.tides import Tide, tides
from dashboard.exports import TYPES, Batch, export
from dashboard.listing import Listing, answer
from dashboard.queries import mode
from dashboard.queries import models as queries
from dashboard.registry import MATRIX, REGISTRY
from rotation.discovery import lives, timeline
from rotation.discovery.timeline import Week

WEEKS = ("at", "born", "vanished", "back", "dearer", "cheaper", "freed", "charged", "resized", "listed", "free",
         "price", "context")  # fmt: skip
CURVE = ("age", "at_risk", "deaths", "survival", "low", "high")


@require_safe
def models(request: HttpRequest) -> HttpResponseBase:
    """Every model that is known."""
    return _list(request, REGISTRY, "dashboard/models.html")


@require_safe
def model_matrix(request: HttpRequest) -> HttpResponseBase:
    """What each was seen to be able to do."""
    return _list(request, MATRIX, "dashboard/models_matrix.html")


def _list(request: HttpRequest, listing: Listing, template: str) -> HttpResponseBase:
    simulated, now = mode.simulated(), timezone.now()
    alone = request.headers.get("HX-Target") == f"listing-{listing.name}"
    context = {"now": now, "simulated": simulated, "query": request.GET.urlencode()}
    if not alone and request.GET.get("format") not in TYPES:
        context["counts"] = queries.counts(now, simulated=simulated)
    return answer(request, listing, queries.every(simulated=simulated), template, context)


@require_safe
def model_timeline(request: HttpRequest) -> HttpResponseBase:
    """Births and ends by week, how long free models live; `?format=csv|json` with `?what=weeks|survival`."""
    simulated, now = mode.simulated(), timezone.now()
    providers, families = queries.providers(simulated=simulated), queries.families(simulated=simulated)
    provider = _known(request.GET.get("provider", ""), providers)
    family = _known(request.GET.get("family", ""), families)
    known = lives.lives(now, simulated=simulated, provider=provider, family=family)
    weeks = timeline.weeks(now, simulated=simulated, provider=provider, family=family)
    if (kind := request.GET.get("format", "")) in TYPES:
        survival = request.GET.get("what") == "survival"
        columns, rows = (CURVE, known.curve.steps) if survival else (WEEKS, weeks)
        return export(request, kind, "survival" if survival else "timeline", columns, lambda: _batch(columns, rows))
    chosen = {"provider": provider, "family": family, "providers": providers, "families": families}
    counted = {"counts": queries.counts(now, simulated=simulated), "simulated": simulated, "now": now}
    return render(request, "dashboard/models_timeline.html", {**chosen, **counted, **drawn(weeks, known, now)})


def _known(name: str, among: list[tuple[str, str]]) -> str:
    return name if name in dict(among) else ""


def _batch(columns: Any, rows: Any) -> Iterator[Batch]:
    yield [[getattr(row, name) for name in columns] for row in rows]


def drawn(weeks: list[Week], known: lives.Lives, now: datetime) -> dict[str, Any]:
    """The two charts with the figures they rest on."""
    came, went = sum(week.born + week.back for week in weeks), sum(week.vanished for week in weeks)
    series = [Tide(f"{w.at.day} {w.at:%b}", w.born + w.back, w.vanished, _spoken(w)) for w in weeks]
    middle = known.curve.median()
    summary = f"{came} models came and {went} went in {len(weeks)} weeks. Also as a table."
    half = f"half of them live {middle.age:.0f} days" if middle.age is not None else "more than half are still there"
    lived = f"How long free models live: {half}, by {known.curve.lives} whose birth was seen. Also as a table."
    return {
        "weeks": weeks[::-1],
        "known": known,
        "median": middle,
        "came": came,
        "went": went,
        "tides": tides(series, summary=summary) if came or went else "",
        "curve": lifetime(known.curve, summary=lived) if known.curve.steps else "",
        "quiet": not came and not went,
    }


def _spoken(week: Week) -> str:
    """The week in words, for who points at its bar."""
    return (
        f"Week of {week.at.day} {week.at:%b}: {week.born} new, {week.back} back, {week.vanished} gone; "
        f"{week.listed} listed at its end, {week.free} of them free"
    )
