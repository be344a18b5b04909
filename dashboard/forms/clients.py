"""Client keys as forms: what they may ask for, how much, how long; and how long an old one goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms

from dashboard.forms import Form, Ticks, moment
from rotation.control.clients import FIELDS, LIMITS
from rotation.models import ClientKey, Pool

GRACES = (
    ("86400", "for one more day"),
    ("3600", "for one more hour"),
    ("604800", "for one more week"),
    ("2592000", "for 30 more days"),
    ("0", "not at all: it ends now"),
)


def dollars(label: str, help_text: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=0, max_digits=20, decimal_places=10, help_text=help_text
    )


class ClientForm(Form):
    sets = (("How much, how long", (*LIMITS, "expires_at")),)
    label = forms.CharField(label="Name", max_length=120, help_text="Who or what calls with it.")
    pools = forms.MultipleChoiceField(
        label="Pools it may ask for", required=False, widget=Ticks(), choices=(), help_text="None ticked: all of them."
    )
    requests_per_minute = forms.IntegerField(
        label="Requests a minute", required=False, min_value=1, max_value=1_000_000, help_text="Empty: no limit."
    )
    daily_budget = dollars("USD a day", "Of the UTC clock. Empty: no limit.")
    monthly_budget = dollars("USD a month", "Of the UTC clock. Empty: no limit.")
    expires_at = forms.DateTimeField(
        label="Valid until", required=False, widget=moment(), help_text="In your time zone. Empty: for good."
    )

    def __init__(self, *args: Any, key: ClientKey | None = None, **kwargs: Any) -> None:
        told = {name: getattr(key, name) for name in FIELDS} if key else None
        super().__init__(*args, initial=told, **kwargs)
        names = list(Pool.objects.values_list("name", flat=True))
        gone = [(name, f"{name} (gone)") for name in (key.pools if key else []) if name not in names]
        self.fields["pools"].choices = [*((name, name) for name in names), *gone]  # type: ignore[attr-defined]  # a choice field


class RotateForm(Form):
    grace = forms.ChoiceField(
        label="The old key goes on working", choices=GRACES, help_text="Time to change over without a failed call."
    )

    @property
    def lasting(self) -> timedelta:
        return timedelta(seconds=int(self.cleaned_data["grace"]))
