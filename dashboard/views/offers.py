"""Models of a provider, typed in or corrected by hand."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from dashboard.acting import acted, by, form_page, gone_to
from dashboard.forms.offers import OfferForm
from rotation.control import deployments, placements
from rotation.models import Deployment, Pool, Provider

FORM = ["GET", "HEAD", "POST"]


@require_http_methods(FORM)
def add_offer(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """`?model_id=` of a listing fills the id in."""
    provider = get_object_or_404(Provider, pk=pk)
    form = OfferForm(request.POST or None, initial={"model_id": request.GET.get("model_id", "")[:255]})
    back = reverse("provider", args=[pk])
    if done := acted(request, form, lambda: placed(request, provider, form)):
        messages.success(request, f"{done.value.model_id} is added.")
        return gone_to(request, back)
    return form_page(request, form, title=f"Add a model of {provider}", button="Add", back=back)


@transaction.atomic
def placed(request: HttpRequest, provider: Provider, form: OfferForm) -> Deployment:
    """The model and its places, or nothing."""
    deployment = deployments.add(by(request), provider, **form.wanted)
    for pool in Pool.objects.filter(name__in=form.cleaned_data["pools"]):
        try:
            placements.place(by(request), pool, deployment)
        except ValidationError as wrong:
            raise ValidationError({"pools": wrong.messages}) from None
    return deployment


@require_http_methods(FORM)
def change_offer(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    deployment = get_object_or_404(Deployment.objects.select_related("provider"), pk=pk)
    form = OfferForm(request.POST or None, deployment=deployment)
    back = reverse("provider", args=[deployment.provider_id])
    if acted(request, form, lambda: deployments.change(by(request), deployment, **form.changes)):
        messages.success(request, f"{deployment.model_id} is changed.")
        return gone_to(request, back)
    return form_page(request, form, title=f"Change {deployment.model_id[:120]}", button="Save", back=back)


@require_http_methods(FORM)
def remove_offer(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    deployment = get_object_or_404(Deployment.objects.select_related("provider"), pk=pk)
    back = reverse("provider", args=[deployment.provider_id])
    if request.method == "POST":
        deployments.remove(by(request), deployment)
        messages.success(request, f"{deployment.model_id} is removed.")
        return gone_to(request, back)
    gone = ", ".join(deployments.goes_with(deployment)) or "nothing else"
    lead = f"With it go: {gone}. A model its provider still lists comes back with the next look at the listing."
    title = f"Remove {deployment.model_id[:120]}?"
    return form_page(request, title=title, button="Remove", back=back, lead=lead, danger=True)
