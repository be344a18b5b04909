"""Pools as forms: how they rotate, what they admit, the knobs of their policy, and who joins them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from dashboard.forms import Form, Json, lines, plain
from dashboard.knobs import ALL, KNOBS, MODES, PRESET_WORDS, STRATEGIES, Knob, written
from rotation.core.policy import BALANCED, BREAKER_SCOPES, OPTIONAL, PRESETS
from rotation.models import Deployment, Pool

WORDS = ("capabilities", "families", "tags", "providers")
AMOUNTS = ("context", "members", "max_price_in", "max_price_out", "max_seconds")
PLAIN = ("name", "label", "strategy", "preset", "discovery", "reordering")
OFF = "off"


def modes() -> list[tuple[str, str]]:
    return [(name, words[0].upper() + words[1:]) for name, words in MODES.items()]


def words_field(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(label=label, max_length=1000, required=False, widget=plain(), help_text=help_text)


def number(label: str, **options: Any) -> forms.FloatField:
    return forms.FloatField(label=label, required=False, min_value=0, **options)


class PoolForm(Form):
    sets = (
        ("By itself", ("discovery", "reordering", "canary_percent")),
        (
            "New models it wants",
            ("free", *WORDS, *AMOUNTS, "more"),
            "Every wish has to be met; nothing filled in means every model.",
        ),
    )
    name = forms.SlugField(label="Name", max_length=60, widget=plain(), help_text="What clients write as the model.")
    label = forms.CharField(label="Label", max_length=120, required=False, help_text="For people.")
    strategy = forms.ChoiceField(label="Strategy", choices=list(STRATEGIES.items()), help_text="Pinned ones stay put.")
    preset = forms.ChoiceField(label="Policy", choices=list(PRESET_WORDS.items()))
    discovery = forms.ChoiceField(label="New models are taken in", choices=modes, initial="propose")
    reordering = forms.ChoiceField(label="Better orders are applied", choices=modes, initial="automatic")
    canary_percent = forms.FloatField(
        label="Calls a new member gets first (%)", min_value=1, max_value=5, initial=3, help_text="1 to 5."
    )
    free = forms.BooleanField(label="Only models that cost nothing", required=False)
    capabilities = words_field("Verified in", "With commas: tools, json.")
    families = words_field("Families", "With commas.")
    tags = words_field("Tags", "With commas; one is enough.")
    providers = words_field("Providers", "Their short names, with commas.")
    context = forms.IntegerField(label="Context at least (tokens)", required=False, min_value=1)
    members = forms.IntegerField(label="Members at most", required=False, min_value=1)
    max_price_in = number("USD per million read, at most")
    max_price_out = number("USD per million written, at most")
    max_seconds = number("Seconds an answer may take")
    more = Json(label="More wishes", required=False, widget=lines(2), help_text="A JSON object; empty for none.")

    def __init__(self, *args: Any, pool: Pool | None = None, **kwargs: Any) -> None:
        super().__init__(*args, initial=_told(pool) if pool else None, **kwargs)
        if pool and pool.name == "auto":
            self.fields["name"].disabled = True
            self.fields["name"].help_text = "What clients ask for who choose nothing; it keeps its name."

    def clean_more(self) -> dict[str, Any]:
        more = self.cleaned_data.get("more") or {}
        if not isinstance(more, dict):
            raise forms.ValidationError("Write a JSON object, or leave it empty.")
        return more

    @property
    def wanted(self) -> dict[str, Any]:
        """What the control functions are given."""
        found = {name: self.cleaned_data[name] for name in PLAIN}
        found["canary_share"] = round(self.cleaned_data["canary_percent"] / 100, 4)
        admits: dict[str, Any] = dict(self.cleaned_data["more"])
        if self.cleaned_data["free"]:
            admits["free"] = True
        for name in WORDS:
            if words := [word.strip() for word in self.cleaned_data[name].split(",") if word.strip()]:
                admits[name] = words
        admits |= {name: self.cleaned_data[name] for name in AMOUNTS if self.cleaned_data[name] is not None}
        return {**found, "admits": admits}


def _told(pool: Pool) -> dict[str, Any]:
    admits = dict(pool.admits) if isinstance(pool.admits, dict) else {}
    told = {name: getattr(pool, name) for name in PLAIN}
    told["canary_percent"] = round(pool.canary_share * 100, 2)
    told["free"] = admits.pop("free", False) is True
    told |= {name: ", ".join(map(str, admits.pop(name, []))) for name in WORDS}
    told |= {name: admits.pop(name, None) for name in AMOUNTS}
    return {**told, "more": admits or None}


class PolicyForm(Form):
    """One field a knob; empty means what the preset says."""

    sets = tuple((label, tuple(group)) for label, group in KNOBS.items())

    def __init__(self, *args: Any, pool: Pool, **kwargs: Any) -> None:
        own = pool.policy if isinstance(pool.policy, dict) else {}
        super().__init__(*args, initial={name: _shown(value) for name, value in own.items()}, **kwargs)
        preset = PRESETS.get(pool.preset, BALANCED)
        for name, knob in ALL.items():
            self.fields[name] = knob_field(name, knob, getattr(preset, name))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name in list(cleaned):
            try:
                cleaned[name] = read(name, cleaned[name])
            except ValueError:
                also = f", or {OFF}" if name in OPTIONAL else ""
                self.add_error(name, f"Write a number{also}.")
        return cleaned

    @property
    def policy(self) -> dict[str, Any]:
        """Only the knobs that were turned."""
        return {name: value for name, value in self.cleaned_data.items() if value != ""}


def _shown(value: Any) -> str:
    return OFF if value is None else str(value).lower() if isinstance(value, bool) else f"{value}"


def knob_field(name: str, knob: Knob, preset: Any) -> forms.Field:
    usual = written(preset, knob.unit)
    unit = {"s": " (s)", "share": " (0 to 1)"}.get(knob.unit, "")
    told: dict[str, Any] = {"label": knob.label + unit, "help_text": knob.meaning, "required": False}
    if isinstance(preset, bool):
        choices = [("", f"As the preset: {usual}"), ("true", "Yes"), ("false", "No")]
        return forms.ChoiceField(choices=choices, **told)
    if isinstance(preset, str):
        scopes = [(scope, written(scope, "")) for scope in BREAKER_SCOPES]
        return forms.ChoiceField(choices=[("", f"As the preset: {usual}"), *scopes], **told)
    shown = _shown(preset)
    return forms.CharField(max_length=20, widget=plain(inputmode="decimal", placeholder=shown), **told)


def read(name: str, text: str) -> Any:
    """A knob's value from what was typed; "" when nothing was. Raises ValueError."""
    usual = getattr(BALANCED, name)
    if text == "" or isinstance(usual, str):
        return text
    if isinstance(usual, bool):
        return text == "true"
    if text.strip().lower() == OFF and name in OPTIONAL:
        return None
    return int(text) if isinstance(usual, int) else float(text.replace(",", "."))


class MemberForm(Form):
    """Who joins a pool, and how."""

    deployment = forms.ChoiceField(label="Model")
    position = forms.IntegerField(
        label="Place", required=False, min_value=1, max_value=10_000, help_text="1 is first; empty: at the end."
    )
    canary = forms.BooleanField(
        label="As a canary",
        required=False,
        help_text="It gets a small share of calls first, and stands last otherwise.",
    )

    def __init__(self, *args: Any, models: Iterable[Deployment], pool: Pool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pool = pool
        choices = [(str(one.pk), f"{one.provider.label} · {one.model_id}"[:160]) for one in models]
        self.fields["deployment"].choices = choices  # type: ignore[attr-defined]  # a choice field

    @property
    def share(self) -> float | None:
        return self.pool.canary_share if self.cleaned_data["canary"] else None
