"""Discovery: what listings brought, what waits for a person's word, what is being verified; and the word itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from dashboard.acting import by, gone_to, said
from dashboard.charts.meter import part
from dashboard.listing import Choice, Column, Listing, Period, Text, answer
from dashboard.live import live
from dashboard.queries import discovery as queries
from dashboard.queries import mode, models
from dashboard.views.model import queue
from rotation.control import discovery as control
from rotation.control import jobs, verification
from rotation.discovery.verify.job import candidates
from rotation.models import CatalogueChange, Change, LifeStep, VerificationRun

CHANGES = Listing(
    name="changes",
    columns=(
        Column("at", "When", sort="at"),
        Column("model", "Model", sort="model_id", cell=lambda row: row.model_id),
        Column("provider", "Provider", cell=lambda row: row.provider.name, wide=True),
        Column("change", "Change", cell=lambda row: row.get_change_display().lower()),
        Column("words", "From what to what", cell=queries.words),
        Column("before", "", cell=lambda row: row.before, on_page=False),
        Column("after", "", cell=lambda row: row.after, on_page=False),
    ),
    filters=(
        Text(key="q", label="Search", fields=("model_id",), placeholder="Model"),
        Choice(key="provider", label="Provider", every="All providers", field="provider__name",
               choices=lambda: models.providers(simulated=mode.simulated())),
        Choice(key="change", label="Change", every="Any change", field="change", choices=Change.choices),
        Period(key="since", label="When", field="at"),
    ),
    sort="-at",
    empty="No listing has said anything new yet. They are read every hour; Discovery can look now.",
)  # fmt: skip


def context_of(now: datetime) -> dict[str, Any]:
    simulated = mode.simulated()
    running = queries.under_way(now)
    return {
        "now": now,
        "simulated": simulated,
        "counts": models.counts(now, simulated=simulated),
        "looks": queries.looks(simulated=simulated),
        "recent": queries.recent(simulated=simulated),
        "proposals": queries.proposals(simulated=simulated),
        "under_way": [(one, part(one.outlook.share, summary=f"{one.outlook.share:.0%} done")) for one in running],
        "past": queries.past(),
        "changes": [(change, queries.words(change)) for change in queries.changes(simulated=simulated)],
    }


@require_safe
def discovery(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    state = queries.state(now)
    return live(request, state, "dashboard/discovery.html", "dashboard/_discovery.html", lambda: context_of(now))


@require_safe
def catalogue_changes(request: HttpRequest) -> HttpResponseBase:
    """Everything listings have said, newest first."""
    rows = CatalogueChange.objects.filter(provider__simulated=mode.simulated()).select_related("provider")
    return answer(request, CHANGES, rows, "dashboard/discovery_changes.html", {"now": timezone.now()})


@require_POST
def look_now(request: HttpRequest) -> HttpResponseBase:
    """Every listing, by the worker: the page does not wait for it."""
    try:
        jobs.run_now(by(request), "discover")
    except ValidationError as wrong:
        messages.error(request, " ".join(wrong.messages))
    else:
        messages.success(request, "The listings are being read. What they bring appears here.")
    return gone_to(request, "discovery")


@require_POST
def verify_candidates(request: HttpRequest) -> HttpResponseBase:
    """Everybody who waits to be tried."""
    queue(request, candidates(), "candidates")
    return gone_to(request, said(request, reverse("discovery")))


@require_POST
def cancel_verification(request: HttpRequest, pk: int) -> HttpResponseBase:
    verification.cancel(by(request), get_object_or_404(VerificationRun, pk=pk))
    messages.success(request, "Called off. The verdicts that are there stay.")
    return gone_to(request, said(request, reverse("discovery")))


@require_POST
def adopt_step(request: HttpRequest, pk: int) -> HttpResponseBase:
    return _decided(request, pk, adopt=True)


@require_POST
def reject_step(request: HttpRequest, pk: int) -> HttpResponseBase:
    return _decided(request, pk, adopt=False)


def _decided(request: HttpRequest, pk: int, *, adopt: bool) -> HttpResponseBase:
    step = get_object_or_404(LifeStep.objects.select_related("deployment__provider", "pool"), pk=pk)
    try:
        if adopt:
            control.adopt(by(request), step)
        else:
            control.reject(by(request), step)
    except ValidationError as wrong:
        messages.error(request, " ".join(wrong.messages))
    else:
        done = (
            f"{step.get_step_display().lower()} in {step.pool}" if adopt else "not wanted; not proposed again like this"
        )
        messages.success(request, f"{step.deployment}: {done}.")
    return gone_to(request, said(request, reverse("discovery")))
