"""The laboratory: ask for a replay, watch it, read what it shows, adopt it; traces taken in and removed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.acting import acted, by, form_page, gone_to
from dashboard.charts.compare import curves, timeline, whisker
from dashboard.exports import export
from dashboard.forms.laboratory import ReplayForm, TraceForm, pools
from dashboard.frame import zone_of
from dashboard.listing import Choice, Column, Listing, answer
from dashboard.live import live
from dashboard.queries import freshness, mode
from dashboard.queries import laboratory as queries
from dashboard.views.rotation import chosen
from rotation.control import laboratory as control
from rotation.models import Replay, ReplayState, Trace
from rotation.replay import candidate, weekly
from rotation.replay.setting import Setting

FORM = ["GET", "HEAD", "POST"]
LISTING = Listing(
    name="replays",
    columns=(
        Column("at", "Asked", sort="at", template="dashboard/cells/_replay.html"),
        Column("pool", "Pool", sort="pool__name", cell=lambda row: row.pool.name),
        Column("tried", "Tried", cell=queries.wanted),
        Column("shows", "Shows", cell=queries.verdict),
        Column("state", "State", template="dashboard/cells/_replay_state.html", cell=lambda row: row.state),
        Column("by", "By", wide=True),
    ),
    filters=(
        Choice(key="of", label="Pool", field="pool__name", choices=lambda: [(p.name, p.name) for p in pools()]),
        Choice(key="state", label="State", field="state", choices=ReplayState.choices),
    ),
    sort="-at",
    size=20,
    empty="Nothing was replayed yet: change the order or a rule above, and see what yesterday would have been.",
)


@require_http_methods(FORM)
def laboratory(request: HttpRequest) -> HttpResponseBase:
    """The form of a new replay (POST asks for it), and the earlier ones."""
    if not (everybody := pools()):
        return render(request, "dashboard/rotation_empty.html")
    pool = chosen(request.GET.get("pool", "")[:60])
    setup = Setting.of(pool).setup
    names = [setup.names[one] for one in candidate.present(setup).order]
    form = ReplayForm(request.POST or None, present=names)
    act = lambda: control.request(  # noqa: E731 - said once, done once
        by(request), pool, candidate=form.candidate, seed=form.cleaned_data["seed"], **form.window
    )
    if done := acted(request, form, act):
        return gone_to(request, "replay", done.value.pk)
    context = {"pool": pool, "pools": everybody, "form": form, "traces": Trace.objects.defer("body"),
               "simulated": mode.simulated(), "now": timezone.now(), "moods": queries.STATES}  # fmt: skip
    rows = Replay.objects.select_related("pool", "trace")
    response = answer(request, LISTING, rows, "dashboard/laboratory.html", context)
    if form.is_bound:
        response.status_code = 422
    return response


def replay_or_404(pk: int) -> Replay:
    return get_object_or_404(Replay.objects.select_related("pool", "trace"), pk=pk)


@require_safe
def replay(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One replay: how far it is, then its result; `?format=csv` or `json` for files."""
    row = replay_or_404(pk)
    if request.GET.get("format") == "csv":
        return export(request, "csv", f"replay-{pk}", queries.COLUMNS, lambda: iter([queries.cells(queries.rows(row))]))
    if request.GET.get("format") == "json":
        told = {"id": row.pk, "pool": row.pool.name, "state": row.state, "candidate": row.candidate, "error": row.error,
                "result": row.result}  # fmt: skip
        return JsonResponse(told, headers={"Content-Disposition": f'attachment; filename="rotation-replay-{pk}.json"'})
    state = freshness.token(row.state, round(row.progress, 2), row.pool.version)
    return live(request, state, "dashboard/replay.html", "dashboard/_replay.html", lambda: context_of(request, row))


def context_of(request: HttpRequest, row: Replay) -> dict[str, Any]:
    found = queries.rows(row)
    context: dict[str, Any] = {
        "replay": row,
        "pool": row.pool,
        "now": timezone.now(),
        "wanted": queries.wanted(row),
        "percent": 100 * row.progress,
        "mood": queries.STATES.get(ReplayState(row.state), ""),
        "rows": [(each, whisker(each.figure)) for each in found],
        "worse": queries.verdict(row).endswith(" worse"),
        "running": row.state in {ReplayState.WAITING, ReplayState.RUNNING},
        **queries.words(row),
    }
    if found:
        zone, result = zone_of(request) or ZoneInfo("UTC"), row.result
        context["hours"] = [{**one, "at": datetime.fromtimestamp(one["at"], UTC)} for one in result["hours"]]
        context["curves"] = curves(result["histograms"], summary=f"Share of answers over time: {context['summary']}")
        context["timeline"] = timeline(result["hours"], zone=zone, summary="Mean seconds to the answer over the window")
    return context


@require_POST
def adopt_replay(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """Run the pool as the candidate did."""
    row = replay_or_404(pk)
    try:
        pool = control.adopt(by(request), row)
    except ValidationError as wrong:
        messages.error(request, " ".join(wrong.messages))
        return gone_to(request, "replay", pk)
    messages.success(request, f"{pool} runs as this candidate did from now on.")
    return gone_to(request, f"{reverse('rotation')}?pool={pool.name}")


@require_http_methods(FORM)
def remove_replay(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    row = replay_or_404(pk)
    if request.method == "POST":
        control.remove(by(request), row)
        messages.success(request, "The replay is removed.")
        return gone_to(request, "laboratory")
    back = reverse("replay", args=[pk])
    return form_page(request, title=f"Remove replay {pk}?", button="Remove", back=back, danger=True,
                     lead="Its result goes with it; nothing else changes.")  # fmt: skip


@require_http_methods(FORM)
def import_trace(request: HttpRequest) -> HttpResponse | HttpResponseBase:
    """Take in recorded traffic from elsewhere."""
    form = TraceForm(request.POST or None, request.FILES or None)
    act = lambda: control.import_trace(  # noqa: E731 - said once, done once
        by(request), form.cleaned_data["name"], form.cleaned_data["file"]
    )
    if done := acted(request, form, act):
        messages.success(request, f"{done.value.calls:,} calls are imported as {done.value.name}.")
        return gone_to(request, "laboratory")
    return form_page(request, form, title="Import a trace", button="Import", back="laboratory",
                     template="dashboard/trace_form.html")  # fmt: skip


@require_http_methods(FORM)
def remove_trace(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    row = get_object_or_404(Trace.objects.defer("body"), pk=pk)
    if request.method == "POST":
        control.remove_trace(by(request), row)
        messages.success(request, "The trace is removed.")
        return gone_to(request, "laboratory")
    return form_page(request, title=f"Remove the trace {row.name[:60]}?", button="Remove", back="laboratory",
                     danger=True, lead="Replays made of it stay; those that wait for it are ended.")  # fmt: skip


@require_POST
def report_regret(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """The running week's regret, as far as it has gone."""
    pool, now = next((p for p in pools() if p.pk == pk), None), timezone.now()
    if pool is None:
        return gone_to(request, "rotation")
    report = weekly.report(pool, weekly.monday_of(now), now)
    if report is None:
        messages.error(request, "A report wants at least a hundred calls in the week that runs.")
    else:
        by(request).noted("report regret", pool, week=str(report.week))
        messages.success(request, "This week's regret is reported as far as it has gone.")
    return gone_to(request, f"{reverse('rotation')}?pool={pool.name}")
