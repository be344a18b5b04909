"""One model: everything that is known of it, and what may be done with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.acting import acted, by, form_page, gone_to, said
from dashboard.dossier import Dossier
from dashboard.forms.discovery import AdoptForm, ReasonForm
from dashboard.live import live
from dashboard.queries import deployment as queries
from dashboard.queries import freshness
from rotation.control import deployments as control
from rotation.control import discovery, verification
from rotation.models import Deployment, DeploymentStatus, VerificationRun

FORM = ["GET", "HEAD", "POST"]


def deployment_of(pk: int) -> Deployment:
    return get_object_or_404(Deployment.objects.select_related("provider"), pk=pk)


def page_of(pk: int) -> str:
    return reverse("model", args=[pk])


@require_safe
def model(request: HttpRequest, pk: int) -> HttpResponse:
    """One model with everything that is known."""
    now = timezone.now()
    if not Deployment.objects.filter(pk=pk).exists():
        raise Http404
    state = freshness.token(freshness.everything(now), queries.moves(pk))
    return live(request, state, "dashboard/model.html", "dashboard/_model.html", lambda: context_of(pk, now))


def context_of(pk: int, now: datetime) -> dict[str, Any]:
    return {"shown": Dossier(deployment_of(pk), now), "now": now}


def queue(request: HttpRequest, deployments: Any, about: str = "") -> VerificationRun | None:
    """Starts a verification; what is wrong is said on the next page."""
    try:
        run = verification.start(by(request), deployments, about=about)
    except ValidationError as wrong:
        messages.error(request, " ".join(wrong.messages))
        return None
    messages.success(request, "Queued: a worker asks within a minute. Verdicts appear here one by one.")
    return run


@require_POST
def verify_model(request: HttpRequest, pk: int) -> HttpResponseBase:
    queue(request, [deployment_of(pk)])
    return gone_to(request, said(request, page_of(pk)))


@require_http_methods(FORM)
def adopt_model(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """Into a pool, as a canary or as a full member."""
    deployment = deployment_of(pk)
    form = AdoptForm(request.POST or None, deployment=deployment)
    if done := acted(request, form, lambda: discovery.adopt(by(request), deployment, **form.cleaned_data)):
        messages.success(request, f"{deployment} has come into {done.value.pool}.")
        return gone_to(request, page_of(pk))
    title = f"Take {deployment.model_id[:120]} into a pool"
    return form_page(request, form, title=title, button="Take in", back=page_of(pk))


@require_http_methods(FORM)
def retire_model(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    deployment = deployment_of(pk)
    form = ReasonForm(request.POST or None)
    if acted(request, form, lambda: control.retire(by(request), deployment, form.cleaned_data["why"])):
        messages.success(request, f"{deployment} is retired: no call goes there any more.")
        return gone_to(request, page_of(pk))
    lead = "No call goes to it any more, whatever pools it stands in. Its history stays, and it can be brought back."
    title = f"Retire {deployment.model_id[:120]}"
    return form_page(request, form, title=title, button="Retire", back=page_of(pk), lead=lead, danger=True)


@require_POST
def restore_model(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A candidate again: calls may go there, and it may be verified."""
    deployment = deployment_of(pk)
    control.set_status(by(request), deployment, DeploymentStatus.CANDIDATE, f"brought back by {by(request).actor}")
    messages.success(request, f"{deployment} is a candidate again.")
    return gone_to(request, said(request, page_of(pk)))
