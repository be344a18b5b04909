"""Client keys: listed with their use, issued and shown once, changed, rotated, revoked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from dashboard.acting import acted, by, form_page, gone_to, shown_once
from dashboard.charts.meter import meter
from dashboard.forms.clients import ClientForm, RotateForm
from dashboard.listing import Choice, Column, Flag, Listing, Text, answer
from dashboard.queries import mode
from dashboard.queries.clients import Client, days_of, shown, with_use
from rotation.control import clients as control
from rotation.models import ClientKey

FORM = ["GET", "HEAD", "POST"]
STATES = (("live", "In use"), ("revoked", "Revoked"), ("expired", "Expired"))


def of_state(state: str) -> Q:
    expired = Q(enabled=True, expires_at__lte=timezone.now())
    return {"live": Q(enabled=True) & ~expired, "revoked": Q(enabled=False), "expired": expired}[state]


LISTING = Listing(
    name="clients",
    columns=(
        Column("label", "Client", sort="label", cell=lambda c: c.key.label, template="dashboard/cells/client.html"),
        Column("state", "State", template="dashboard/cells/client_state.html"),
        Column("key", "Key", cell=lambda c: c.key.masked, on_page=False),
        Column("pools", "Pools", cell=lambda c: c.key.pools or "all", wide=True),
        Column("calls_today", "Calls today", numeric=True),
        Column("calls", "30 days", numeric=True, wide=True),
        Column("today", "Spent today", numeric=True, template="dashboard/cells/budget_day.html"),
        Column("month", "This month", numeric=True, template="dashboard/cells/budget_month.html"),
        Column(
            "last_used",
            "Last used",
            sort="last_used_at",
            cell=lambda c: c.key.last_used_at,
            template="dashboard/cells/ago.html",
        ),
        Column(
            "expires",
            "Until",
            sort="expires_at",
            cell=lambda c: c.key.expires_at,
            template="dashboard/cells/day.html",
            wide=True,
        ),
        Column(
            "created",
            "Made",
            sort="created_at",
            cell=lambda c: c.key.created_at,
            template="dashboard/cells/day.html",
            wide=True,
        ),
        Column("do", "Do", template="dashboard/cells/client_do.html", export=False, hidden=True),
    ),
    filters=(
        Text(key="q", label="Search", fields=("label", "prefix", "last4"), placeholder="Name or key"),
        Choice(key="state", label="State", choices=STATES, where=of_state),
        Flag(key="jobs", label="With Rotation's own"),
    ),
    sort="-created",
    empty_template="dashboard/_no_clients.html",
    enrich=with_use,
)


@require_safe
def clients(request: HttpRequest) -> HttpResponseBase:
    rows = shown() if request.GET.get("jobs") else shown().filter(internal=False)
    return answer(request, LISTING, rows, "dashboard/clients.html", {"now": timezone.now()})


def spend(client: Client) -> list[tuple[str, Any, Any, Any]]:
    """(what, spent, budget, meter) by day and month."""
    pairs = (
        ("Today", client.today, client.key.daily_budget),
        ("This month", client.month, client.key.monthly_budget),
    )
    return [
        (what, used, most, meter(float(used), float(most) if most else None, summary=f"{what}: {used:.4f} USD"))
        for what, used, most in pairs
    ]


def key_of(pk: int) -> ClientKey:
    return get_object_or_404(shown(), pk=pk)


@require_safe
def client(request: HttpRequest, pk: int) -> HttpResponse:
    """One key: what it may, what it used, day by day."""
    now: datetime = timezone.now()
    one = with_use([key_of(pk)])[0]
    context = {"one": one, "key": one.key, "now": now, "spend": spend(one), "days": list(days_of(one.key, now))}
    return render(request, "dashboard/client.html", {**context, "simulated": mode.simulated()})


@never_cache
@require_http_methods(FORM)
def add_client(request: HttpRequest) -> HttpResponse | HttpResponseBase:
    form = ClientForm(request.POST or None)
    if done := acted(request, form, lambda: control.issue(by(request), **form.cleaned_data)):
        key, plain = done.value
        return shown_once(request, plain, title=f"Key of {key.label}", back=reverse("clients"), curl=True)
    return form_page(request, form, title="Add a client key", button="Make the key", back="clients")


@require_http_methods(FORM)
def change_client(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    key = key_of(pk)
    form = ClientForm(request.POST or None, key=key)
    if acted(request, form, lambda: control.change(by(request), key, **form.changes)):
        messages.success(request, f"{key.label} is changed.")
        return gone_to(request, "client", pk)
    title, back = f"Change {key.label}", reverse("client", args=[pk])
    return form_page(request, form, title=title, button="Save", back=back)


@never_cache
@require_http_methods(FORM)
def rotate_client(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """A new key with the same rights; the old one goes on for the chosen time."""
    key = key_of(pk)
    form = RotateForm(request.POST or None)
    if done := acted(request, form, lambda: control.rotate(by(request), key, grace=form.lasting)):
        new, plain = done.value
        return shown_once(request, plain, title=f"New key of {new.label}", back=reverse("clients"), curl=True)
    lead = "A new key with the same pools, limits and budgets. It is shown once."
    title, back = f"Rotate the key of {key.label}", reverse("client", args=[pk])
    return form_page(request, form, title=title, button="Make a new key", back=back, lead=lead)


@require_http_methods(FORM)
def revoke_client(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    key = key_of(pk)
    if request.method == "POST":
        try:
            control.revoke(by(request), key)
        except ValidationError as wrong:
            messages.error(request, " ".join(wrong.messages))
        else:
            messages.success(request, f"{key.label} is revoked: refused within seconds.")
        return gone_to(request, "clients")
    lead = "Calls with it are refused within seconds. It stays in the list, for the calls it made are in the books."
    back = reverse("client", args=[pk])
    return form_page(request, title=f"Revoke {key.label}?", button="Revoke", back=back, lead=lead, danger=True)
