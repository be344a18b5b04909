"""Pools: all of them, one with its members in order; moved by hand or by buttons, changed, joined, left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.acting import acted, by, form_page, gone_to
from dashboard.forms.pools import MemberForm, PolicyForm, PoolForm
from dashboard.knobs import MODES, PRESET_WORDS, STRATEGIES, knobs_of
from dashboard.live import asked_alone, attributes, live
from dashboard.queries import freshness, mode
from dashboard.queries import pools as queries
from rotation.control import placements
from rotation.control import pools as control
from rotation.control.admits import WISHES
from rotation.models import Deployment, Placement, Pool
from rotation.models.pools import placements_in_order

FORM = ["GET", "HEAD", "POST"]
LONGEST_ID = 18  # digits
WORDS = {"strategies": STRATEGIES, "presets": PRESET_WORDS, "modes": MODES}


@require_safe
def pools(request: HttpRequest) -> HttpResponse:
    context = {"pools": queries.pools(), "simulated": mode.simulated(), **WORDS}
    return render(request, "dashboard/pools.html", context)


def pool_of(pk: int) -> Pool:
    return get_object_or_404(Pool, pk=pk)


def context_of(one: Pool, now: datetime) -> dict[str, Any]:
    admits = one.admits if isinstance(one.admits, dict) else {}
    return {
        "pool": one,
        "members": queries.members(one, now),
        "elsewhere": queries.elsewhere(one),
        "knobs": knobs_of(one),
        "wishes": [(name, WISHES[name][0] if name in WISHES else "", value) for name, value in admits.items()],
        "simulated": mode.simulated(),
        "now": now,
        **WORDS,
    }


@require_safe
def pool(request: HttpRequest, pk: int) -> HttpResponse:
    one, now = pool_of(pk), timezone.now()
    state = freshness.token(one.version, freshness.everything(now))
    return live(request, state, "dashboard/pool.html", "dashboard/_pool.html", lambda: context_of(one, now))


def shown_again(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """The members as they stand now: alone for the script that moved one, else the page."""
    if not asked_alone(request):
        return gone_to(request, "pool", pk)
    now = timezone.now()
    one = pool_of(pk)
    state = freshness.token(one.version, freshness.everything(now))
    told = attributes(request, state, reverse("pool", args=[pk]))
    return render(request, "dashboard/_pool.html", {**context_of(one, now), "live": told, "alone": True})


def version_of(request: HttpRequest) -> int | None:
    """The version the editor saw."""
    return number(request.POST.get("version", ""))


def tried(request: HttpRequest, act: Any, words: str = "") -> None:
    """Does something to a pool's order, and says why when it is refused."""
    try:
        act()
    except ValidationError as wrong:
        messages.error(request, " ".join(wrong.messages))
    else:
        if words:
            messages.success(request, words)


def plain(text: str) -> str:
    """What somebody looks for, as the database can look for it."""
    return text.replace("\0", "").strip()[:100]


def number(text: str) -> int | None:
    """An id as a form sends it; None for what is none."""
    return int(text) if text.isdecimal() and len(text) < LONGEST_ID else None


def reorder(request: HttpRequest, one: Pool) -> None:
    """The order a form asks for, given to those who can be seen; everybody else stays where they stand."""
    visible = [member.placement.deployment_id for member in queries.members(one, timezone.now())]
    wanted, way = number(request.POST.get("deployment", "")), request.POST.get("way", "")
    if way in {"up", "down", "first", "last"} and wanted in visible:
        new = queries.shifted(visible, wanted, way)
    else:
        new = [pk for text in request.POST.get("order", "").split(",") if (pk := number(text)) is not None]
    if sorted(new) != sorted(visible):
        messages.error(request, "Somebody has changed this pool meanwhile; this is how it stands now.")
        return
    full = list(placements_in_order(one).values_list("deployment_id", flat=True))
    whole = queries.merged(full, new)
    tried(request, lambda: placements.arrange(by(request), one, whole, version=version_of(request)))


