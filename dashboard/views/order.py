"""What a person may do to the rotation's order from the Overview: take the last reordering back."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from dashboard.acting import by, gone_to, said
from dashboard.views.pools import tried
from rotation.control import order
from rotation.models import Reordering


@require_POST
def undo_reordering(request: HttpRequest, pk: int) -> HttpResponseBase:
    reordering = get_object_or_404(Reordering, pk=pk)
    words = "The order is as it was before. It is left alone for a day."
    tried(request, lambda: order.undo(by(request), reordering), words)
    return gone_to(request, said(request, reverse("overview")))
