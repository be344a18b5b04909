"""A model of a provider, typed in by hand: what it is for, what it can, what it costs, how much may be asked of it."""

from __future__ import annotations

from typing import Any

from django import forms

from dashboard.forms import Form, Ticks, plain
from rotation.control import limits
from rotation.models import Deployment, Pool

FOR = (("chat", "Chat"), ("transcription", "Transcription"), ("embedding", "Embedding"), ("specialised", "Specialised"))
KNOWN = (("", "Not known"), ("true", "Yes"), ("false", "No"))
FEATURES = ("tools", "parallel_tools", "json_schema", "images")
LIMITS = {
    "requests_minute": ("requests", 60.0),
    "requests_day": ("requests", 86_400.0),
    "tokens_minute": ("tokens", 60.0),
    "tokens_day": ("tokens", 86_400.0),
    "audio_hour": ("audio_seconds", 3_600.0),
}


def tristate(label: str) -> forms.TypedChoiceField:
    values = {"true": True, "false": False}
    return forms.TypedChoiceField(label=label, choices=KNOWN, required=False, coerce=values.get, empty_value=None)


def amount(label: str, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=1, max_value=2_000_000_000, **options)


def usd(label: str) -> forms.DecimalField:
    return forms.DecimalField(label=label, required=False, min_value=0, max_digits=14, decimal_places=6)


class OfferForm(Form):
    sets = (
        ("What it can", (*FEATURES, "reasoning")),
        ("Size and price", ("context", "max_output", "price_in", "price_out", "free")),
        ("Limits", tuple(LIMITS), "What you know of; empty where there is none. What the provider tells wins."),
    )
    model_id = forms.CharField(
        label="Model id", max_length=255, widget=plain(), help_text="Exactly as the provider writes it."
    )
    tags = forms.MultipleChoiceField(
        label="What it is for", choices=FOR, required=False, widget=Ticks(), help_text="Nothing: read off its id."
    )
    pools = forms.MultipleChoiceField(
        label="Pools it joins, at the end of the line", required=False, widget=Ticks(), choices=()
    )
    tools = tristate("Tools")
    parallel_tools = tristate("Several tools at once")
    json_schema = tristate("JSON schema")
    images = tristate("Images")
    reasoning = forms.BooleanField(label="Thinks before it answers", required=False)
    context = amount("Context (tokens)")
    max_output = amount("Longest answer (tokens)")
    price_in = usd("USD per million tokens read")
    price_out = usd("USD per million tokens written")
    free = forms.BooleanField(label="Costs nothing", required=False)
    requests_minute = amount("Requests a minute")
    requests_day = amount("Requests a day")
    tokens_minute = amount("Tokens a minute")
    tokens_day = amount("Tokens a day")
    audio_hour = amount("Seconds of audio an hour")

    def __init__(self, *args: Any, deployment: Deployment | None = None, **kwargs: Any) -> None:
        super().__init__(*args, initial=_told(deployment) if deployment else kwargs.pop("initial", None), **kwargs)
        self.deployment = deployment
        if deployment:
            del self.fields["pools"]
            known = {value for value, _ in FOR}
            more = [(tag, tag) for tag in deployment.tags if tag not in known]  # what others have put there stays
            self.fields["tags"].choices = [*FOR, *more]  # type: ignore[attr-defined]  # a choice field
        else:
            names = Pool.objects.values_list("name", flat=True)
            self.fields["pools"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]  # same

    @property
    def wanted(self) -> dict[str, Any]:
        """What the control functions are given."""
        found = {key: value for key, value in self.cleaned_data.items() if key not in {*LIMITS, "pools"}}
        given = ((where, self.cleaned_data.get(name)) for name, where in LIMITS.items())
        told = [{"axis": axis, "limit": value, "window_s": window} for (axis, window), value in given if value]
        return {**found, "limits": [*told, *self._others()]}

    @property
    def changes(self) -> dict[str, Any]:
        """What was changed; the limits only when one of them was."""
        touched, wanted = set(self.changed_data), self.wanted
        found = {name: value for name, value in wanted.items() if name in touched}
        return {**found, "limits": wanted["limits"]} if touched & LIMITS.keys() else found

    def _others(self) -> list[dict[str, Any]]:
        """Limits of other windows, which this form does not show: they stay."""
        kept = limits.of(self.deployment) if self.deployment else []
        return [limit._asdict() for limit in kept if (limit.axis, limit.window_s) not in LIMITS.values()]


def _told(deployment: Deployment) -> dict[str, Any]:
    names = (
        "model_id", "tags", *FEATURES, "reasoning", "context", "max_output", "price_in", "price_out", "free"
    )  # fmt: skip
    told = {name: getattr(deployment, name) for name in names}
    for feature in FEATURES:
        told[feature] = {True: "true", False: "false", None: ""}[told[feature]]
    by_window = {where: name for name, where in LIMITS.items()}
    for limit in limits.of(deployment):
        if (limit.axis, limit.window_s) in by_window:
            told[by_window[limit.axis, limit.window_s]] = int(limit.limit)
    return told
