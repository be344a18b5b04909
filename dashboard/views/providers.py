"""Providers: all of them with their keys, one of them with everything, added, changed, tested, switched, removed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.acting import acted, by, form_page, gone_to, said
from dashboard.charts.meter import meter
from dashboard.forms.providers import ProviderForm
from dashboard.live import live
from dashboard.queries import freshness, mode
from dashboard.queries.limits import budgets
from dashboard.queries.providers import Kept, kept, stopped
from rotation.control import health
from rotation.control import providers as control
from rotation.models import Deployment, Provider
from rotation.models.catalog import OUT

SHOWN = 200  # models on a provider's page
HEAVY = ("password", "secret", "secrets")


def meters_of(kept_: Kept) -> dict[int, Any]:
    """A drawn meter per key."""
    fills = {row.key.pk: row.fill for row in kept_.keys}
    unknown = meter(0, None, summary="no limit learned")
    return {pk: meter(fill.used, fill.limit, summary=fill.words) if fill else unknown for pk, fill in fills.items()}


def context_of(now: datetime) -> dict[str, Any]:
    found = kept(now)
    return {
        "providers": [(one, meters_of(one)) for one in found],
        "now": now,
        "simulated": mode.simulated(),
        "keys": sum(len(one.keys) for one in found if not one.provider.simulated),
    }


@require_safe
def providers(request: HttpRequest) -> HttpResponse:
    """Everybody, with keys."""
    now = timezone.now()
    state = freshness.token(freshness.everything(now))
    return live(request, state, "dashboard/providers.html", "dashboard/_providers.html", lambda: context_of(now))


@require_safe
def provider(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them with everything that is known."""
    now = timezone.now()
    state = freshness.token(freshness.everything(now))
    return live(request, state, "dashboard/provider.html", "dashboard/_provider.html", lambda: _context_of_one(pk, now))


def _context_of_one(pk: int, now: datetime) -> dict[str, Any]:
    found = kept(now, only=pk)
    if not found:
        raise Http404
    one = found[0]
    rows = [(b, meter(b.used or 0, b.limit, summary=b.words)) for b in budgets(one, now)]
    models = Deployment.objects.filter(provider=pk).order_by("status", "model_id")
    return {
        "one": one,
        "meters": meters_of(one),
        "now": now,
        "budgets": rows,
        "stopped": stopped(one, now),
        "models": models.prefetch_related("placements__pool")[:SHOWN],
        "hidden_models": max(0, models.count() - SHOWN),
        "out": OUT,
    }


@sensitive_post_parameters(*HEAVY)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add_provider(request: HttpRequest) -> HttpResponse | HttpResponseBase:
    form = ProviderForm(request.POST or None)
    if "test" in request.POST:
        return tested(request, form, "Add a provider", reverse("providers"))
    if done := acted(request, form, lambda: control.add(by(request), **form.wanted)):
        messages.success(request, f"{done.value} is added. Tell it which models to ask, or wait for its listing.")
        return gone_to(request, "provider", done.value.pk)
    return _form(request, form, "Add a provider", reverse("providers"))


@sensitive_post_parameters(*HEAVY)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_provider(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    one = get_object_or_404(Provider, pk=pk)
    form = ProviderForm(request.POST or None, provider=one)
    title, back = f"Change {one}", reverse("provider", args=[pk])
    if "test" in request.POST:
        return tested(request, form, title, back)
    if done := acted(request, form, lambda: control.change(by(request), one, **form.wanted)):
        messages.success(request, f"{done.value} is changed.")
        return gone_to(request, "provider", pk)
    return _form(request, form, title, back)


def _form(request: HttpRequest, form: ProviderForm, title: str, back: str, **more: Any) -> HttpResponse:
    return form_page(
        request, form, title=title, button="Save", back=back, template="dashboard/provider_form.html", **more
    )


def tested(request: HttpRequest, form: ProviderForm, title: str, back: str) -> HttpResponse:
    """What a connection as the form says it would come to; nothing is saved. Alone for a script."""
    outcome = None
    if form.is_valid():
        unsaved, secret = form.unsaved
        try:
            outcome = control.test_connection(by(request), unsaved, secret=secret)
        except ValidationError as wrong:
            form.take(wrong)
    if request.headers.get("HX-Target") == "tested":
        return render(request, "dashboard/_tested.html", {"tested": outcome, "form": form})
    return _form(request, form, title, back, tested=outcome)


@require_POST
def test_provider(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """Ask a stored provider now."""
    one = get_object_or_404(Provider, pk=pk)
    try:
        outcome = control.test_connection(by(request), one)
    except ValidationError as wrong:
        messages.error(request, " ".join(wrong.messages))
    else:
        say = messages.success if outcome.works else messages.error
        say(request, f"{one}: {outcome.words}")
    return gone_to(request, said(request, reverse("provider", args=[pk])))


@require_POST
def switch_provider(request: HttpRequest, pk: int) -> HttpResponseBase:
    one = get_object_or_404(Provider, pk=pk)
    on = request.POST.get("on") == "1"
    (control.enable if on else control.disable)(by(request), one)
    messages.success(request, f"{one} is switched {'on' if on else 'off: nothing is sent there'}.")
    return gone_to(request, said(request, reverse("provider", args=[pk])))


@require_http_methods(["GET", "HEAD", "POST"])
def remove_provider(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    one = get_object_or_404(Provider, pk=pk)
    if request.method == "POST":
        control.remove(by(request), one)
        messages.success(request, f"{one} is removed. What was measured of it stays.")
        return gone_to(request, "providers")
    gone = ", ".join(control.goes_with(one)) or "nothing else"
    lead = f"With it go: {gone}. The history of its calls stays. To stop asking it for a while, switch it off instead."
    back = reverse("provider", args=[pk])
    return form_page(request, title=f"Remove {one}?", button="Remove", back=back, lead=lead, danger=True)


@require_POST
def set_breaker(request: HttpRequest) -> HttpResponseBase:
    """An operator's word on a breaker: `scope` and `state`."""
    try:
        row = health.set_breaker(by(request), request.POST.get("scope", ""), request.POST.get("state", ""))
    except ValidationError as wrong:
        messages.error(request, " ".join(wrong.messages))
    else:
        messages.success(request, f"The breaker is {row.get_state_display()} now.")
    return gone_to(request, said(request, reverse("providers")))
