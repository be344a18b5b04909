"""What a person may do to the rotation's order from the Overview: take the last reordering back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from rotation.models import Reordering
from rotation.reorder import NotUndone, undo
from rotation.reorder.orders import Changed


@require_POST
def undo_reordering(request: HttpRequest, pk: int) -> HttpResponse:
    reordering = get_object_or_404(Reordering, pk=pk)
    try:
        undo(reordering, request.user.get_username())
    except (NotUndone, Changed) as why_not:
        messages.error(request, str(why_not))
    else:
        messages.success(request, "The order is as it was before. It is left alone for a day.")
    return redirect("overview")
