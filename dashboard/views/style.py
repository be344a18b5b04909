"""The living style page: every component once, made of the same templates and classes as the pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from dashboard import filters
from dashboard.acting import acted, form_page, gone_to
from dashboard.charts.meter import meter
from dashboard.forms import Form, Ticks, lines, moment, plain, secret
from dashboard.listing import Column, Listing, answer


@dataclass(frozen=True, slots=True)
class Sample:
    """A row of the table shown."""

    name: str
    provider: str
    latency: float | None
    calls: int
    free: bool


SAMPLES = (
    Sample("llama-3.3-70b-instruct:free", "OpenRouter", 0.91, 4021, True),
    Sample("llama-3.1-8b-instant", "Groq", 0.41, 1204, True),
    Sample("qwen2.5-coder-32b", "Together", 2.31, 312, False),
    Sample('<b>"hostile"</b> \u202etxt' + "x" * 200, "A server of one's own", None, 0, False),
)
LISTING = Listing(
    name="samples",
    columns=(
        Column("model", "Model", sort="name", cell=lambda row: row.name),
        Column("provider", "Provider", sort="provider", wide=True),
        Column("latency", "p50 s", sort="latency", numeric=True),
        Column("calls", "Calls", sort="calls", numeric=True),
        Column("free", "Free", cell=lambda row: row.free),
    ),
    filters=(
        filters.Text(
            key="q", label="Search", placeholder="Model", keep=lambda row, text: text.lower() in row.name.lower()
        ),
        filters.Choice(
            key="provider",
            label="Provider",
            choices=[("Groq", "Groq"), ("Together", "Together")],
            keep=lambda row, name: row.provider == name,
        ),
        filters.Period(key="since", label="Seen"),
        filters.Flag(key="free", label="Free only", keep=lambda row, _: row.free),
    ),
    sort="-calls",
    empty="No model yet. Add a key, and the listing is read within a minute.",
)


class Sampler(Form):
    """Every kind of field."""

    sets = (
        ("Where it is", ("address", "key"), "A frame keeps together what belongs together."),
        ("What it may", ("strategy", "pools", "until", "options", "enabled")),
    )
    name = forms.CharField(label="Name", max_length=60, widget=plain(), help_text="Letters, digits and dashes.")
    address = forms.CharField(label="Base URL", max_length=200, widget=plain(inputmode="url"))
    key = forms.CharField(label="Key", max_length=200, required=False, widget=secret())
    strategy = forms.ChoiceField(label="Strategy", choices=[("ordered", "In order"), ("fastest", "Fastest first")])
    pools = forms.MultipleChoiceField(
        label="Pools", choices=[(n, n) for n in ("auto", "fast", "code")], required=False, widget=Ticks()
    )
    until = forms.DateTimeField(label="Valid until", required=False, widget=moment(), help_text="Empty: for good.")
    options = forms.CharField(label="Options", required=False, widget=lines(3))
    enabled = forms.BooleanField(label="Switched on", required=False)


@require_safe
def style(request: HttpRequest) -> HttpResponseBase:
    now = timezone.now()
    wrong = Sampler({"name": "", "address": "not an address", "strategy": "ordered", "pools": ["auto"]})
    wrong.add_error("address", "Write an address with https:// in front: https://api.example.com/v1")
    context: dict[str, Any] = {
        "form": wrong,
        "meters": [
            (words, meter(used, limit, summary=words))
            for words, used, limit in (("3 / 60 rpm", 3, 60), ("18 / 20 rpm", 18, 20), ("no limit learned", 0, None))
        ],
        "soon": now + timedelta(seconds=90),
        "now": now,
        "endpoint": request.build_absolute_uri("/v1/chat/completions"),
    }
    return answer(request, LISTING, SAMPLES, "dashboard/style.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def style_form(request: HttpRequest) -> HttpResponse | HttpResponseBase:
    """A form as a page, or as the style page's dialog. It changes nothing."""
    form = Sampler(request.POST or None)
    if acted(request, form, lambda: None):
        messages.success(request, "Everything in it was in order. Nothing was changed.")
        return gone_to(request, "style")
    return form_page(
        request, form, title="A form", button="Save", back="style", lead="Leave a field empty to see it refused."
    )
