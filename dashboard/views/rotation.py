"""The Rotation page: a pool's order with its reasons, moved by hand or by buttons; what is proposed and was changed."""

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
from django.views.decorators.http import require_POST, require_safe

from dashboard.acting import by, gone_to
from dashboard.listing import Choice, Column, Listing, answer
from dashboard.live import asked_alone, attributes, live
from dashboard.queries import freshness, mode
from dashboard.queries import pools as pool_queries
from dashboard.queries import rotation as queries
from dashboard.views.pools import reorder, tried
from rotation.control import laboratory, order, placements
from rotation.models import Placement, Pool, Reordering, ReorderingState

AUTO = "auto"
DECISIONS = {
    "apply": (order.apply, "The order is applied, and watched."),
    "hold": (order.hold, "Held: this pool's order stands for a day."),
    "reject": (order.reject, "Rejected; these swaps are not proposed again within a day."),
    "undo": (order.undo, "The order is as it was before. It is left alone for a day."),
}
HISTORY = Listing(
    name="orders",
    columns=(
        Column("at", "When", sort="at"),
        Column("state", "State", template="dashboard/cells/_order_state.html", cell=lambda row: row.standing),
        Column("reason", "What and why", template="dashboard/cells/_order_reason.html", cell=lambda row: row.reason),
        Column("confidence", "Sure", numeric=True, wide=True, cell=lambda row: row.confidence),
        Column("applied_by", "By", wide=True, cell=lambda row: row.applied_by or row.decided_by),
        Column("pool", "Pool", sort="pool__name", cell=lambda row: row.pool.name),
    ),
    filters=(
        Choice(key="pool", label="Pool", field="pool__name", choices=lambda: [(p.name, p.name) for p in pools()]),
        Choice(key="state", label="State", field="state", choices=ReorderingState.choices),
    ),
    sort="-at",
    empty="No order was changed or proposed yet. The evidence is looked at once an hour.",
)


def pools() -> list[Pool]:
    """`auto` first."""
    return sorted(Pool.objects.all(), key=lambda pool: (pool.name != AUTO, pool.name))


def chosen(name: str) -> Pool:
    """The pool of that name; without one the first. Raises Http404."""
    found = [pool for pool in pools() if not name or pool.name == name]
    if not found:
        raise Http404
    return found[0]


def context_of(pool: Pool, now: datetime) -> dict[str, Any]:
    members = pool_queries.members(pool, now)
    last = {member.placement.pk for member in members if queries.comes_last(member)}
    return {
        "pool": pool, "pools": pools(), "members": members, "last": last, "shown": queries.shown(pool, now),
        "elsewhere": pool_queries.elsewhere(pool), "simulated": mode.simulated(), "now": now,
    }  # fmt: skip


def state_of(pool: Pool, now: datetime) -> str:
    regret = pool.regret_reports.order_by("-at").values_list("at", flat=True).first()
    return freshness.token(pool.pk, pool.version, regret, freshness.everything(now))


@require_safe
def rotation(request: HttpRequest) -> HttpResponse:
    """`?pool=` chooses; else the first."""
    if not Pool.objects.exists():
        return render(request, "dashboard/rotation_empty.html")
    now = timezone.now()
    pool = chosen(request.GET.get("pool", "")[:60])
    page, part = "dashboard/rotation.html", "dashboard/_rotation.html"
    return live(request, state_of(pool, now), page, part, lambda: context_of(pool, now))


def page_of(pool: Pool) -> str:
    return f"{reverse('rotation')}?pool={pool.name}"


def shown_again(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """The order as it stands now: alone for the script that moved something, else the page."""
    pool, now = get_object_or_404(Pool, pk=pk), timezone.now()
    if not asked_alone(request):
        return gone_to(request, page_of(pool))
    told = attributes(request, state_of(pool, now), page_of(pool))
    return render(request, "dashboard/_rotation.html", {**context_of(pool, now), "live": told, "alone": True})


@require_POST
def order_rotation(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """`order` (ids of the visible models with commas), or one of them (`deployment`) and its `way`."""
    reorder(request, get_object_or_404(Pool, pk=pk))
    return shown_again(request, pk)


@require_POST
def pin_place(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """`on`: whether reordering leaves it where it stands."""
    place = get_object_or_404(Placement.objects.select_related("pool", "deployment"), pk=pk)
    tried(request, lambda: placements.pin(by(request), place, pinned=request.POST.get("on") == "1"))
    return shown_again(request, place.pool_id)


@require_POST
def look_at_order(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """Look at the evidence now; what is likely is proposed, nothing is applied."""
    pool = get_object_or_404(Pool, pk=pk)
    try:
        found = order.propose_now(by(request), pool)
    except ValidationError as wrong:
        messages.error(request, " ".join(wrong.messages))
    else:
        said = "A better order is proposed." if found else "Looked: no other order is likely enough to be better."
        messages.success(request, said)
    return gone_to(request, page_of(pool))


def change_or_404(pk: int) -> Reordering:
    return get_object_or_404(Reordering.objects.select_related("pool"), pk=pk)


@require_POST
def decide_order(request: HttpRequest, pk: int, decision: str) -> HttpResponse | HttpResponseBase:
    """Apply, hold or reject what is proposed; undo what was applied."""
    if decision not in DECISIONS:
        raise Http404
    row = change_or_404(pk)
    act, words = DECISIONS[decision]
    tried(request, lambda: act(by(request), row), words)
    return gone_to(request, page_of(row.pool))


@require_POST
def replay_order(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """Try a proposed order on yesterday's calls."""
    row = change_or_404(pk)
    try:
        asked = laboratory.request(by(request), row.pool, reordering=row)
    except ValidationError as wrong:
        messages.error(request, " ".join(wrong.messages))
        return gone_to(request, page_of(row.pool))
    return gone_to(request, "replay", asked.pk)


@require_safe
def order_change(request: HttpRequest, pk: int) -> HttpResponse:
    """One change with its difference and its evidence."""
    row = change_or_404(pk)
    context = {"change": queries.change_of(row), "pool": row.pool, "now": timezone.now()}
    return render(request, "dashboard/rotation_change.html", context)


@require_safe
def order_history(request: HttpRequest) -> HttpResponseBase:
    """Every change of every pool."""
    rows = Reordering.objects.select_related("pool")
    return answer(request, HISTORY, rows, "dashboard/rotation_history.html", {"moods": queries.MOODS})
