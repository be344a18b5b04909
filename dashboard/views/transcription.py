"""Audio to text: who is next and why, who may be asked at all, how large an upload each takes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.acting import acted, by, form_page, gone_to
from dashboard.charts.meter import meter
from dashboard.forms import Form
from dashboard.queries import mode
from dashboard.queries.audio import Ear, ears, evenness
from dashboard.queries.transcription import next_of, reason, turns
from rotation.control import placements, providers
from rotation.core.transcription import POOL
from rotation.gateway.audio_calls import sent_today
from rotation.models import Placement, Provider

SIZE = "max_upload_mib"


class SizeForm(Form):
    most = forms.FloatField(
        label="Largest upload (MiB)",
        required=False,
        min_value=0.1,
        max_value=10_000,
        help_text="Empty: 25 MiB. A smaller one is learned by itself when an upload is refused for its size.",
    )


def drawn(found: list[Ear]) -> list[tuple[Ear, Any]]:
    """Each with its share of what was sent today."""
    most = max((ear.calls for ear in found), default=0) / 0.74
    return [(ear, meter(ear.calls, most or None, summary=f"{ear.provider}: {ear.calls} calls")) for ear in found]


@require_safe
def transcription(request: HttpRequest) -> HttpResponse:
    now, simulated = timezone.now(), mode.simulated()
    order = turns(now, simulated=simulated)
    chosen = next_of(order)
    found = ears(sent_today(now), simulated=simulated)
    context = {
        "now": now,
        "simulated": simulated,
        "order": order,
        "next": chosen,
        "why": reason(order, chosen) if chosen else "",
        "ears": drawn(found),
        "even": evenness(found),
        "endpoint": request.build_absolute_uri("/v1/audio/transcriptions"),
    }
    return render(request, "dashboard/transcription.html", context)


@require_POST
def switch_ear(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A provider's places in the pool of transcription, all on (`on=1`) or all off."""
    provider = get_object_or_404(Provider, pk=pk)
    on = request.POST.get("on") == "1"
    try:
        with transaction.atomic():
            for place in Placement.objects.filter(pool__name=POOL, deployment__provider=provider):
                placements.enable(by(request), place, enabled=on)
    except ValidationError as wrong:
        messages.error(request, " ".join(wrong.messages))
    else:
        messages.success(request, f"{provider} {'takes its turns again' if on else 'is asked for no transcription'}.")
    return gone_to(request, "transcription")


@require_http_methods(["GET", "HEAD", "POST"])
def size_ear(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """How much of an upload a provider takes, as an operator knows it."""
    provider = get_object_or_404(Provider, pk=pk)
    options = dict(provider.options) if isinstance(provider.options, dict) else {}
    form = SizeForm(request.POST or None, initial={"most": options.get(SIZE)})

    def act() -> Provider:
        kept = {name: value for name, value in options.items() if name != SIZE}
        most = form.cleaned_data["most"]
        return providers.change(by(request), provider, options={**kept, SIZE: most} if most else kept)

    if acted(request, form, act):
        messages.success(request, f"Uploads for {provider} are held to that.")
        return gone_to(request, "transcription")
    title = f"Largest upload for {provider}"
    return form_page(request, form, title=title, button="Save", back="transcription")
