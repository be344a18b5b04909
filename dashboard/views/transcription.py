"""Audio to text: who is next and why."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard.charts.meter import meter
from dashboard.queries import mode
from dashboard.queries.transcription import next_of, reason, turns


@require_safe
def transcription(request: HttpRequest) -> HttpResponse:
    now, simulated = timezone.now(), mode.simulated()
    order = turns(now, simulated=simulated)
    chosen = next_of(order)
    calls = {turn.deployment.provider_id: (turn.deployment.provider.label, turn.calls) for turn in order}
    most = max((n for _, n in calls.values()), default=0)
    context = {
        "now": now,
        "simulated": simulated,
        "order": order,
        "next": chosen,
        "why": reason(order, chosen) if chosen else "",
        "used": [
            (label, n, meter(n, most / 0.74 if most else None, summary=f"{label}: {n} calls"))
            for label, n in calls.values()
        ],
        "endpoint": request.build_absolute_uri("/v1/audio/transcriptions"),
    }
    return render(request, "dashboard/transcription.html", context)
