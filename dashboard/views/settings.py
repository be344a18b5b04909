"""Settings: the choices for the whole installation, with their meaning."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from dashboard.acting import acted, by, gone_to
from dashboard.forms.settings import SettingsForm
from rotation.control import switches as control
from rotation.models import Provider


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse | HttpResponseBase:
    form = SettingsForm(request.POST or None)
    if done := acted(request, form, lambda: turned(request, form)):
        many = done.value
        messages.success(request, f"{many} changed." if many else "Nothing was different.")
        return gone_to(request, "settings")
    models = Provider.objects.filter(deployments__price_in__gt=0, simulated=False).values_list(
        "name", "deployments__model_id"
    )
    names = [f"{provider}/{model}" for provider, model in models.order_by("name", "deployments__model_id")[:300]]
    return render(
        request, "dashboard/settings.html", {"form": form, "models": names}, status=422 if form.errors else 200
    )


@transaction.atomic
def turned(request: HttpRequest, form: SettingsForm) -> int:
    """Every switch that was turned, or none; how many."""
    for name, value in form.changes.items():
        control.set_value(by(request), name, value)
    return len(form.changes)
