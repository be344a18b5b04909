"""Filters that write numbers, times and names the way `dashboard.figures` does."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django import template

from dashboard import figures

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
