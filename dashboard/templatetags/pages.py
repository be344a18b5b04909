"""Filters that write numbers, times and names the way `dashboard.figures` does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django import forms, template
from django.utils import timezone
from django.utils.safestring import SafeString

from dashboard import figures
from dashboard.charts.meter import meter
from dashboard.filters import Filter
from dashboard.listing import State

register = template.Library()


@register.filter
def seconds(ms: float | None) -> str:
    return figures.seconds(ms)


@register.filter
def money(dollars: Decimal | float | None) -> str:
    return figures.money(dollars)


@register.filter
def count(number: float) -> str:
    return figures.count(number)


@register.filter
def epoch(moment: datetime) -> str:
    """Seconds since 1970, for the browser's countdowns."""
    return f"{moment.timestamp():.3f}"


@register.filter
def until(moment: datetime, now: datetime) -> str:
    """`14 s`: how long from `now`."""
    return figures.countdown(moment - now)


@register.filter
def since(moment: datetime, now: datetime) -> str:
    """`3 d 4 h`: how long until `now`."""
    return figures.lasting(now - moment)


@register.filter
def ago(moment: datetime | None, now: datetime) -> str:
    return figures.ago(moment, now)


@register.filter
def short(model_id: str) -> str:
    """A model id without its vendor and `:free`: `llama-3.3-8b-instruct`. The full id stands beside it as a title."""
    return model_id.rpartition("/")[2].removesuffix(":free") or model_id


@register.filter
def plain(label: str) -> str:
    """A provider's label without "(simulated)", where a banner says so already."""
    return label.removesuffix(" (simulated)")


@register.filter
def clip(text: object, most: int = 160) -> str:
    """Foreign text cut to what a page can bear; the whole of it is in the export."""
    whole = str(text)
    return whole if len(whole) <= most else whole[:most] + "…"


@register.filter
def kind(field: forms.BoundField) -> str:
    """How a field is laid out: `tick` (one checkbox), `ticks` (several), `secret`, `select`, `lines`, else `text`."""
    layouts: dict[type[forms.Widget], str] = {
        forms.CheckboxInput: "tick",
        forms.CheckboxSelectMultiple: "ticks",
        forms.RadioSelect: "ticks",
        forms.PasswordInput: "secret",
        forms.Select: "select",
        forms.Textarea: "lines",
    }
    widget = field.field.widget
    return next((name for made, name in layouts.items() if isinstance(widget, made)), "text")


@register.filter
def filter_kind(each: Filter) -> str:
    return type(each).__name__


@register.filter
def chosen(each: Filter, state: State) -> object:
    """What a filter is set to; None when it is not."""
    return state.chosen.get(each.key)


@register.filter
def shown(value: object) -> object:
    """A plain cell: a dash for nothing, words for yes and no, moments in the reader's zone."""
    if value is None or value == "":
        return figures.NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%d %b %Y %H:%M}".replace(" ", "\u00a0")  # dates are not broken
    if isinstance(value, int):
        return figures.count(value)
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


@register.filter
def of(table: Mapping[object, object], key: object) -> object:
    """`{{ meters|of:key.pk }}`."""
    return table.get(key, "")


@register.filter
def tidy(amount: Decimal | float | None) -> str:
    """A number without the zeros at its end: `0.45`; a dash when not known."""
    if amount is None:
        return figures.NONE
    written = f"{amount:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


@register.filter
def share(used: Decimal | float, most: Decimal | float) -> SafeString:
    """A meter of an amount of money against its budget."""
    words = f"{figures.money(used)} of {figures.money(most)}"
    return meter(float(used), float(most), summary=words)


@register.filter
def short_count(number: float) -> str:
    """`131.1k`."""
    return figures.short_count(number)


@register.filter
def percent_of(part: float, whole: float) -> str:
    """`97.8%`."""
    return figures.percent(part, whole)


@register.filter
def percent(part: float) -> str:
    """A share as `3 %`."""
    return f"{part * 100:.3g} %"