@require_POST
def order_pool(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """`order` (ids of the visible models with commas), or one of them (`deployment`) and its `way`."""
    reorder(request, pool_of(pk))
    return shown_again(request, pk)


@require_POST
def change_member(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """One switch of a place: `what` is pinned, enabled or canary, `on` its new state."""
    one = get_object_or_404(Placement.objects.select_related("pool", "deployment"), pk=pk)
    what, on = request.POST.get("what", ""), request.POST.get("on") == "1"
    if what in {"pinned", "enabled"}:
        tried(request, lambda: placements.change(by(request), one, **{what: on}))
    elif what == "canary":
        share = one.pool.canary_share if on else None
        tried(request, lambda: placements.change(by(request), one, canary=share))
    return shown_again(request, one.pool_id)


@require_http_methods(FORM)
def add_member(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    one = pool_of(pk)
    form = MemberForm(request.POST or None, models=queries.candidates(one, plain(request.GET.get("q", ""))), pool=one)

    def act() -> Placement:
        chosen = Deployment.objects.get(pk=form.cleaned_data["deployment"])
        at = form.cleaned_data["position"]
        return placements.place(by(request), one, chosen, position=at, canary=form.share)

    if done := acted(request, form, act):
        messages.success(request, f"{done.value.deployment.model_id} stands in {one} now.")
        return gone_to(request, "pool", pk)
    title, back = f"Add a model to {one}", reverse("pool", args=[pk])
    return form_page(request, form, title=title, button="Add", back=back)


@require_http_methods(FORM)
def remove_member(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    one = get_object_or_404(Placement.objects.select_related("pool", "deployment"), pk=pk)
    if request.method == "POST":
        words = f"{one.deployment.model_id} no longer stands in {one.pool}."
        tried(request, lambda: placements.remove(by(request), one), words)
        return gone_to(request, "pool", one.pool_id)
    title, back = f"Take {one.deployment.model_id} out of {one.pool}?", reverse("pool", args=[one.pool_id])
    lead = "The model itself stays, as do its places in other pools and what was measured of it."
    return form_page(request, title=title, button="Take out", back=back, lead=lead, danger=True)


@require_http_methods(FORM)
def add_pool(request: HttpRequest) -> HttpResponse | HttpResponseBase:
    form = PoolForm(request.POST or None)
    if done := acted(request, form, lambda: control.add(by(request), **form.wanted)):
        messages.success(request, f"{done.value} is made. Give it members; until then nothing answers there.")
        return gone_to(request, "pool", done.value.pk)
    return form_page(request, form, title="Add a pool", button="Add", back="pools")


@require_http_methods(FORM)
def change_pool(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    one = pool_of(pk)
    form = PoolForm(request.POST or None, pool=one)
    if acted(request, form, lambda: control.change(by(request), one, **form.wanted)):
        messages.success(request, f"{one} is changed.")
        return gone_to(request, "pool", pk)
    return form_page(request, form, title=f"Change {one}", button="Save", back=reverse("pool", args=[pk]))


@require_http_methods(FORM)
def change_policy(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    one = pool_of(pk)
    form = PolicyForm(request.POST or None, pool=one)
    if acted(request, form, lambda: control.change(by(request), one, policy=form.policy)):
        messages.success(request, f"The policy of {one} is changed.")
        return gone_to(request, "pool", pk)
    lead = f"Single numbers instead of what the preset {one.preset} says; an empty field goes with the preset."
    title, back = f"Policy of {one}", reverse("pool", args=[pk])
    return form_page(request, form, title=title, button="Save", back=back, lead=lead)


@require_http_methods(FORM)
def remove_pool(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    one = pool_of(pk)
    if request.method == "POST":
        tried(request, lambda: control.remove(by(request), one), f"{one} is removed.")
        return gone_to(request, "pools")
    lead = f"With it go: {', '.join(control.goes_with(one)) or 'nothing else'}. Calls that ask for it are refused then."
    back = reverse("pool", args=[pk])
    return form_page(request, title=f"Remove {one}?", button="Remove", back=back, lead=lead, danger=True)
